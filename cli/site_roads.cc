// SPDX-License-Identifier: Apache-2.0
#include "cli/site.h"
#include "dispatch/road_network.h"

namespace cordon::cli {

absl::Status CheckRoads(const proto::Site& site) {
  if (site.dispatch().roads() == "demo") return absl::OkStatus();
  return RoadNetwork::Open(site.dispatch().roads()).status();
}

}  // namespace cordon::cli
