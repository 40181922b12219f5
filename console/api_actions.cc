// SPDX-License-Identifier: Apache-2.0
// What changes something: people's decisions, positions; and what is fetched from a node.
#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>

#include "absl/strings/numbers.h"
#include "console/api.h"
#include "dispatch/position_parser.h"

namespace cordon {
namespace {

constexpr size_t kMaxNameLength = 64;
constexpr size_t kMaxNoteLength = 2000;
// A part of a clip in one answer; players ask for the next.
constexpr size_t kClipPart = 128 * 1024;

HttpResponse Done(const Json& json) { return {200, "application/json", Dump(json), {}}; }

absl::StatusOr<std::string> TextAt(const Json& json, const char* key, size_t most) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return std::string();
  if (!found->is_string())
    return absl::InvalidArgumentError(fmt::format("{}: must be a string", key));
  std::string text = found->get<std::string>();
  if (text.size() > most)
    return absl::InvalidArgumentError(fmt::format("{}: longer than {} bytes", key, most));
  return text;
}

// Without accounts the name is what the person says it is; the record marks it so.
absl::StatusOr<Deed> ReadDeed(const Json& json, std::string_view role) {
  ASSIGN_OR_RETURN(std::string actor, TextAt(json, "actor", kMaxNameLength));
  ASSIGN_OR_RETURN(std::string cause, TextAt(json, "reason", kMaxNoteLength));
  return Deed{fmt::format("{}:{}", role, actor.empty() ? "unnamed" : actor), std::move(cause)};
}

// "bytes=FIRST-[LAST]" of a clip; anything else counts as from the start.
uint64_t FirstByte(std::string_view range) {
  constexpr std::string_view kUnit = "bytes=";
  if (!range.starts_with(kUnit)) return 0;
  const std::string_view digits = range.substr(kUnit.size(), range.find('-') - kUnit.size());
  uint64_t first = 0;
  return absl::SimpleAtoi(absl::string_view(digits.data(), digits.size()), &first) ? first : 0;
}

}  // namespace

absl::StatusOr<Json> ReadJsonBody(const HttpRequest& request) {
  if (!request.Header("content-type").starts_with("application/json"))
    return absl::InvalidArgumentError("send the change as content type application/json");
  Json json = Json::parse(request.body.empty() ? "{}" : request.body, nullptr, false);
  if (json.is_discarded() || !json.is_object())
    return absl::InvalidArgumentError("the body is not a JSON object");
  return json;
}

HttpResponse Api::Judge(const HttpRequest& request, const Segments& stars) const {
  const absl::StatusOr<Json> body = ReadJsonBody(request);
  if (!body.ok()) return ErrorResponse(body.status());
  const auto verdict = body->find("verdict");
  if (verdict == body->end() || !verdict->is_boolean())
    return ErrorResponse(
        absl::InvalidArgumentError("verdict: true (a real event) or false (a false alarm)"));
  const absl::StatusOr<Deed> deed = ReadDeed(*body, "operator");
  if (!deed.ok()) return ErrorResponse(deed.status());
  const absl::Status status =
      options_.dispatcher->JudgeAlert(stars[0], verdict->get<bool>(), *deed);
  return status.ok() ? Done({{"ok", true}}) : ErrorResponse(status);
}

