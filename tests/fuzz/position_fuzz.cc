// SPDX-License-Identifier: Apache-2.0
// Everything that a position device may send: query, both JSON forms, and the board behind them. Whatever comes in, what comes out is
// an error or a plausible place.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/clock.h"
#include "dispatch/position_parser.h"
#include "dispatch/unit_board.h"

namespace {

void Check(const absl::StatusOr<cordon::proto::UnitPosition>& position) {
  if (!position.ok()) return;
  static cordon::Metrics metrics;
  cordon::UnitBoard board(cordon::SystemClock(), metrics, {});
  if (!board.Report(*position).ok()) return;
  const cordon::UnitState unit = board.Snapshot().at(0);
  const bool sound = cordon::IsPlausible(unit.place) && (!unit.speed_mps || std::isfinite(*unit.speed_mps)) &&
                     (!unit.course_deg || (*unit.course_deg >= 0 && *unit.course_deg <= 360)) &&
                     (!unit.accuracy || std::isfinite(unit.accuracy->value));
  if (!sound) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto query = cordon::ParseQuery(text); query.ok()) Check(cordon::ParseOsmAndQuery(*query));
  Check(cordon::ParseOsmAndJson(text));
  Check(cordon::ParseOwnTracks(text, "phone"));
  return 0;
}
