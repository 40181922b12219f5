// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "bus/alert_inbox.h"
#include "bus/bus_context.h"
#include "bus/command_path.h"
#include "bus/live_path.h"
#include "bus/node_metrics.h"
#include "bus/telemetry.h"
#include "cli/alert_printer.h"
#include "cli/alert_sink.h"
#include "cli/left_behind.h"
#include "cli/response_circles.h"
#include "console/api.h"
#include "console/feed.h"
#include "console/road_desk.h"
#include "console/server.h"
#include "console/view_log.h"
#include "dispatch/dispatcher.h"
#include "dispatch/unit_tracks.h"
#include "proto/config.pb.h"

namespace cordon::cli {

// The dispatcher with all that surrounds it: roads, units, inbox, telemetry, command path, console.
// It has no thread of its own; docs/architecture.md lists those of its parts.
class DispatchService {
 public:
  struct Options {
    AlertStyle print_alerts = AlertStyle::kNone;
    std::function<void()>
        on_fatal;  // the inbox cannot go on: the process should end and start again
  };
  // Everything wrong with the input is found here. Writes the console's address to
  // DATA_DIR/console.url when it answers.
  static absl::StatusOr<std::unique_ptr<DispatchService>> Start(const proto::Site& site,
                                                                const Clock& clock,
                                                                Options options);
  ~DispatchService();
  DispatchService(const DispatchService&) = delete;
  DispatchService& operator=(const DispatchService&) = delete;

  const std::string& url() const { return url_; }

 private:
  DispatchService(const proto::Site& site, const Clock& clock, Options options);
  absl::Status Open();
  absl::Status OpenRoads();
  absl::Status OpenDispatcher();
  absl::Status OpenBus();
  absl::Status OpenConsole();
  Api::Options ApiOptions();
  // On a worker of the console.
  absl::StatusOr<std::unique_ptr<LiveView>> OpenLive(const LiveRequest& request,
                                                     std::function<void()> wake);
  void OnTelemetry(const proto::Envelope& envelope);

  const proto::Site& site_;
  const Clock& clock_;
  const Options options_;
  Metrics metrics_;
  NodeMetrics node_metrics_;
  std::shared_ptr<const RoadNetwork> roads_;
  std::shared_ptr<RoadConditions> conditions_;
  std::shared_ptr<const TravelModel> travel_;
  std::unique_ptr<UnitTracks> tracks_;
  std::unique_ptr<ResponseCirclesSource> circles_;  // only on the dispatcher's "circles" thread
  std::unique_ptr<UnitBoard> units_;
  std::unique_ptr<AlertPrinter> printer_;
  std::unique_ptr<Feed> feed_;
  DispatcherSink sink_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<LeftBehindKeeper> left_behind_;
  std::unique_ptr<BusContext> bus_;
  std::unique_ptr<AlertInbox> inbox_;
  std::unique_ptr<TelemetrySubscriber> telemetry_;
  std::unique_ptr<CommandClient> commands_;
  std::unique_ptr<LiveClient> live_;
  std::unique_ptr<ViewLog> views_;
  std::unique_ptr<RoadDesk> road_desk_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<ConsoleServer> console_;
  std::string url_;
};

}  // namespace cordon::cli
