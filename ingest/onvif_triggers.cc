// SPDX-License-Identifier: Apache-2.0
#include "ingest/onvif_triggers.h"

#include <array>

#include "ingest/rtsp_connection.h"
#include "ingest/rtsp_text.h"

namespace cordon {
namespace {

constexpr size_t kMaxStates = 256;

// Ending of a topic -> what it is and which data item holds its state ("" when an occurrence has
// none).
struct Known {
  std::string_view ending;
  OnvifTrigger::Kind kind;
  std::array<std::string_view, 3> items;
};
constexpr std::array<Known, 14> kKnown = {{
    {"CellMotionDetector/Motion", OnvifTrigger::Kind::kMotion, {"IsMotion", "State", ""}},
    {"VideoSource/MotionAlarm", OnvifTrigger::Kind::kMotion, {"State", "IsMotion", ""}},
    {"MotionRegionDetector/Motion", OnvifTrigger::Kind::kMotion, {"State", "IsMotion", ""}},
    {"MyRuleDetector/PeopleDetect", OnvifTrigger::Kind::kMotion, {"State", "", ""}},
    {"MyRuleDetector/VehicleDetect", OnvifTrigger::Kind::kMotion, {"State", "", ""}},
    {"MyRuleDetector/DogCatDetect", OnvifTrigger::Kind::kMotion, {"State", "", ""}},
    {"MyRuleDetector/Visitor", OnvifTrigger::Kind::kMotion, {"State", "", ""}},
    {"FieldDetector/ObjectsInside", OnvifTrigger::Kind::kObjectsInside, {"IsInside", "State", ""}},
    {"LineDetector/Crossed", OnvifTrigger::Kind::kLineCrossed, {"", "", ""}},
    {"GlobalSceneChange", OnvifTrigger::Kind::kSceneChanged, {"State", "", ""}},
    {"ImageTooDark", OnvifTrigger::Kind::kPictureBad, {"State", "", ""}},
    {"ImageTooBright", OnvifTrigger::Kind::kPictureBad, {"State", "", ""}},
    {"ImageTooBlurry", OnvifTrigger::Kind::kPictureBad, {"State", "", ""}},
    {"Trigger/DigitalInput", OnvifTrigger::Kind::kDigitalInput, {"LogicalState", "State", ""}},
}};

const Known* Classify(std::string_view topic) {
  for (const Known& known : kKnown) {
    if (text::EndsWithNoCase(topic, known.ending)) return &known;
  }
  // GlobalSceneChange/AnalyticsService and the like name their service behind.
  for (const Known& known : kKnown) {
    const size_t at = topic.find(known.ending);
    if (at != std::string_view::npos &&
        topic[std::min(at + known.ending.size(), topic.size() - 1)] == '/') {
      return &known;
    }
  }
  return nullptr;
}

bool IsTrue(std::string_view value) {
  return text::EqualsNoCase(value, "true") || value == "1" || text::EqualsNoCase(value, "active");
}

// nullopt: no such item.
std::optional<bool> StateOf(const Known& known, const OnvifNotification& notification) {
  for (std::string_view wanted : known.items) {
    for (const auto& [name, value] : notification.data) {
      if (!wanted.empty() && text::EqualsNoCase(name, wanted)) return IsTrue(value);
    }
  }
  return std::nullopt;
}

std::string SourceOf(const OnvifNotification& notification) {
  // The rule's name says most to people; else whatever there is.
  for (const auto& [name, value] : notification.source) {
    if (name == "Rule") return Printable(value);
  }
  return notification.source.empty() ? "" : Printable(notification.source.front().second);
}

}  // namespace

std::string_view NameOf(OnvifTrigger::Kind kind) {
  switch (kind) {
    case OnvifTrigger::Kind::kMotion:
      return "motion";
    case OnvifTrigger::Kind::kObjectsInside:
      return "objects in a zone";
    case OnvifTrigger::Kind::kLineCrossed:
      return "a line crossed";
    case OnvifTrigger::Kind::kSceneChanged:
      return "a changed scene";
    case OnvifTrigger::Kind::kPictureBad:
      return "a bad picture";
    case OnvifTrigger::Kind::kDigitalInput:
      return "a digital input";
  }
  return "";
}

bool RaisesAlert(OnvifTrigger::Kind kind) {
  return kind != OnvifTrigger::Kind::kMotion && kind != OnvifTrigger::Kind::kPictureBad;
}

proto::Event ToEvent(const OnvifTrigger& trigger, const proto::CameraConfig& camera,
                     MediaTime media) {
  proto::Event event;
  event.set_camera_id(camera.id());
  event.mutable_place()->set_lat(camera.lat());
  event.mutable_place()->set_lon(camera.lon());
  event.set_rule_id("onvif");
  event.set_kind(proto::EVENT_KIND_EXTERNAL);
  event.set_severity(proto::RuleConfig::SEVERITY_MEDIUM);
  event.set_media_time_us(ToMicros(media));
  event.set_began_media_time_us(ToMicros(media));
  event.set_detail(fmt::format("the camera reports {}{}{}", NameOf(trigger.kind),
                               trigger.source.empty() ? "" : ": ", trigger.source));
  return event;
}

std::optional<OnvifTrigger> OnvifStates::Apply(const OnvifNotification& notification,
                                               BootTime now) {
  const Known* known = Classify(notification.topic);
  if (known == nullptr) {
    ++ignored_;
    return std::nullopt;
  }
  OnvifTrigger trigger{.kind = known->kind,
                       .source = SourceOf(notification),
                       .camera_time = notification.time,
                       .topic = notification.topic};
  const std::optional<bool> active = StateOf(*known, notification);
  const bool initialized = notification.operation == "Initialized";
  if (!active) {
    trigger.stateless = true;
    if (initialized || notification.operation == "Deleted") return std::nullopt;
    return trigger;
  }
  const std::string key = notification.topic + "\n" + trigger.source;
  const auto found = states_.find(key);
  if (found == states_.end() && states_.size() >= kMaxStates) {
    ++ignored_;
    return std::nullopt;
  }
  State& state = states_[key];
  const bool before = state.active;
  trigger.active = *active && notification.operation != "Deleted";
  state = {.last = trigger, .active = trigger.active, .heard = now};
  if (before == trigger.active) return std::nullopt;  // said again
  if (initialized && trigger.active) return std::nullopt;
  return trigger;
}

std::vector<OnvifTrigger> OnvifStates::Expire(BootTime now) {
  std::vector<OnvifTrigger> ended;
  for (auto& [key, state] : states_) {
    if (!state.active || now - state.heard < stuck_after_) continue;
    state.active = false;
    ++stuck_;
    ended.push_back(state.last);
    ended.back().active = false;
    ended.back().camera_time.reset();
  }
  return ended;
}

bool OnvifStates::AnyActive() const {
  for (const auto& [key, state] : states_) {
    if (state.active) return true;
  }
  return false;
}

}  // namespace cordon
