// SPDX-License-Identifier: Apache-2.0
#include "console/road_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/log.h"
#include "console/api.h"
#include "dispatch/road_report.h"
#include "dispatch/snap.h"

namespace cordon {
namespace {

constexpr Seconds kOldestSighting{3600};
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

Json ToJson(const RoadSpeedFactor& speed) {
  return {{"id", speed.id},
          {"lat", speed.place.lat},
          {"lon", speed.place.lon},
          {"speed_factor", speed.factor}};
}

RoadSpeedFactor SpeedOf(const proto::RoadClosureChange& change) {
  RoadSpeedFactor speed{change.id(), {change.place().lat(), change.place().lon()}, {}};
  std::copy_n(change.speed_factor().begin(),
              std::min<size_t>(speed.factor.size(), change.speed_factor().size()),
              speed.factor.begin());
  return speed;
}

// One for all hours, or one for each.
absl::Status ReadSpeedFactor(const Json& body, proto::RoadClosureChange& change) {
  const auto given = body.find("speed_factor");
  if (given == body.end()) return absl::OkStatus();
  const bool by_hour = given->is_array() && given->size() == 24;
  for (size_t hour = 0; hour < 24; ++hour) {
    const Json& one = by_hour ? (*given)[hour] : *given;
    if (!one.is_number())
      return absl::InvalidArgumentError(
          "speed_factor: a number, or 24 of them by hour of the day, each 0.05 to 3");
    change.add_speed_factor(one.get<float>());
  }
  return absl::OkStatus();
}

absl::StatusOr<proto::RoadClosureChange> ReadChange(const HttpRequest& request,
                                                    UlidGenerator& ids) {
  ASSIGN_OR_RETURN(const Json body, ReadJsonBody(request));
  proto::RoadClosureChange change;
  ASSIGN_OR_RETURN(const LatLon place, PlaceAt(body));
  change.mutable_place()->set_lat(place.lat);
  change.mutable_place()->set_lon(place.lon);
  change.set_id(TextAt(body, "id", kMaxIdLength));
  if (change.id().empty()) change.set_id(ids.Next().str());
  change.set_closed(true);
  change.set_reason(TextAt(body, "reason", kMaxReasonLength));
  if (const auto course = NumberAt(body, "course_deg")) change.set_course_deg(*course);
  const auto urgent = body.find("urgent_may_pass");
  change.set_urgent_may_pass(urgent != body.end() && urgent->is_boolean() && urgent->get<bool>());
  change.set_actor("operator:" + TextAt(body, "actor", kMaxIdLength));
  RETURN_IF_ERROR(ReadSpeedFactor(body, change));
  return change;
}

Json ToJson(const EtaError& error) {
  const auto rounded = [](double value) { return std::round(value * 1000) / 1000; };
  return {{"arrivals", error.arrivals},
          {"p50_s", rounded(error.p50_s)},
          {"p90_s", rounded(error.p90_s)},
          {"p50_share", rounded(error.p50_share)},
          {"p90_share", rounded(error.p90_share)},
          {"bias_share", rounded(error.bias_share)}};
}

Json ToJson(const std::vector<EtaErrorGroup>& groups) {
  Json list = Json::array();
  for (const EtaErrorGroup& group : groups) {
    Json& json = list.emplace_back(ToJson(group.error));
    if (group.road_class) json["class"] = RoadClassName(*group.road_class);
    if (group.hour) json["hour"] = *group.hour;
  }
  return list;
}

}  // namespace

RoadApi::RoadApi(const Clock& clock, Metrics& metrics, Dispatcher& dispatcher, UnitBoard& units,
                 Feed& feed, std::shared_ptr<RoadConditions> conditions,
                 std::shared_ptr<const TravelModel> model, const UnitTracks& tracks,
                 const proto::CordonConfig& config)
    : clock_(clock),
      dispatcher_(dispatcher),
      units_(units),
      feed_(feed),
      conditions_(std::move(conditions)),
      model_(std::move(model)),
      tracks_(tracks),
      ids_(clock),
      plan_seconds_(metrics.Latency("cordon_contain_seconds", "Planning one cordon")),
      planner_(conditions_) {
  if (config.horizon_s() > 0) options_.horizon_ms = config.horizon_s() * 1000;
  if (config.set_up_s() > 0) options_.set_up_ms = config.set_up_s() * 1000;
  watch_ = std::make_unique<CordonWatch>(
      clock_, dispatcher_,
      [this](const CordonWatch::Standing& standing) { return Plan(standing).status(); },
      [this] { feed_.PublishLatest("contain", nullptr); }, Milliseconds(options_.horizon_ms));
}

absl::Status RoadApi::Restore() {
  std::vector<proto::RoadClosureChange> closures;
  RETURN_IF_ERROR(dispatcher_.Read([&](EventStore& store) -> absl::Status {
    ASSIGN_OR_RETURN(closures, store.Closures());
    return absl::OkStatus();
  }));
  for (const proto::RoadClosureChange& change : closures) {
    const absl::Status applied = Apply(change);
    if (!applied.ok())
      log::Warning("a recorded closure or speed lies on no road and is left out",
                   {{"closure", change.id()}, {"cause", MessageOf(applied)}});
  }
  PublishClosures();
  return absl::OkStatus();
}

HttpResponse RoadApi::Handle(const HttpRequest& request) {
  if (request.path == kContain && request.method == "POST") return Contain(request);
  if (request.path == kContain && request.method == "DELETE") return EndContain();
  if (request.path == kClosures && request.method == "GET") return List();
  if (request.path == kLearning && request.method == "GET") return Learning();
  if (request.path == kClosures && request.method == "POST") return Close(request);
  if (request.path.starts_with(std::string(kClosures) + "/") && request.method == "DELETE")
    return Reopen(request);
  return ErrorResponse(absl::NotFoundError("there is nothing at this path with this method"));
}

// An id is a closure or a speed, never both: the newer one holds.
absl::Status RoadApi::Apply(const proto::RoadClosureChange& change) {
  if (change.speed_factor().empty()) {
    RETURN_IF_ERROR(conditions_->Close(ClosureOf(change)));
    conditions_->ClearSpeedFactor(change.id()).IgnoreError();
  } else {
    RETURN_IF_ERROR(conditions_->SetSpeedFactor(SpeedOf(change)));
    conditions_->Reopen(change.id()).IgnoreError();
  }
  return absl::OkStatus();
}

absl::Status RoadApi::Lift(const std::string& id) {
  if (conditions_->ClearSpeedFactor(id).ok()) return absl::OkStatus();
  return conditions_->Reopen(id);
}

Json RoadApi::InForce() const {
  Json list = Json::array();
  for (const RoadClosure& closure : conditions_->closures()) list.push_back(ToJson(closure));
  for (const RoadSpeedFactor& speed : conditions_->speed_factors()) list.push_back(ToJson(speed));
  return list;
}

void RoadApi::PublishClosures() { feed_.PublishLatest("closures", InForce()); }

HttpResponse RoadApi::List() const {
  return {200, "application/json", Dump({{"closures", InForce()}}), {}};
}

HttpResponse RoadApi::Learning() const {
  const LearningReport report = tracks_.report();
  return {200,
          "application/json",
          Dump({{"journeys", report.journeys},
                {"broken", report.broken},
                {"left_out", report.left_out},
                {"promised", ToJson(report.promised)},
                {"prior", ToJson(report.prior)},
                {"learned", ToJson(report.learned)},
                {"learned_by_class", ToJson(report.learned_by_class)},
                {"learned_by_hour", ToJson(report.learned_by_hour)},
                {"learned_by_class_and_hour", ToJson(report.learned_by_class_and_hour)}}),
          {}};
}

HttpResponse RoadApi::Close(const HttpRequest& request) {
  absl::StatusOr<proto::RoadClosureChange> change = ReadChange(request, ids_);
  if (!change.ok()) return ErrorResponse(change.status());
  if (conditions_->closures().size() + conditions_->speed_factors().size() >= kMaxClosures)
    return ErrorResponse(absl::ResourceExhaustedError("too many closures; lift some"));
  change->set_wall_time_us(ToMicros(clock_.Wall()));
  if (const absl::Status applied = Apply(*change); !applied.ok()) return ErrorResponse(applied);
  if (const absl::Status kept = dispatcher_.Write(
          [change = *change](EventStore& store) { return store.AddClosureChange(change); });
      !kept.ok()) {
    // Not recorded means not closed: what a restart would forget must not hold now.
    Lift(change->id()).IgnoreError();
    return ErrorResponse(kept);
  }
  PublishClosures();
  return {200, "application/json",
          Dump(change->speed_factor().empty() ? ToJson(ClosureOf(*change))
                                              : ToJson(SpeedOf(*change))),
          {}};
}

HttpResponse RoadApi::Reopen(const HttpRequest& request) {
  const std::string id = request.path.substr(sizeof(kClosures));
  if (const absl::Status opened = Lift(id); !opened.ok()) return ErrorResponse(opened);
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

absl::StatusOr<CordonWatch::Standing> RoadApi::SightingOfIncident(const std::string& id) const {
  auto incident = std::make_shared<proto::Incident>();
  RETURN_IF_ERROR(dispatcher_.Read([incident, id](EventStore& store) -> absl::Status {
    ASSIGN_OR_RETURN(*incident, store.FindIncident(id));
    return absl::OkStatus();
  }));
  if (!incident->has_place()) return absl::FailedPreconditionError("this incident has no place");
  return CordonWatch::Standing{.incident = id,
                               .place = {incident->place().lat(), incident->place().lon()},
                               .seen = WallFromMicros(incident->last_alert_us())};
}

absl::StatusOr<CordonWatch::Standing> RoadApi::SightingOfAlert(const std::string& id) const {
  AlertQuery query;
  query.alert_id = id;
  auto found = std::make_shared<std::vector<StoredAlert>>();
  RETURN_IF_ERROR(dispatcher_.Read([found, query](EventStore& store) -> absl::Status {
    ASSIGN_OR_RETURN(*found, store.Alerts(query));
    return absl::OkStatus();
  }));
  if (found->empty()) return absl::NotFoundError(fmt::format("no alert '{}'", id));
  const StoredAlert& stored = found->front();
  if (!stored.alert.event().has_place())
    return absl::FailedPreconditionError("this alert has no place");
  const proto::GeoPoint& place = stored.alert.event().place();
  return CordonWatch::Standing{.incident = stored.incident_id,
                               .place = {place.lat(), place.lon()},
                               .seen = WallFromMicros(stored.alert.wall_time_us())};
}

absl::StatusOr<CordonWatch::Standing> RoadApi::ReadSighting(const HttpRequest& request) const {
  ASSIGN_OR_RETURN(const Json body, ReadJsonBody(request));
  CordonWatch::Standing sighting;
  sighting.seen = clock_.Wall();
  if (const std::string incident = TextAt(body, "incident", kMaxIdLength); !incident.empty()) {
    ASSIGN_OR_RETURN(sighting, SightingOfIncident(incident));
  } else if (const std::string alert = TextAt(body, "alert", kMaxIdLength); !alert.empty()) {
    ASSIGN_OR_RETURN(sighting, SightingOfAlert(alert));
  } else {
    ASSIGN_OR_RETURN(sighting.place, PlaceAt(body));
  }
  if (const auto age_s = NumberAt(body, "age_s"))
    sighting.seen =
        clock_.Wall() - Microseconds(static_cast<int64_t>(std::clamp(*age_s, -1.0, 1e6) * 1e6));
  const auto age = clock_.Wall() - sighting.seen;
  if (age < Microseconds(0) || age > kOldestSighting)
    return absl::InvalidArgumentError(
        fmt::format("age_s: the sighting must be 0 to {} s old", kOldestSighting.count()));
  return sighting;
}

// Free ones, and those that already work on this incident.
std::vector<CordonUnit> RoadApi::UnitsFor(const std::string& incident) const {
  std::vector<CordonUnit> units;
  for (const UnitState& unit : units_.Snapshot()) {
    const bool placed = unit.freshness == Freshness::kFresh || unit.freshness == Freshness::kUsable;
    const bool free =
        unit.status == proto::UNIT_STATUS_AVAILABLE || unit.status == proto::UNIT_STATUS_RETURNING;
    const bool works_on_it = !incident.empty() && unit.incident_id == incident;
    if (!placed || !(free || works_on_it) || unit.kind == proto::UnitConfig::KIND_FOOT) continue;
    const auto kind = static_cast<TravelKind>(unit.kind);
    units.push_back({unit.id, kind,
                     tracks_.Place(unit, *model_->Graph({kind, TravelMode::kUrgent})).seeds,
                     std::nullopt});
  }
  return units;
}

absl::StatusOr<Json> RoadApi::Plan(const CordonWatch::Standing& standing) {
  const std::vector<CordonUnit> units = UnitsFor(standing.incident);
  const auto age = std::chrono::duration_cast<Milliseconds>(clock_.Wall() - standing.seen);
  const Sighting sighting{standing.place,
                          static_cast<uint32_t>(std::max<int64_t>(0, age.count()))};
  CordonPlan plan;
  {
    const StageTimer timer(clock_, plan_seconds_);
    absl::MutexLock lock(&mutex_);
    ASSIGN_OR_RETURN(plan, planner_.Plan(*model_, sighting, units, options_));
  }
  Json json = Describe(plan, standing, units);
  feed_.PublishLatest("contain", json);
  return json;
}

HttpResponse RoadApi::Contain(const HttpRequest& request) {
  const absl::StatusOr<CordonWatch::Standing> standing = ReadSighting(request);
  if (!standing.ok()) return ErrorResponse(standing.status());
  const absl::StatusOr<Json> json = Plan(*standing);
  if (!json.ok()) return ErrorResponse(json.status());
  watch_->Hold(*standing);
  return {200, "application/json", Dump(*json), {}};
}

HttpResponse RoadApi::EndContain() {
  watch_->Lift();
  feed_.PublishLatest("contain", nullptr);
  return {200, "application/json", Dump({{"ok", true}}), {}};
}

Json RoadApi::Describe(const CordonPlan& plan, const CordonWatch::Standing& standing,
                       const std::vector<CordonUnit>& units) const {
  const int64_t now_ms = ToMicros(clock_.Wall()) / 1000;
  Json json = {{"advisory", true},
               {"outcome", CordonOutcomeName(plan.outcome)},
               {"proven", plan.proven},
               {"computed_ms", now_ms},
               {"expires_ms", now_ms + plan.expires_ms},
               {"incident", standing.incident},
               {"sighting",
                {{"lat", standing.place.lat},
                 {"lon", standing.place.lon},
                 {"number", standing.sightings},
                 {"age_s", (ToMicros(clock_.Wall()) - ToMicros(standing.seen)) / 1'000'000}}},
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
