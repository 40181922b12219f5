// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "dispatch/contour.h"
#include "dispatch/eta.h"
#include "dispatch/reached_length.h"
#include "proto/circles.pb.h"

namespace cordon {

// What is reached within one tier.
struct CircleTier {
  uint32_t tier_s = 0;
  double reached_road_m = 0;             // length of road, each piece once
  std::vector<ContourPolygon> polygons;  // a picture of it
};
struct Circles {
  bool off_network = false;
  std::vector<ReachedStretch> stretches;  // the truth, up to the last tier
  std::vector<CircleTier> tiers;
};

// Response circles. Of a scene: the roads from which a unit reaches it in time (a reverse search).
// Of units: the roads on which one of them can be in time (a forward search from all of them). The
// two differ where streets are one-way. One thread at a time.
class CircleMaker {
 public:
  explicit CircleMaker(std::shared_ptr<const TravelModel> model)
      : model_(std::move(model)), length_(model_->conditions()->network()) {}

  // Prepares the drawing of what cars reach, so that the first answer need not wait for it (some
  // 15 ms per 100,000 edges); for idle time. Once done, costs nothing.
  void Prepare() { (void)DrawerOf(/*walked=*/false); }

  // Tiers in seconds; INVALID_ARGUMENT when they do not ascend, are empty, more than 16, zero or
  // above 7200.
  static absl::Status CheckTiers(std::span<const uint32_t> tiers_s);

  Circles OfScene(const LatLon& scene, const TravelProfile& profile,
                  std::span<const uint32_t> tiers_s);
  // Of those units that count (available or returning, not stale, on the network), as one area.
  Circles OfUnits(std::span<const UnitState> units, TravelMode mode,
                  std::span<const uint32_t> tiers_s);

 private:
  ContourDrawer& DrawerOf(bool walked);
  void Finish(std::span<const uint32_t> tiers_s, bool walked, Circles& circles);

  const std::shared_ptr<const TravelModel> model_;
  BoundedSearch search_;
  ReachedLength length_;
  std::unique_ptr<ContourDrawer> driven_;
  std::unique_ptr<ContourDrawer> walked_;
};

// "3:05" for people, in words and pictures alike: to the nearest second.
std::string MinutesText(Milliseconds duration);

// A GeoJSON FeatureCollection with one feature for each tier (properties tier_s, reached_road_m),
// largest first.
std::string CirclesGeoJson(const Circles& circles);

// The answer to an alert as it travels: fills all but the ids, computed_us and the areas.
proto::ResponseCircles ToResponseCircles(const LatLon& scene, const EtaAnswer& answer,
                                         std::span<const UnitState> units);
// Adds the areas.
void AddAreas(const Circles& areas, proto::ResponseCircles& circles);

}  // namespace cordon