// The clip first, at its node: a hold that is on record and not in force would be a promise broken.
HttpResponse Api::Hold(const HttpRequest& request, const Segments& stars) const {
  const absl::StatusOr<Json> body = ReadJsonBody(request);
  if (!body.ok()) return ErrorResponse(body.status());
  const auto held = body->find("held");
  if (held == body->end() || !held->is_boolean())
    return ErrorResponse(absl::InvalidArgumentError("held: true (keep it) or false (release it)"));
  const absl::StatusOr<Deed> deed = ReadDeed(*body, "operator");
  if (!deed.ok()) return ErrorResponse(deed.status());
  if (deed->cause.empty())
    return ErrorResponse(absl::InvalidArgumentError("reason: name the case"));
  const absl::StatusOr<StoredAlert> alert = FindAlert(stars[0]);
  if (!alert.ok()) return ErrorResponse(alert.status());
  const bool clip = alert->evidence && alert->evidence->failure().empty();
  if (!clip && !alert->evidence && !alert->alert.clip_id().empty())
    return ErrorResponse(absl::FailedPreconditionError(
        "the clip of this alert is still being written; try again in a few seconds"));
  if (clip) {
    if (!options_.hold_evidence)
      return ErrorResponse(
          absl::UnimplementedError("this dispatcher has no command path to its nodes"));
    const absl::Status status =
        options_.hold_evidence(alert->alert.producer(), alert->evidence->clip_id(),
                               held->get<bool>(), deed->cause);
    if (!status.ok()) return ErrorResponse(status);
  }
  proto::HoldChange change;
  change.set_alert_id(stars[0]);
  change.set_held(held->get<bool>());
  change.set_reason(deed->cause);
  change.set_actor(deed->actor);
  change.set_wall_time_us(ToMicros(clock_.Wall()));
  const absl::Status done = options_.dispatcher->Write(
      [change](EventStore& store) { return store.AddHold(change); });
  return done.ok() ? Done({{"ok", true}, {"held", change.held()}, {"clip", clip}})
                   : ErrorResponse(done);
}

HttpResponse Api::ActOnIncident(const HttpRequest& request, const Segments& stars) const {
  const std::string& id = stars[0];
  const std::string& verb = stars[1];
  const absl::StatusOr<Json> body = ReadJsonBody(request);
  if (!body.ok()) return ErrorResponse(body.status());
  const absl::StatusOr<Deed> deed = ReadDeed(*body, "operator");
  if (!deed.ok()) return ErrorResponse(deed.status());
  const absl::StatusOr<std::string> unit = TextAt(*body, "unit", kMaxNameLength);
  if (!unit.ok()) return ErrorResponse(unit.status());
  const absl::StatusOr<std::string> note = TextAt(*body, "note", kMaxNoteLength);
  if (!note.ok()) return ErrorResponse(note.status());
  Dispatcher& dispatcher = *options_.dispatcher;
  absl::StatusOr<proto::Incident> after = absl::NotFoundError(
      "an incident can be: acknowledge, assign, release, note, close, false-alarm");
  if (verb == "acknowledge") after = dispatcher.Acknowledge(id, *deed);
  if (verb == "assign" || verb == "release") {
    if (unit->empty()) return ErrorResponse(absl::InvalidArgumentError("unit: name the unit"));
    after = verb == "assign" ? dispatcher.Assign(id, UnitId(*unit), *deed)
                             : dispatcher.Release(id, UnitId(*unit), *deed);
  }
  if (verb == "note") {
    if (note->empty()) return ErrorResponse(absl::InvalidArgumentError("note: must not be empty"));
    after = dispatcher.Note(id, *note, *deed);
  }
  if (verb == "close" || verb == "false-alarm")
    after = dispatcher.Close(id, verb == "false-alarm", *deed);
  return after.ok() ? Done(ToJson(*after)) : ErrorResponse(after.status());
}

HttpResponse Api::UnitStatus(const HttpRequest& request, const Segments& stars) const {
  const absl::StatusOr<Json> body = ReadJsonBody(request);
  if (!body.ok()) return ErrorResponse(body.status());
  const absl::StatusOr<std::string> name = TextAt(*body, "status", kMaxNameLength);
  if (!name.ok()) return ErrorResponse(name.status());
  const std::optional<proto::UnitStatus> status = UnitStatusFromName(*name);
  if (!status)
    return ErrorResponse(
        absl::InvalidArgumentError("status: one of available, acknowledged, en_route, on_scene, "
                                   "busy, returning, out_of_service"));
  // A crew's own device says "crew": true; otherwise an operator did it for them.
  const auto crew = body->find("crew");
  const bool by_crew = crew != body->end() && crew->is_boolean() && crew->get<bool>();
  const absl::StatusOr<Deed> deed = ReadDeed(*body, by_crew ? "unit" : "operator");
  if (!deed.ok()) return ErrorResponse(deed.status());
  const absl::Status done = options_.dispatcher->SetUnitStatus(UnitId(stars[0]), *status, *deed);
  return done.ok() ? Done({{"ok", true}}) : ErrorResponse(done);
}

