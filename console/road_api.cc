// SPDX-License-Identifier: Apache-2.0
#include "console/road_api.h"

#include <fmt/format.h>

#include <cmath>

#include "base/log.h"
#include "console/api.h"
#include "dispatch/snap.h"

namespace cordon {
namespace {

constexpr double kOldestSightingS = 3600;
constexpr size_t kMaxIdLength = 64;
constexpr size_t kMaxReasonLength = 500;
// More closures than this are an attack or a mistake, not a city.
constexpr size_t kMaxClosures = 10'000;

std::optional<double> NumberAt(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number()) return std::nullopt;
  const double value = found->get<double>();
  return std::isfinite(value) ? std::optional<double>(value) : std::nullopt;
}

std::string TextAt(const Json& json, const char* key, size_t most) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>().substr(0, most)
                                                   : std::string();
}

absl::StatusOr<LatLon> PlaceAt(const Json& json) {
  const auto lat = NumberAt(json, "lat");
  const auto lon = NumberAt(json, "lon");
  if (!lat || !lon || !IsPlausible({*lat, *lon}))
    return absl::InvalidArgumentError("lat, lon: give a place in WGS-84 degrees");
  return LatLon{*lat, *lon};
}

Json ToJson(const RoadClosure& closure) {
  Json json = {{"id", closure.id},
               {"lat", closure.place.lat},
               {"lon", closure.place.lon},
               {"reason", closure.reason},
               {"urgent_may_pass", closure.urgent_may_pass}};
  if (closure.course_deg) json["course_deg"] = *closure.course_deg;
  return json;
}

RoadClosure ClosureOf(const proto::RoadClosureChange& change) {
  RoadClosure closure{change.id(),
                      {change.place().lat(), change.place().lon()},
                      std::nullopt,
                      change.reason(),
                      change.urgent_may_pass()};
  if (change.has_course_deg()) closure.course_deg = change.course_deg();
  return closure;
}

absl::StatusOr<RoadClosure> ReadClosure(const HttpRequest& request, UlidGenerator& ids,
                                        std::string* actor) {
  ASSIGN_OR_RETURN(const Json body, ReadJsonBody(request));
  RoadClosure closure;
  ASSIGN_OR_RETURN(closure.place, PlaceAt(body));
  closure.id = TextAt(body, "id", kMaxIdLength);
  if (closure.id.empty()) closure.id = ids.Next().str();
  closure.reason = TextAt(body, "reason", kMaxReasonLength);
  closure.course_deg = NumberAt(body, "course_deg");
  const auto urgent = body.find("urgent_may_pass");
  closure.urgent_may_pass = urgent != body.end() && urgent->is_boolean() && urgent->get<bool>();
  *actor = "operator:" + TextAt(body, "actor", kMaxIdLength);
  return closure;
}

}  // namespace

RoadApi::RoadApi(const Clock& clock, Metrics& metrics, Dispatcher& dispatcher, UnitBoard& units,
                 Feed& feed, std::shared_ptr<RoadConditions> conditions,
                 std::shared_ptr<const TravelModel> model, const proto::CordonConfig& config)
    : clock_(clock),
      dispatcher_(dispatcher),
      units_(units),
      feed_(feed),
      conditions_(std::move(conditions)),
      model_(std::move(model)),
      ids_(clock),
      plan_seconds_(metrics.Latency("cordon_contain_seconds", "Planning one cordon")),
      planner_(conditions_) {
  if (config.horizon_s() > 0) options_.horizon_ms = config.horizon_s() * 1000;
  if (config.set_up_s() > 0) options_.set_up_ms = config.set_up_s() * 1000;
}

absl::Status RoadApi::Restore() {
  std::vector<proto::RoadClosureChange> closures;
  RETURN_IF_ERROR(dispatcher_.Read([&](EventStore& store) -> absl::Status {
    ASSIGN_OR_RETURN(closures, store.Closures());
    return absl::OkStatus();
  }));
  for (const proto::RoadClosureChange& change : closures) {
    const absl::Status closed = conditions_->Close(ClosureOf(change));
    if (!closed.ok())
      log::Warning("a recorded closure lies on no road and is left out",
                   {{"closure", change.id()}, {"cause", MessageOf(closed)}});
  }
  PublishClosures();
  return absl::OkStatus();
}

