// SPDX-License-Identifier: Apache-2.0
#include "console/api.h"

#include <fmt/format.h>

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace cordon {
namespace {

constexpr uint32_t kMaxListed = 1000;

HttpResponse JsonResponse(const Json& json) { return {200, "application/json", Dump(json), {}}; }

template <class T>
HttpResponse ListResponse(const char* name, const std::vector<T>& items) {
  Json list = Json::array();
  for (const T& item : items) list.push_back(ToJson(item));
  return JsonResponse({{name, std::move(list)}});
}

std::vector<std::string> Split(const std::string& path) {
  std::vector<std::string> segments = absl::StrSplit(path, '/', absl::SkipEmpty());
  return segments;
}

// The starred segments when `path` fits `pattern`.
std::optional<std::vector<std::string>> Match(const std::vector<std::string>& path,
                                              const char* pattern) {
  const std::vector<std::string> wanted = Split(pattern);
  if (wanted.size() != path.size()) return std::nullopt;
  std::vector<std::string> stars;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == "*") {
      stars.push_back(path[i]);
    } else if (wanted[i] != path[i]) {
      return std::nullopt;
    }
  }
  return stars;
}

template <class N>
absl::Status ReadNumber(const HttpRequest& request, const std::string& name, N& into) {
  const auto found = request.query.find(name);
  if (found == request.query.end()) return absl::OkStatus();
  if (!absl::SimpleAtoi(found->second, &into))
    return absl::InvalidArgumentError(
        fmt::format("{}: '{}' is not a number", name, found->second.substr(0, 40)));
  return absl::OkStatus();
}

std::string TextOf(const HttpRequest& request, const std::string& name) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? std::string() : found->second;
}

absl::StatusOr<AlertQuery> ReadAlertQuery(const HttpRequest& request) {
  AlertQuery query;
  query.camera_id = TextOf(request, "camera");
  query.incident_id = TextOf(request, "incident");
  uint32_t limit = query.limit;
  RETURN_IF_ERROR(ReadNumber(request, "limit", limit));
  query.limit = std::clamp<uint32_t>(limit, 1, kMaxListed);
  if (const std::string kind = TextOf(request, "kind"); !kind.empty()) {
    query.kind = EventKindFromName(kind);
    if (!query.kind)
      return absl::InvalidArgumentError(
          fmt::format("kind: '{}' is no kind of event", kind.substr(0, 40)));
  }
  if (request.query.contains("after")) {
    uint64_t after = 0;
    RETURN_IF_ERROR(ReadNumber(request, "after", after));
    query.after = after;
    query.newest_first = false;
  }
  for (auto [name, at] :
       {std::pair("since_ms", &query.since), std::pair("until_ms", &query.until)}) {
    if (!request.query.contains(name)) continue;
    int64_t ms = 0;
    RETURN_IF_ERROR(ReadNumber(request, name, ms));
    *at = WallTime(Milliseconds(ms));
  }
  return query;
}

}  // namespace

Api::Api(const Clock& clock, Options options) : clock_(clock), options_(std::move(options)) {}

const std::vector<Api::Route>& Api::Routes() {
  static const std::vector<Route> kRoutes = {
      {"GET", "healthz", &Api::Health},
      {"GET", "metrics", &Api::MetricsText},
      {"GET", "api/site", &Api::Site},
      {"GET", "api/alerts", &Api::Alerts},
      {"GET", "api/alerts/*", &Api::OneAlert},
      {"GET", "api/alerts/*/snapshot.jpg", &Api::Snapshot},
      {"GET", "api/alerts/*/circles", &Api::AlertCircles},
      {"POST", "api/alerts/*/verdict", &Api::Judge},
      {"POST", "api/alerts/*/hold", &Api::Hold},
      {"GET", "api/incidents", &Api::Incidents},
      {"GET", "api/incidents/*", &Api::OneIncident},
      {"POST", "api/incidents/*/*", &Api::ActOnIncident},
      {"GET", "api/units", &Api::Units},
      {"GET", "api/units/*", &Api::OneUnit},
      {"POST", "api/units/*/status", &Api::UnitStatus},
      {"GET", "api/notices", &Api::Notices},
      {"GET", "api/views", &Api::Views},
      {"GET", "api/rules", &Api::Rules},
      {"GET", "api/positions/osmand", &Api::OsmAnd},
      {"POST", "api/positions/osmand", &Api::OsmAnd},
      {"POST", "api/positions/owntracks", &Api::OwnTracks},
      {"GET", "api/clips/*", &Api::Clip},
      {"GET", "api/cameras/*/preview.jpg", &Api::Preview},
  };
  return kRoutes;
}

