// SPDX-License-Identifier: Apache-2.0
// The symbols of a map picture; only for map_drawing.cc.
#pragma once

#include <cairo.h>

#include "dispatch/map_drawing.h"

namespace cordon {

// Draws a symbol with a white rim around (x, y), `size` pixels across.
void DrawSymbol(cairo_t* cairo, double x, double y, Symbol symbol, const Colour& colour,
                double size);

}  // namespace cordon