HttpResponse RoadApi::Handle(const HttpRequest& request) {
  if (request.path == kContain && request.method == "POST") return Contain(request);
  if (request.path == kClosures && request.method == "GET") return List();
  if (request.path == kClosures && request.method == "POST") return Close(request);
  if (request.path.starts_with(std::string(kClosures) + "/") && request.method == "DELETE")
    return Reopen(request);
  return ErrorResponse(absl::NotFoundError("there is nothing at this path with this method"));
}

void RoadApi::PublishClosures() {
  Json list = Json::array();
  for (const RoadClosure& closure : conditions_->closures()) list.push_back(ToJson(closure));
  feed_.PublishLatest("closures", std::move(list));
}

HttpResponse RoadApi::List() const {
  Json list = Json::array();
  for (const RoadClosure& closure : conditions_->closures()) list.push_back(ToJson(closure));
  return {200, "application/json", Dump({{"closures", std::move(list)}}), {}};
}

HttpResponse RoadApi::Close(const HttpRequest& request) {
  std::string actor;
  const absl::StatusOr<RoadClosure> closure = ReadClosure(request, ids_, &actor);
  if (!closure.ok()) return ErrorResponse(closure.status());
  if (conditions_->closures().size() >= kMaxClosures)
    return ErrorResponse(absl::ResourceExhaustedError("too many closures; lift some"));
  if (const absl::Status closed = conditions_->Close(*closure); !closed.ok())
    return ErrorResponse(closed);
  proto::RoadClosureChange change;
  change.set_id(closure->id);
  change.set_closed(true);
  change.mutable_place()->set_lat(closure->place.lat);
  change.mutable_place()->set_lon(closure->place.lon);
  if (closure->course_deg) change.set_course_deg(*closure->course_deg);
  change.set_reason(closure->reason);
  change.set_urgent_may_pass(closure->urgent_may_pass);
  change.set_actor(actor);
  change.set_wall_time_us(ToMicros(clock_.Wall()));
  if (const absl::Status kept =
          dispatcher_.Write([change](EventStore& store) { return store.AddClosureChange(change); });
      !kept.ok()) {
    // Not recorded means not closed: what a restart would forget must not hold now.
    conditions_->Reopen(closure->id).IgnoreError();
    return ErrorResponse(kept);
  }
  PublishClosures();
  return {200, "application/json", Dump(ToJson(*closure)), {}};
}

HttpResponse RoadApi::Reopen(const HttpRequest& request) {
  const std::string id = request.path.substr(sizeof(kClosures));
  if (const absl::Status opened = conditions_->Reopen(id); !opened.ok())
    return ErrorResponse(opened);
  proto::RoadClosureChange change;
  change.set_id(id);
  const auto actor = request.query.find("actor");
  change.set_actor("operator:" + (actor == request.query.end()
                                      ? std::string()
                                      : actor->second.substr(0, kMaxIdLength)));
  change.set_wall_time_us(ToMicros(clock_.Wall()));
  const absl::Status kept =
      dispatcher_.Write([change](EventStore& store) { return store.AddClosureChange(change); });
  PublishClosures();
  return kept.ok() ? HttpResponse{200, "application/json", Dump({{"ok", true}}), {}}
                   : ErrorResponse(kept);
}