HttpResponse Api::Handle(const HttpRequest& request) const {
  for (const Options::Extension& extension : options_.extensions)
    if (request.path.starts_with(extension.prefix)) return extension.handle(request);
  const Segments path = Split(request.path);
  // The OsmAnd protocol's own address is the root.
  if (path.empty() && (request.query.contains("lat") || request.query.contains("location") ||
                       request.method == "POST"))
    return OsmAnd(request, {});
  bool path_known = false;
  for (const Route& route : Routes()) {
    const std::optional<Segments> stars = Match(path, route.pattern);
    if (!stars) continue;
    path_known = true;
    const bool head = request.method == "HEAD" && std::string_view(route.method) == "GET";
    if (request.method == route.method || head) return (this->*route.handle)(request, *stars);
  }
  if (path_known)
    return {405,
            "application/json",
            Dump({{"error", "this path does not take " + request.method}}),
            {}};
  if (request.method == "GET" || request.method == "HEAD") {
    if (options_.page) {
      if (auto file = options_.page->Find(request)) return *std::move(file);
    } else if (path.empty()) {
      return TextResponse(503,
                          "The page is not built: run 'npm ci && npm run build' in console/web. "
                          "The interface under /api works.\n");
    }
  }
  return ErrorResponse(absl::NotFoundError("there is nothing at this path"));
}

HttpResponse Api::Health(const HttpRequest&, const Segments&) const {
  // Healthy means that the store answers: everything else has its own place to be seen.
  const absl::Status status = options_.dispatcher->Read(
      [](EventStore& store) { return store.connection().Execute("SELECT 1"); });
  if (!status.ok()) return ErrorResponse(status);
  return JsonResponse({{"ok", true}, {"time", FormatWall(clock_.Wall())}});
}

HttpResponse Api::MetricsText(const HttpRequest&, const Segments&) const {
  return {200, "text/plain; version=0.0.4; charset=utf-8", options_.metrics->RenderText(), {}};
}

HttpResponse Api::Site(const HttpRequest&, const Segments&) const {
  const proto::Site& site = options_.site;
  Json json = {{"id", site.id()},
               {"name", site.name()},
               {"cameras", Json::array()},
               {"places", Json::array()},
               {"tiers_s", Json::array()},
               {"fresh_s", site.dispatch().fresh_s()},
               {"stale_s", site.dispatch().stale_s()}};
  for (const uint32_t tier : site.dispatch().tiers_s()) json["tiers_s"].push_back(tier);
  for (const proto::CameraConfig& camera : site.cameras())
    json["cameras"].push_back({{"id", camera.id()},
                               {"name", camera.name().empty() ? camera.id() : camera.name()},
                               {"lat", camera.lat()},
                               {"lon", camera.lon()},
                               {"purpose", camera.purpose()}});
  for (const proto::PlaceConfig& place : site.dispatch().places())
    json["places"].push_back({{"id", place.id()},
                              {"name", place.name().empty() ? place.id() : place.name()},
                              {"lat", place.lat()},
                              {"lon", place.lon()}});
  json.update(options_.site_extras);
  return JsonResponse(json);
}

HttpResponse Api::Alerts(const HttpRequest& request, const Segments&) const {
  const absl::StatusOr<AlertQuery> query = ReadAlertQuery(request);
  if (!query.ok()) return ErrorResponse(query.status());
  std::vector<StoredAlert> alerts;
  const absl::Status status =
      options_.dispatcher->Read([&alerts, asked = *query](EventStore& store) -> absl::Status {
        ASSIGN_OR_RETURN(alerts, store.Alerts(asked));
        return absl::OkStatus();
      });
  return status.ok() ? ListResponse("alerts", alerts) : ErrorResponse(status);
}

absl::StatusOr<StoredAlert> Api::FindAlert(const std::string& id) const {
  std::vector<StoredAlert> alerts;
  RETURN_IF_ERROR(options_.dispatcher->Read([&alerts, &id](EventStore& store) -> absl::Status {
    AlertQuery query;
    query.alert_id = id;
    ASSIGN_OR_RETURN(alerts, store.Alerts(query));
    return alerts.empty() ? absl::NotFoundError("no such alert") : absl::OkStatus();
  }));
  return std::move(alerts[0]);
}

HttpResponse Api::OneAlert(const HttpRequest&, const Segments& stars) const {
  const absl::StatusOr<StoredAlert> alert = FindAlert(stars[0]);
  return alert.ok() ? JsonResponse(ToJson(*alert)) : ErrorResponse(alert.status());
}

