// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/clock.h"
#include "dispatch/circles.h"
#include "dispatch/dispatcher.h"
#include "dispatch/eta.h"
#include "dispatch/travel_graph.h"
#include "dispatch/unit_tracks.h"
#include "proto/circles.pb.h"
#include "proto/config.pb.h"

namespace cordon::cli {

// The answer to an alert, as the consoles get it: every unit's exact ETA with its route, ranked,
// and the scene's response circles. Used by one thread (the dispatcher's "circles").
class ResponseCirclesSource {
 public:
  // `tracks` outlives it.
  ResponseCirclesSource(std::shared_ptr<const TravelModel> travel,
                        const proto::DispatchConfig& config, const UnitTracks& tracks,
                        const Clock& clock);
  // Without areas. INVALID_ARGUMENT when the scene is no position. A scene off the network is an
  // answer that says so.
  absl::StatusOr<proto::ResponseCircles> Rank(const CirclesRequest& request);
  void Draw(proto::ResponseCircles& circles);
  // For idle time: the first alert in a district is then answered as fast as the second.
  void Prepare() { circles_.Prepare(); }

 private:
  // Routes are drawn for so many of the first units; a console shows no more at once.
  static constexpr size_t kRoutes = 6;

  const Clock& clock_;
  const std::vector<UnitNeed> needs_;
  EtaEngine eta_;
  CircleMaker circles_;
};

}  // namespace cordon::cli
