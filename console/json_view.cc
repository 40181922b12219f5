// SPDX-License-Identifier: Apache-2.0
#include "console/json_view.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "absl/strings/ascii.h"
#include "base/check.h"

namespace cordon {
namespace {

Json PlaceJson(const proto::GeoPoint& point) {
  return {{"lat", point.lat()}, {"lon", point.lon()}};
}

double Rounded(double value, double step) { return std::round(value / step) * step; }

// Latency by stage in ms, from the last packet of the deciding frame; only what is known and was
// measured on this host.
Json StagesJson(const proto::StageTimes& stages) {
  Json json = Json::object();
  const auto add = [&](const char* name, int64_t at_ns) {
    if (at_ns > 0 && stages.received_ns() > 0)
      json[name] = Rounded(static_cast<double>(at_ns - stages.received_ns()) / 1e6, 0.01);
  };
  add("decoded", stages.decoded_ns());
  add("analysed", stages.analysed_ns());
  add("committed", stages.committed_ns());
  add("delivered", stages.delivered_ns());
  add("circles", stages.circles_ns());
  add("published", stages.published_ns());
  return json;
}

Json ExplanationJson(const proto::Explanation& explanation) {
  Json json = {{"rule", explanation.rule_text()},
               {"detector", explanation.detector()},
               {"detector_sha256", explanation.detector_sha256()},
               {"score", explanation.score()},
               {"thresholds", Json::object()},
               {"measured", Json::object()},
               {"path", Json::array()}};
  for (const auto& [name, value] : explanation.thresholds()) json["thresholds"][name] = value;
  for (const auto& [name, value] : explanation.measured()) json["measured"][name] = value;
  for (const proto::PathPoint& point : explanation.path())
    json["path"].push_back({point.foot().x(), point.foot().y()});
  return json;
}

std::string Hex(const std::string& bytes) {
  std::string text;
  for (const unsigned char byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

const char* StreamStateName(proto::StreamState state) {
  switch (state) {
    case proto::STREAM_STATE_CONNECTING:
      return "connecting";
    case proto::STREAM_STATE_LIVE:
      return "live";
    case proto::STREAM_STATE_STALLED:
      return "stalled";
    case proto::STREAM_STATE_LOST:
      return "lost";
    case proto::STREAM_STATE_AUTHENTICATION_FAILED:
      return "authentication_failed";
    case proto::STREAM_STATE_ENDED:
      return "ended";
    default:
      return "unknown";
  }
}

}  // namespace

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string WithMember(std::string object, const char* name, std::string_view value) {
  CORDON_CHECK(object.ends_with('}'), "not an object");
  object.pop_back();
  if (object.size() > 1) object += ',';
  object.reserve(object.size() + value.size() + 64);
  fmt::format_to(std::back_inserter(object), "\"{}\":{}}}", name, value);
  return object;
}

Json ToJson(const StoredAlert& stored) {
  const proto::Alert& alert = stored.alert;
  const proto::Event& event = alert.event();
  Json json = {{"number", stored.number},
               {"id", alert.id()},
               {"incident", stored.incident_id},
               {"site", alert.site_id()},
               {"producer", alert.producer()},
               {"camera", event.camera_id()},
               {"rule", event.rule_id()},
               {"kind", EventKindName(event.kind())},
               {"severity", SeverityName(event.severity())},
               {"class", event.object_class()},
               {"detail", event.detail()},
               {"time_ms", alert.wall_time_us() / 1000},
               {"snapshot", stored.has_snapshot},
               {"clip", alert.clip_id()},
               {"explanation", ExplanationJson(event.explanation())},
               {"stages_ms", StagesJson(alert.stages())}};
  if (event.has_place()) {
    json["place"] = PlaceJson(event.place());
    json["place_error_m"] = event.place_error_m();
  }
  if (event.has_box())
    json["box"] = {event.box().x(), event.box().y(), event.box().width(), event.box().height()};
  if (event.count() > 0) json["count"] = event.count();
  if (event.has_speed_mps()) json["speed_mps"] = event.speed_mps();
  if (event.has_heading_deg()) json["heading_deg"] = event.heading_deg();
  if (stored.verdict) json["verdict"] = *stored.verdict;
  if (stored.evidence) json["evidence"] = ToJson(*stored.evidence);
  if (stored.held) json["held"] = true;
  return json;
}

Json ToJson(const proto::EvidenceReady& evidence) {
  return {{"alert", evidence.alert_id()},        {"clip", evidence.clip_id()},
          {"sha256", Hex(evidence.sha256())},    {"size_bytes", evidence.size_bytes()},
          {"duration_s", evidence.duration_s()}, {"first_ms", evidence.first_wall_time_us() / 1000},
          {"failure", evidence.failure()}};
}

Json ToJson(const proto::Incident& incident) {
  Json json = {{"id", incident.id()},
               {"state", IncidentStateName(incident.state())},
               {"open", IsOpen(incident.state())},
               {"severity", SeverityName(incident.severity())},
               {"kind", EventKindName(incident.kind())},
               {"camera", incident.camera_id()},
               {"title", incident.title()},
               {"opened_ms", incident.opened_us() / 1000},
               {"changed_ms", incident.changed_us() / 1000},
               {"alert_count", incident.alert_ids_size()},
               {"units", Json::array()}};
  for (const std::string& unit : incident.assigned_units()) json["units"].push_back(unit);
  if (incident.has_place()) json["place"] = PlaceJson(incident.place());
  return json;
}

Json ToJson(const proto::IncidentChange& change) {
  Json json = {{"incident", change.incident_id()},
               {"number", change.number()},
               {"time_ms", change.wall_time_us() / 1000},
               {"actor", change.actor()},
               {"cause", change.cause()}};
  switch (change.change_case()) {
    case proto::IncidentChange::kAlertId:
      json["alert"] = change.alert_id();
      break;
    case proto::IncidentChange::kState:
      json["state"] = IncidentStateName(change.state());
      break;
    case proto::IncidentChange::kAssignedUnit:
      json["assigned"] = change.assigned_unit();
      break;
    case proto::IncidentChange::kReleasedUnit:
      json["released"] = change.released_unit();
      break;
    case proto::IncidentChange::kNote:
      json["note"] = change.note();
      break;
    case proto::IncidentChange::CHANGE_NOT_SET:
      break;
  }
  return json;
}

Json ToJson(const proto::ResponseCircles& circles, bool routes) {
  Json json = {{"alert", circles.alert_id()},
               {"incident", circles.incident_id()},
               {"off_network", circles.off_network()},
               {"scene_snap_m", circles.scene_snap_m()},
               {"computed_ms", circles.computed_us() / 1000},
               {"units", Json::array()}};
  if (circles.has_scene()) json["scene"] = PlaceJson(circles.scene());
  for (const proto::UnitEta& eta : circles.units()) {
    Json unit = {{"unit", eta.unit_id()},
                 {"kind", UnitKindName(eta.kind())},
                 {"status", UnitStatusName(eta.status())},
                 {"eta_ms", eta.eta_ms()},
                 {"eta_low_ms", eta.eta_low_ms()},
                 {"eta_high_ms", eta.eta_high_ms()},
                 {"tier_s", eta.tier_s()},
                 {"distance_m", Rounded(eta.distance_m(), 0.1)},
                 {"fix_age_ms", eta.fix_age_ms()},
                 {"excluded", eta.excluded()}};
    if (routes) {
      unit["route"] = Json::array();
      for (const proto::GeoPoint& point : eta.route())
        unit["route"].push_back({Rounded(point.lon(), 1e-6), Rounded(point.lat(), 1e-6)});
    }
    json["units"].push_back(std::move(unit));
  }
  return json;
}

std::string AreasText(const proto::ResponseCircles& circles) {
  std::string text = "[";
  for (const proto::TierArea& tier : circles.tiers()) {
    if (text.size() > 1) text += ',';
    fmt::format_to(std::back_inserter(text),
                   R"({{"tier_s":{},"reached_road_m":{:.0f},"geometry":{}}})", tier.tier_s(),
                   tier.reached_road_m(), tier.geojson().empty() ? "null" : tier.geojson());
  }
  return text + ']';
}

std::string CirclesText(const proto::ResponseCircles& circles, bool routes) {
  return WithMember(Dump(ToJson(circles, routes)), "tiers", AreasText(circles));
}

Json ToJson(const UnitState& unit) {
  Json json = {{"id", unit.id.str()},
               {"name", unit.name},
               {"kind", UnitKindName(unit.kind)},
               {"status", UnitStatusName(unit.status)},
               {"incident", unit.incident_id},
               {"freshness", FreshnessName(unit.freshness)}};
  if (unit.freshness == Freshness::kNever) return json;
  json["lat"] = Rounded(unit.place.lat, 1e-6);
  json["lon"] = Rounded(unit.place.lon, 1e-6);
  json["age_ms"] = std::chrono::duration_cast<Milliseconds>(unit.age).count();
  json["source"] = unit.source;
  if (unit.accuracy) json["accuracy_m"] = unit.accuracy->value;
  if (unit.speed_mps) json["speed_mps"] = Rounded(*unit.speed_mps, 0.1);
  if (unit.course_deg) json["course_deg"] = Rounded(*unit.course_deg, 0.1);
  return json;
}

Json ToJson(const proto::UnitChange& change) {
  return {{"unit", change.unit_id()},         {"status", UnitStatusName(change.status())},
          {"incident", change.incident_id()}, {"actor", change.actor()},
          {"cause", change.cause()},          {"time_ms", change.wall_time_us() / 1000}};
}

Json ToJson(const proto::Notice& notice) {
  return {{"number", notice.number()},
          {"kind", notice.kind()},
          {"subject", notice.subject()},
          {"incident", notice.incident_id()},
          {"text", notice.text()},
          {"raised_ms", notice.raised_us() / 1000},
          {"cleared_ms", notice.cleared_us() / 1000}};
}

Json ToJson(const proto::ViewRecord& view) {
  static constexpr const char* kKinds[] = {"live", "picture", "clip"};
  const int kind = view.kind();
  Json json = {{"number", view.number()},
               {"kind", kind >= 0 && kind < 3 ? kKinds[kind] : "unknown"},
               {"camera", view.camera_id()},
               {"actor", view.actor()},
               {"address", view.address()},
               {"time_ms", view.wall_time_us() / 1000}};
  if (!view.alert_id().empty()) json["alert"] = view.alert_id();
  if (view.began_number() == 0) return json;
  json["ended"] = view.began_number();
  json["bytes"] = view.bytes();
  json["cause"] = view.cause();
  return json;
}

Json ToJson(const proto::CameraHealth& health) {
  Json json = {{"id", health.camera_id()},
               {"state", StreamStateName(health.state())},
               {"reason", health.reason()},
               {"last_packet_age_ms", health.last_packet_age_ms()},
               {"last_key_frame_age_ms", health.last_key_frame_age_ms()},
               {"received_fps", Rounded(health.received_fps(), 0.1)},
               {"analysed_fps", Rounded(health.analysed_fps(), 0.1)},
               {"bitrate_kbps", Rounded(health.bitrate_kbps(), 1)},
               {"decode_mode", health.decode_mode()},
               {"width", health.width()},
               {"height", health.height()},
               {"codec", health.codec()},
               {"frames_shed", health.frames_shed()},
               {"reconnects", health.reconnects()},
               {"weakened_rules", Json::array()}};
  for (const std::string& rule : health.weakened_rules()) json["weakened_rules"].push_back(rule);
  return json;
}

Json ToJson(const RuleScore& score) {
  return {{"camera", score.camera_id},
          {"rule", score.rule_id},
          {"alerts", score.alerts},
          {"judged_true", score.judged_true},
          {"judged_false", score.judged_false},
          {"days", Rounded(score.days, 0.001)},
          {"false_per_camera_day",
           score.false_per_day() ? Json(Rounded(*score.false_per_day(), 0.001)) : Json(nullptr)}};
}

}  // namespace cordon