HttpResponse Api::Snapshot(const HttpRequest&, const Segments& stars) const {
  std::string jpeg;
  const absl::Status status =
      options_.dispatcher->Read([&jpeg, id = stars[0]](EventStore& store) -> absl::Status {
        ASSIGN_OR_RETURN(jpeg, store.Snapshot(id));
        return absl::OkStatus();
      });
  if (!status.ok()) return ErrorResponse(status);
  // A picture never changes; it is private, so only this browser may keep it.
  return {200, "image/jpeg", std::move(jpeg), {{"Cache-Control", "private, max-age=3600"}}};
}

HttpResponse Api::AlertCircles(const HttpRequest&, const Segments& stars) const {
  proto::ResponseCircles circles;
  const absl::Status status =
      options_.dispatcher->Read([&circles, id = stars[0]](EventStore& store) -> absl::Status {
        ASSIGN_OR_RETURN(circles, store.Circles(id));
        return absl::OkStatus();
      });
  if (!status.ok()) return ErrorResponse(status);
  return {200, "application/json", CirclesText(circles, true), {}};
}

HttpResponse Api::Incidents(const HttpRequest& request, const Segments&) const {
  uint32_t limit = 100;
  if (const absl::Status status = ReadNumber(request, "limit", limit); !status.ok())
    return ErrorResponse(status);
  std::vector<proto::Incident> incidents;
  const bool open_only = TextOf(request, "open") == "1";
  const absl::Status status = options_.dispatcher->Read(
      [&incidents, open_only,
       most = std::clamp<uint32_t>(limit, 1, kMaxListed)](EventStore& store) -> absl::Status {
        ASSIGN_OR_RETURN(incidents, store.Incidents(open_only, most));
        return absl::OkStatus();
      });
  return status.ok() ? ListResponse("incidents", incidents) : ErrorResponse(status);
}

HttpResponse Api::OneIncident(const HttpRequest&, const Segments& stars) const {
  Json json;
  const absl::Status status =
      options_.dispatcher->Read([&json, id = stars[0]](EventStore& store) -> absl::Status {
        ASSIGN_OR_RETURN(const proto::Incident incident, store.FindIncident(id));
        ASSIGN_OR_RETURN(const std::vector<proto::IncidentChange> changes,
                         store.IncidentChanges(id));
        json = ToJson(incident);
        json["changes"] = Json::array();
        for (const proto::IncidentChange& change : changes)
          json["changes"].push_back(ToJson(change));
        return absl::OkStatus();
      });
  return status.ok() ? JsonResponse(json) : ErrorResponse(status);
}

HttpResponse Api::Units(const HttpRequest&, const Segments&) const {
  return ListResponse("units", options_.units->Snapshot());
}

HttpResponse Api::OneUnit(const HttpRequest&, const Segments& stars) const {
  const std::optional<UnitState> unit = options_.units->Find(UnitId(stars[0]));
  if (!unit) return ErrorResponse(absl::NotFoundError("no such unit"));
  return JsonResponse(ToJson(*unit));
}

HttpResponse Api::Notices(const HttpRequest& request, const Segments&) const {
  std::vector<proto::Notice> notices;
  const bool open_only = TextOf(request, "open") == "1";
  const absl::Status status =
      options_.dispatcher->Read([&notices, open_only](EventStore& store) -> absl::Status {
        ASSIGN_OR_RETURN(notices, store.Notices(open_only, kMaxListed));
        return absl::OkStatus();
      });
  return status.ok() ? ListResponse("notices", notices) : ErrorResponse(status);
}

HttpResponse Api::Views(const HttpRequest& request, const Segments&) const {
  uint32_t limit = 100;
  if (const absl::Status status = ReadNumber(request, "limit", limit); !status.ok())
    return ErrorResponse(status);
  std::vector<proto::ViewRecord> views;
  const absl::Status status = options_.dispatcher->Read(
      [&views, camera = TextOf(request, "camera"),
       most = std::clamp<uint32_t>(limit, 1, kMaxListed)](EventStore& store) -> absl::Status {
        ASSIGN_OR_RETURN(views, store.Views(camera, most));
        return absl::OkStatus();
      });
  return status.ok() ? ListResponse("views", views) : ErrorResponse(status);
}

HttpResponse Api::Rules(const HttpRequest& request, const Segments&) const {
  int64_t since_ms = 0;
  if (const absl::Status status = ReadNumber(request, "since_ms", since_ms); !status.ok())
    return ErrorResponse(status);
  std::vector<RuleScore> scores;
  const WallTime since{Milliseconds(since_ms)}, now = clock_.Wall();
  const absl::Status status =
      options_.dispatcher->Read([&scores, since, now](EventStore& store) -> absl::Status {
        ASSIGN_OR_RETURN(scores, store.RuleScores(since, now));
        return absl::OkStatus();
      });
  return status.ok() ? ListResponse("rules", scores) : ErrorResponse(status);
}

}  // namespace cordon
