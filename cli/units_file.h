// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "dispatch/unit_board.h"

namespace cordon::cli {

// Units given as a file: a JSON array of {id, lat, lon, kind?, status?, fix_time?, accuracy_m?,
// speed_mps?, course_deg?}. kind: car (default), motorcycle, foot. status: as UnitStatusName,
// default available. fix_time: Unix seconds or "2026-03-01T12:34:56Z"; absent: current.
struct UnitsFile {
  std::vector<UnitState> units;
  std::vector<std::string> refused;  // one sentence for each entry that was left out, and why
};

// A bad entry (not a number, out of range, no or double id, beyond limits::kMaxUnits) costs itself
// only. INVALID_ARGUMENT when the text is no JSON array. `what` names the source in messages; ages
// are as of `now`, fresh and stale as given.
absl::StatusOr<UnitsFile> ParseUnits(std::string_view text, const std::string& what, WallTime now,
                                     Seconds fresh = Seconds(15), Seconds stale = Seconds(60));

// A file on disk. NOT_FOUND and such as ReadFile says.
struct UnitsSource {
  std::string path;
  Seconds fresh{15};
  Seconds stale{60};
};
absl::StatusOr<UnitsFile> ReadUnits(const UnitsSource& file, WallTime now);

// Says on the standard error what was left out of a units file.
void TellRefused(std::span<const std::string> refused);

}  // namespace cordon::cli
