// SPDX-License-Identifier: Apache-2.0
#include "console/road_desk.h"

#include <fmt/format.h>

#include "absl/strings/str_split.h"

namespace cordon {
namespace {

// The value of "key=value" in the road file's notes; empty when it has none.
std::string NoteOf(const RoadNetwork& network, std::string_view key) {
  const absl::string_view notes(network.notes().data(), network.notes().size());
  for (const absl::string_view part : absl::StrSplit(notes, '\n')) {
    const std::string_view line(part.data(), part.size());
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == '=')
      return std::string(line.substr(key.size() + 1));
  }
  return {};
}

}  // namespace

absl::StatusOr<std::unique_ptr<RoadDesk>> RoadDesk::Start(
    const Clock& clock, Metrics& metrics, const proto::Site& site, Dispatcher& dispatcher,
    UnitBoard& units, Feed& feed, std::shared_ptr<RoadConditions> conditions,
    std::shared_ptr<const TravelModel> model, const UnitTracks& tracks) {
  std::unique_ptr<RoadDesk> desk(new RoadDesk(conditions->network()));
  desk->roads_ = std::make_unique<RoadApi>(clock, metrics, dispatcher, units, feed,
                                           std::move(conditions), model, tracks,
                                           site.dispatch().cordon());
  RETURN_IF_ERROR(desk->roads_->Restore());
  CoverageFeed::Options coverage;
  if (!site.dispatch().tiers_s().empty())
    coverage.tiers_s.assign(site.dispatch().tiers_s().begin(), site.dispatch().tiers_s().end());
  ASSIGN_OR_RETURN(coverage.places, ProtectedPlacesOf(site));
  ASSIGN_OR_RETURN(desk->coverage_, CoverageFeed::Start(clock, metrics, units, feed, std::move(model),
                                                        tracks, std::move(coverage)));
  return desk;
}

std::vector<Api::Options::Extension> RoadDesk::extensions() {
  const auto roads = [this](const HttpRequest& request) { return roads_->Handle(request); };
  // The first prefix that fits wins: the longer before the shorter.
  return {
      {RoadTiles::kPrefix, [this](const HttpRequest& request) { return tiles_.Handle(request); }},
      {RoadTiles::kCoveragePrefix,
       [this](const HttpRequest& request) {
         return tiles_.HandleCoverage(request, coverage_->drawing().get());
       }},
      {CoverageFeed::kPath,
       [this](const HttpRequest& request) { return coverage_->Handle(request); }},
      {RoadApi::kClosures, roads},
      {RoadApi::kLearning, roads},
      {RoadApi::kContain, roads}};
}

Json RoadDesk::site_extras() const {
  const LatLon low = network_->south_west().ToLatLon();
  const LatLon high = network_->north_east().ToLatLon();
  return {{"bounds", {low.lon, low.lat, high.lon, high.lat}},
          {"attribution", NoteOf(*network_, "attribution")},
          {"roads_version", fmt::format("{:016x}", network_->checksum())}};
}

}  // namespace cordon
