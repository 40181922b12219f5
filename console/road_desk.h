// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "console/api.h"
#include "console/coverage_feed.h"
#include "console/road_api.h"
#include "console/tiles.h"

namespace cordon {

// All of the console that needs roads: tiles, coverage, closures, cordon. Keeps its parts alive;
// hand extensions() and site_extras() to the Api, and let it go after the server. Thread-safe once
// started.
class RoadDesk {
 public:
  // Puts recorded closures and speeds back into `conditions`. What it is given outlives it.
  static absl::StatusOr<std::unique_ptr<RoadDesk>> Start(const Clock& clock, Metrics& metrics,
                                                         const proto::Site& site,
                                                         Dispatcher& dispatcher, UnitBoard& units,
                                                         Feed& feed,
                                                         std::shared_ptr<RoadConditions> conditions,
                                                         std::shared_ptr<const TravelModel> model,
                                                         const UnitTracks& tracks);

  std::vector<Api::Options::Extension> extensions();
  // "bounds", "attribution", "roads_version"
  Json site_extras() const;

 private:
  explicit RoadDesk(std::shared_ptr<const RoadNetwork> network)
      : network_(std::move(network)), tiles_(network_) {}
  const std::shared_ptr<const RoadNetwork> network_;
  RoadTiles tiles_;
  std::unique_ptr<RoadApi> roads_;
  std::unique_ptr<CoverageFeed> coverage_;
};

}  // namespace cordon
