// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/secret.h"
#include "console/http.h"
#include "console/json_view.h"
#include "console/static_files.h"
#include "console/view_log.h"
#include "dispatch/dispatcher.h"
#include "dispatch/unit_board.h"
#include "proto/config.pb.h"
#include "proto/envelope.pb.h"

namespace cordon {

// What each path means: docs/api.md is its description. Thread-safe; a call may wait for the
// dispatcher (kPatience) or a node (3 s).
class Api {
 public:
  struct Options {
    proto::Site site;
    UnitBoard* units = nullptr;
    Dispatcher* dispatcher = nullptr;
    Metrics* metrics = nullptr;
    ViewLog* views = nullptr;  // null: pictures and clips are refused, for nobody could say who saw
    std::optional<StaticFiles> page;       // without it "/" says how to build it
    std::optional<Secret> position_token;  // without it only loopback devices may report
    // Through the bus to a node; each waits at most 3 s. Empty: answered with 501.
    std::function<absl::StatusOr<proto::Reply>(const std::string& node, const std::string& clip,
                                               uint64_t offset)>
        fetch_evidence;
    std::function<absl::StatusOr<proto::Reply>(const std::string& node, const std::string& camera)>
        live_preview;
    std::function<absl::Status(const std::string& node, const std::string& clip, bool held,
                               const std::string& reason)>
        hold_evidence;
    // Parts that others add: the first whose prefix matches the path handles it.
    struct Extension {
      std::string prefix;  // "/api/coverage"
      std::function<HttpResponse(const HttpRequest&)> handle;
    };
    std::vector<Extension> extensions;
    Json site_extras = Json::object();  // merged into /api/site ("bounds", ...)
  };
  explicit Api(const Clock& clock, Options options);

  HttpResponse Handle(const HttpRequest& request) const;

 private:
  using Segments = std::vector<std::string>;
  struct Route {
    const char* method;
    const char* pattern;  // "api/incidents/*/assign"; * is one segment
    HttpResponse (Api::*handle)(const HttpRequest&, const Segments&) const;
  };
  static const std::vector<Route>& Routes();

  HttpResponse Health(const HttpRequest&, const Segments&) const;
  HttpResponse MetricsText(const HttpRequest&, const Segments&) const;
  HttpResponse Site(const HttpRequest&, const Segments&) const;
  HttpResponse Alerts(const HttpRequest&, const Segments&) const;
  HttpResponse OneAlert(const HttpRequest&, const Segments&) const;
  HttpResponse Snapshot(const HttpRequest&, const Segments&) const;
  HttpResponse AlertCircles(const HttpRequest&, const Segments&) const;
  HttpResponse Judge(const HttpRequest&, const Segments&) const;
  HttpResponse Hold(const HttpRequest&, const Segments&) const;
  HttpResponse Incidents(const HttpRequest&, const Segments&) const;
  HttpResponse OneIncident(const HttpRequest&, const Segments&) const;
  HttpResponse ActOnIncident(const HttpRequest&, const Segments&) const;
  HttpResponse Units(const HttpRequest&, const Segments&) const;
  HttpResponse OneUnit(const HttpRequest&, const Segments&) const;
  HttpResponse UnitStatus(const HttpRequest&, const Segments&) const;
  HttpResponse Notices(const HttpRequest&, const Segments&) const;
  HttpResponse Rules(const HttpRequest&, const Segments&) const;
  HttpResponse OsmAnd(const HttpRequest&, const Segments&) const;
  HttpResponse OwnTracks(const HttpRequest&, const Segments&) const;
  HttpResponse Clip(const HttpRequest&, const Segments&) const;
  HttpResponse Preview(const HttpRequest&, const Segments&) const;
  HttpResponse Views(const HttpRequest&, const Segments&) const;

  // NOT_FOUND.
  absl::StatusOr<StoredAlert> FindAlert(const std::string& id) const;
  // The view is on record. FAILED_PRECONDITION: there is no record.
  absl::Status RecordView(const HttpRequest& request, proto::ViewRecord record) const;
  absl::Status MayReport(const HttpRequest& request) const;
  std::string NodeOf(const std::string& camera) const;

  const Clock& clock_;
  const Options options_;
};

// The JSON object in the body of a change; it must say so in its content type (a form of another
// page cannot).
absl::StatusOr<Json> ReadJsonBody(const HttpRequest& request);

}  // namespace cordon
