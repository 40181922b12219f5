// SPDX-License-Identifier: Apache-2.0
#include "dispatch/map_drawing_symbols.h"

#include <cmath>
#include <numbers>

namespace cordon {
namespace {

constexpr double kFullTurn = 2 * std::numbers::pi;

void TraceRegular(cairo_t* cairo, double x, double y, double radius, int corners,
                  double first_angle) {
  for (int i = 0; i < corners; ++i) {
    const double angle = first_angle + kFullTurn * i / corners;
    if (i == 0) {
      cairo_move_to(cairo, x + radius * std::cos(angle), y + radius * std::sin(angle));
    } else {
      cairo_line_to(cairo, x + radius * std::cos(angle), y + radius * std::sin(angle));
    }
  }
  cairo_close_path(cairo);
}

void TraceStar(cairo_t* cairo, double x, double y, double radius) {
  constexpr int kTips = 5;
  for (int i = 0; i < 2 * kTips; ++i) {
    const double r = i % 2 == 0 ? radius : radius * 0.45;
    const double angle = -kFullTurn / 4 + kFullTurn * i / (2 * kTips);
    if (i == 0) {
      cairo_move_to(cairo, x + r * std::cos(angle), y + r * std::sin(angle));
    } else {
      cairo_line_to(cairo, x + r * std::cos(angle), y + r * std::sin(angle));
    }
  }
  cairo_close_path(cairo);
}

void TraceCross(cairo_t* cairo, double x, double y, double radius) {
  const double r = radius * 0.8;
  cairo_move_to(cairo, x - r, y - r);
  cairo_line_to(cairo, x + r, y + r);
  cairo_move_to(cairo, x - r, y + r);
  cairo_line_to(cairo, x + r, y - r);
}

void Trace(cairo_t* cairo, double x, double y, Symbol symbol, double radius) {
  cairo_new_path(cairo);
  switch (symbol) {
    case Symbol::kMotorcycle:
      TraceRegular(cairo, x, y, radius * 1.15, 3, -kFullTurn / 4);
      break;
    case Symbol::kFoot:
      TraceRegular(cairo, x, y, radius * 1.1, 4, 0);
      break;
    case Symbol::kScene:
      TraceStar(cairo, x, y, radius * 1.3);
      break;
    case Symbol::kCross:
      TraceCross(cairo, x, y, radius);
      break;
    case Symbol::kPlace:
      cairo_rectangle(cairo, x - radius * 0.85, y - radius * 0.85, radius * 1.7, radius * 1.7);
      break;
    case Symbol::kSquare:
      cairo_rectangle(cairo, x - radius * 0.6, y - radius * 0.6, radius * 1.2, radius * 1.2);
      break;
    case Symbol::kCar:
    case Symbol::kPoint:
      cairo_arc(cairo, x, y, radius, 0, kFullTurn);
      break;
  }
}

}  // namespace

void DrawSymbol(cairo_t* cairo, double x, double y, Symbol symbol, const Colour& colour,
                double size) {
  const double rim = size > 9 ? 2 : 1;
  cairo_set_line_join(cairo, CAIRO_LINE_JOIN_ROUND);
  cairo_set_line_cap(cairo, CAIRO_LINE_CAP_ROUND);
  Trace(cairo, x, y, symbol, size / 2);
  cairo_set_source_rgba(cairo, 1, 1, 1, 0.95);
  if (symbol == Symbol::kCross) {
    cairo_set_line_width(cairo, 0.28 * size + 2 * rim);
    cairo_stroke_preserve(cairo);
    cairo_set_source_rgba(cairo, colour.red, colour.green, colour.blue, colour.alpha);
    cairo_set_line_width(cairo, 0.28 * size);
    cairo_stroke(cairo);
    return;
  }
  cairo_set_line_width(cairo, 2 * rim);
  cairo_stroke_preserve(cairo);
  cairo_set_source_rgba(cairo, colour.red, colour.green, colour.blue, colour.alpha);
  cairo_fill(cairo);
  if (symbol != Symbol::kPlace) return;
  // A small white roof marks a protected place.
  TraceRegular(cairo, x, y + 0.08 * size, 0.26 * size, 3, -kFullTurn / 4);
  cairo_set_source_rgba(cairo, 1, 1, 1, 0.95);
  cairo_fill(cairo);
}

}  // namespace cordon