absl::Status Api::MayReport(const HttpRequest& request) const {
  if (!options_.position_token) {
    if (request.from_loopback) return absl::OkStatus();
    return absl::PermissionDeniedError(
        "positions are taken from this host only; set console.position_token_file for devices "
        "elsewhere");
  }
  constexpr std::string_view kBearer = "Bearer ";
  std::string_view given = request.Header("authorization");
  given = given.starts_with(kBearer) ? given.substr(kBearer.size()) : std::string_view{};
  if (const auto token = request.query.find("token"); given.empty() && token != request.query.end())
    given = token->second;
  const std::string_view wanted = options_.position_token->Reveal();
  // Equal time whatever differs.
  if (given.size() != wanted.size() ||
      sodium_memcmp(given.data(), wanted.data(), wanted.size()) != 0)
    return absl::UnauthenticatedError(
        "the position token is missing or wrong (Authorization: Bearer ..., or token=...)");
  return absl::OkStatus();
}

HttpResponse Api::OsmAnd(const HttpRequest& request, const Segments&) const {
  if (const absl::Status may = MayReport(request); !may.ok()) return ErrorResponse(may);
  absl::StatusOr<proto::UnitPosition> position = absl::InvalidArgumentError("");
  if (request.Header("content-type").starts_with("application/json")) {
    position = ParseOsmAndJson(request.body);
  } else {
    auto parameters = request.query;
    if (request.Header("content-type").starts_with("application/x-www-form-urlencoded")) {
      auto form = ParseQuery(request.body);
      if (!form.ok()) return ErrorResponse(form.status());
      parameters.merge(*form);
    }
    position = ParseOsmAndQuery(parameters);
  }
  // A fix that the device itself calls invalid is received and changes nothing.
  if (position.status().code() == absl::StatusCode::kFailedPrecondition)
    return Done({{"ok", true}, {"taken", false}});
  if (!position.ok()) return ErrorResponse(position.status());
  const absl::StatusOr<FixOutcome> outcome = options_.units->Report(*position);
  if (!outcome.ok()) return ErrorResponse(outcome.status());
  return Done({{"ok", true}, {"taken", *outcome == FixOutcome::kTaken}});
}

HttpResponse Api::OwnTracks(const HttpRequest& request, const Segments&) const {
  if (const absl::Status may = MayReport(request); !may.ok()) return ErrorResponse(may);
  const std::string_view device = !request.Header("x-limit-d").empty()
                                      ? request.Header("x-limit-d")
                                      : request.Header("x-limit-u");
  const absl::StatusOr<proto::UnitPosition> position =
      ParseOwnTracks(request.body, std::string(device));
  // The app keeps sending what is not answered with 200 and a list: also what moves nothing is
  // answered so.
  const bool harmless = position.status().code() == absl::StatusCode::kUnavailable ||
                        position.status().code() == absl::StatusCode::kUnimplemented;
  if (!position.ok() && !harmless) return ErrorResponse(position.status());
  if (position.ok()) {
    const absl::StatusOr<FixOutcome> outcome = options_.units->Report(*position);
    if (!outcome.ok()) return ErrorResponse(outcome.status());
  }
  return {200, "application/json", "[]", {}};
}

std::string Api::NodeOf(const std::string& camera) const {
  for (const proto::CameraConfig& known : options_.site.cameras()) {
    if (known.id() != camera) continue;
    if (!known.node().empty()) return known.node();
    return options_.site.nodes().empty() ? "node-1" : options_.site.nodes(0).id();
  }
  return {};
}

