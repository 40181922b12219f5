// SPDX-License-Identifier: Apache-2.0
// A whole console on a free port for tests: unit board, dispatcher with its store, feed, interface
// and server, wired as the product wires them. Alerts go in through Deliver, as from the bus.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "console/api.h"
#include "console/road_desk.h"
#include "console/server.h"
#include "console/view_log.h"
#include "dispatch/circles.h"
#include "dispatch/eta.h"
#include "tests/support/test_data.h"

namespace cordon::testing {

class Desk {
 public:
  struct Options {
    std::string listen = "127.0.0.1:0";
    std::string store;  // file of the dispatcher's record; empty: a fresh one
    std::string page;                          // folder of the built page; empty: none
    std::shared_ptr<const RoadNetwork> roads;  // empty: no circles, no tiles
    proto::Site site;
    Api::Options api;  // site, units, dispatcher, metrics are filled in
  };
  explicit Desk(Options options);
  Desk() : Desk(Options{}) {}

  std::string url() const { return server_->url(); }
  uint16_t port() const { return server_->port(); }
  Dispatcher& dispatcher() { return *dispatcher_; }
  UnitBoard& units() { return units_; }
  Feed& feed() { return *feed_; }
  Metrics& metrics() { return metrics_; }

  // Commits an alert; its id.
  std::string Raise(const std::string& camera, LatLon place, const std::string& detail = "",
                    const std::string& jpeg = "",
                    proto::RuleConfig::Severity severity = proto::RuleConfig::SEVERITY_HIGH,
                    proto::EventKind kind = proto::EVENT_KIND_INTRUSION);
  void UnitAt(const std::string& id, LatLon place);

 private:
  absl::StatusOr<proto::ResponseCircles> Rank(const CirclesRequest& request);

  TemporaryFolder folder_;
  Metrics metrics_;
  std::unique_ptr<UnitTracks> tracks_;  // with roads only
  UnitBoard units_{SystemClock(), metrics_, {.on_taken = [this](const proto::UnitPosition& fix) {
                     if (tracks_ != nullptr) tracks_->OnFix(fix);
                   }}};
  std::shared_ptr<RoadConditions> conditions_;
  std::shared_ptr<const TravelModel> model_;
  std::unique_ptr<EtaEngine> engine_;
  std::unique_ptr<CircleMaker> maker_;
  std::unique_ptr<Feed> feed_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<ViewLog> views_;
  std::unique_ptr<RoadDesk> road_desk_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<ConsoleServer> server_;
  UlidGenerator ids_{SystemClock()};
  uint64_t sequence_ = 0;
};

// The embedded demo city, built once.
std::shared_ptr<const RoadNetwork> DemoRoads();

}  // namespace cordon::testing
