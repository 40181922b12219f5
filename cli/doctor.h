// SPDX-License-Identifier: Apache-2.0
// Live checks of a site on this machine: what `cordon check` cannot see in the file alone.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "proto/config.pb.h"

namespace cordon::cli {

// One line of a diagnosis.
struct Finding {
  enum class Level { kOk, kWarning, kFailed };
  Level level = Level::kOk;
  std::string subject;  // "disk", "camera gate"
  std::string text;     // what was found
  std::string remedy;   // what to do; empty when kOk
};

struct DoctorOptions {
  Milliseconds watch{2500};  // how long each camera's stream is watched
  bool cameras = true;
};

// Everything, in the order of the checks. Takes as long as the slowest camera needs; changes nothing
// but a file in data_dir that is written and removed, to see that the disk takes it.
std::vector<Finding> Examine(const proto::Site& site, const DoctorOptions& options,
                             const Clock& clock);

// The parts of Examine.
std::vector<Finding> ExamineDisk(const proto::Site& site, const Clock& clock);
std::vector<Finding> ExamineKeys(const proto::Site& site);
std::vector<Finding> ExamineClock();
std::vector<Finding> ExaminePorts(const proto::Site& site);
std::vector<Finding> ExamineFiles(const proto::Site& site);
std::vector<Finding> ExamineCameras(const proto::Site& site, Milliseconds watch,
                                    const Clock& clock);

}  // namespace cordon::cli
