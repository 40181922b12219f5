// SPDX-License-Identifier: Apache-2.0
#include "analytics/detector.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace cordon {

bool ClassMatches(const std::string& rule_class, const std::string& object_class) {
  static constexpr std::array<std::string_view, 9> kVehicles = {
      "car", "bus", "truck", "motorcycle", "motorbike", "bicycle", "van", "train", "tractor"};
  if (rule_class == object_class) return true;
  return rule_class == kVehicle &&
         std::find(kVehicles.begin(), kVehicles.end(), object_class) != kVehicles.end();
}

}  // namespace cordon