absl::StatusOr<Sighting> RoadApi::ReadSighting(const HttpRequest& request) const {
  ASSIGN_OR_RETURN(const Json body, ReadJsonBody(request));
  Sighting sighting;
  double age_s = NumberAt(body, "age_s").value_or(0);
  if (const std::string id = TextAt(body, "incident", kMaxIdLength); !id.empty()) {
    proto::Incident incident;
    RETURN_IF_ERROR(dispatcher_.Read([&incident, id](EventStore& store) -> absl::Status {
      ASSIGN_OR_RETURN(incident, store.FindIncident(id));
      return absl::OkStatus();
    }));
    if (!incident.has_place()) return absl::FailedPreconditionError("this incident has no place");
    sighting.place = {incident.place().lat(), incident.place().lon()};
    if (!body.contains("age_s"))
      age_s = static_cast<double>(ToMicros(clock_.Wall()) - incident.last_alert_us()) / 1e6;
  } else {
    ASSIGN_OR_RETURN(sighting.place, PlaceAt(body));
  }
  if (!(age_s >= 0 && age_s <= kOldestSightingS))
    return absl::InvalidArgumentError(
        fmt::format("age_s: the sighting must be 0 to {} s old", kOldestSightingS));
  sighting.age_ms = static_cast<uint32_t>(age_s * 1000);
  return sighting;
}

std::vector<CordonUnit> RoadApi::FreeUnits() const {
  std::vector<CordonUnit> free;
  for (const UnitState& unit : units_.Snapshot()) {
    const bool placed = unit.freshness == Freshness::kFresh || unit.freshness == Freshness::kUsable;
    const bool able =
        unit.status == proto::UNIT_STATUS_AVAILABLE || unit.status == proto::UNIT_STATUS_RETURNING;
    if (!placed || !able || unit.kind == proto::UnitConfig::KIND_FOOT) continue;
    const auto kind = static_cast<TravelKind>(unit.kind);
    const SnapQuery query{unit.place, unit.accuracy.value_or(Metres{0}), unit.course_deg,
                          unit.speed_mps};
    free.push_back({unit.id, kind,
                    SnapUnit(*model_->Graph({kind, TravelMode::kUrgent}), query).seeds,
                    std::nullopt});
  }
  return free;
}

HttpResponse RoadApi::Contain(const HttpRequest& request) {
  const absl::StatusOr<Sighting> sighting = ReadSighting(request);
  if (!sighting.ok()) return ErrorResponse(sighting.status());
  const std::vector<CordonUnit> units = FreeUnits();
  absl::StatusOr<CordonPlan> plan = [&] {
    const StageTimer timer(clock_, plan_seconds_);
    absl::MutexLock lock(&mutex_);
    return planner_.Plan(*model_, *sighting, units, options_);
  }();
  if (!plan.ok()) return ErrorResponse(plan.status());
  Json json = Describe(*plan, *sighting, units);
  feed_.PublishLatest("contain", json);
  return {200, "application/json", Dump(json), {}};
}

Json RoadApi::Describe(const CordonPlan& plan, const Sighting& sighting,
                       const std::vector<CordonUnit>& units) const {
  const int64_t now_ms = ToMicros(clock_.Wall()) / 1000;
  Json json = {{"advisory", true},
               {"outcome", CordonOutcomeName(plan.outcome)},
               {"proven", plan.proven},
               {"computed_ms", now_ms},
               {"expires_ms", now_ms + plan.expires_ms},
               {"sighting",
                {{"lat", sighting.place.lat},
                 {"lon", sighting.place.lon},
                 {"age_s", sighting.age_ms / 1000}}},
               {"covered_probability", plan.covered_probability},
               {"units_considered", units.size()},
               {"assumptions", plan.assumptions},
               {"points", Json::array()},
               {"leaks", Json::array()},
               {"robustness", Json::array()}};
  for (const CordonPoint& point : plan.points)
    json["points"].push_back({{"lat", point.place.lat},
                              {"lon", point.place.lon},
                              {"roads", point.roads},
                              {"unit", units[point.unit].id.str()},
                              {"eta_ms", point.eta_ms},
                              {"closed_ms", point.closed_ms},
                              {"slack_ms", point.slack_ms}});
  for (const CordonLeak& leak : plan.leaks)
    json["leaks"].push_back({{"lat", leak.place.lat},
                             {"lon", leak.place.lon},
                             {"roads", leak.roads},
                             {"suspect_ms", leak.suspect_ms},
                             {"route_share", leak.route_share}});
  for (const CordonPlan::Robustness& row : plan.robustness)
    json["robustness"].push_back(
        {{"adversary", row.adversary}, {"closed", row.closed}, {"caught_share", row.caught_share}});
  return json;
}

}  // namespace cordon