absl::Status Api::RecordView(const HttpRequest& request, proto::ViewRecord record) const {
  if (options_.views == nullptr)
    return absl::FailedPreconditionError("views cannot be recorded here, so nothing is shown");
  const auto actor = request.query.find("actor");
  const bool named = actor != request.query.end() && !actor->second.empty();
  record.set_actor("operator:" + (named ? actor->second.substr(0, kMaxNameLength) : "unnamed"));
  record.set_address(request.address);
  return options_.views->WriteOnce(std::move(record));
}

// GET /api/clips/ALERT.mp4: the clip of an alert, by the alert's id.
HttpResponse Api::Clip(const HttpRequest& request, const Segments& stars) const {
  constexpr std::string_view kSuffix = ".mp4";
  if (!options_.fetch_evidence)
    return ErrorResponse(
        absl::UnimplementedError("this dispatcher has no command path to its nodes"));
  std::string id = stars[0];
  if (id.ends_with(kSuffix)) id.resize(id.size() - kSuffix.size());
  const absl::StatusOr<StoredAlert> found = FindAlert(id);
  if (!found.ok()) return ErrorResponse(found.status());
  const StoredAlert& alert = *found;
  if (!alert.evidence)
    return ErrorResponse(absl::NotFoundError("the clip of this alert is not complete yet"));
  if (!alert.evidence->failure().empty())
    return ErrorResponse(
        absl::NotFoundError(fmt::format("there is no clip: {}", alert.evidence->failure())));
  proto::ViewRecord view;
  view.set_kind(proto::ViewRecord::KIND_CLIP);
  view.set_camera_id(alert.alert.event().camera_id());
  view.set_alert_id(id);
  if (const absl::Status status = RecordView(request, std::move(view)); !status.ok())
    return ErrorResponse(status);
  const uint64_t first = FirstByte(request.Header("range"));
  std::string bytes;
  uint64_t total = alert.evidence->size_bytes();
  if (first >= total)
    return {416, "text/plain", "", {{"Content-Range", fmt::format("bytes */{}", total)}}};
  while (bytes.size() < kClipPart && first + bytes.size() < total) {
    const absl::StatusOr<proto::Reply> part = options_.fetch_evidence(
        alert.alert.producer(), alert.evidence->clip_id(), first + bytes.size());
    if (!part.ok()) return ErrorResponse(part.status());
    if (!part->error().empty()) return ErrorResponse(absl::NotFoundError(part->error()));
    if (part->data().empty()) break;
    bytes += part->data();
    total = part->total_bytes();
  }
  HttpResponse response{206, "video/mp4", std::move(bytes), {{"Accept-Ranges", "bytes"}}};
  response.headers.emplace_back(
      "Content-Range",
      fmt::format("bytes {}-{}/{}", first, first + response.body.size() - 1, total));
  response.headers.emplace_back("Cache-Control", "private, max-age=3600");
  return response;
}

HttpResponse Api::Preview(const HttpRequest& request, const Segments& stars) const {
  if (!options_.live_preview)
    return ErrorResponse(
        absl::UnimplementedError("this dispatcher has no command path to its nodes"));
  const std::string node = NodeOf(stars[0]);
  if (node.empty()) return ErrorResponse(absl::NotFoundError("no such camera"));
  proto::ViewRecord view;
  view.set_kind(proto::ViewRecord::KIND_PICTURE);
  view.set_camera_id(stars[0]);
  if (const absl::Status status = RecordView(request, std::move(view)); !status.ok())
    return ErrorResponse(status);
  const absl::StatusOr<proto::Reply> reply = options_.live_preview(node, stars[0]);
  if (!reply.ok()) return ErrorResponse(reply.status());
  if (!reply->error().empty()) return ErrorResponse(absl::NotFoundError(reply->error()));
  // The age travels with the picture: a stale one is never shown as live.
  return {
      200, "image/jpeg", reply->data(), {{"X-Picture-Age-Ms", fmt::format("{}", reply->age_ms())}}};
}

}  // namespace cordon
