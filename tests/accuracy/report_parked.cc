// SPDX-License-Identifier: Apache-2.0
// What came to rest: known for as long as it is there, no alarm when it leaves.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <set>

#include "tests/accuracy/report.h"
#include "tests/accuracy/staged_camera.h"

namespace cordon::accuracy {
namespace {

constexpr double kFps = 10;
// The scene is empty until it comes; it rests, goes, and the scene is empty again.
constexpr double kComes = 30;
constexpr double kRestsFrom = 34;
constexpr double kRestsTo = 214;
constexpr double kEnds = 280;
constexpr double kSettled = 5;  // seconds that it may take to be known
constexpr double kSameBox = 0.3;

// Relative to the picture.
constexpr double kWidth = 0.16;
constexpr double kHeight = 0.14;
constexpr double kTop = 0.62;
constexpr double kRestLeft = 0.42;

struct Case {
  const char* name;
  bool drives;  // in and out; else it is there, and gone, from one picture to the next
};
constexpr Case kCases[] = {{"a vehicle drives in, rests for 3 min, drives off", true},
                           {"a thing is put down for 3 min and taken away", false}};

// Left edge; empty: it is not there.
std::optional<double> LeftAt(const Case& what, double t) {
  if (!what.drives) return t >= kRestsFrom && t < kRestsTo ? std::optional(kRestLeft) : std::nullopt;
  const double speed = (kRestLeft + kWidth) / (kRestsFrom - kComes);
  if (t < kComes) return std::nullopt;
  if (t < kRestsFrom) return kRestLeft - speed * (kRestsFrom - t);
  if (t < kRestsTo) return kRestLeft;
  const double left = kRestLeft + speed * (t - kRestsTo);
  return left < 1 ? std::optional(left) : std::nullopt;
}

// A body with windows, darker and brighter than most grounds.
void Draw(LumaPicture& picture, double left) {
  const int width = static_cast<int>(kWidth * picture.width);
  const int height = static_cast<int>(kHeight * picture.height);
  const int x0 = static_cast<int>(left * picture.width);
  const int y0 = static_cast<int>(kTop * picture.height);
  for (int y = 0; y < height; ++y) {
    for (int x = std::max(0, -x0); x < width && x0 + x < picture.width; ++x) {
      const bool window = y < height / 2 && (x / std::max(1, width / 5)) % 2 == 1;
      picture.pixels[static_cast<size_t>((y0 + y) * picture.width + x0 + x)] =
          static_cast<uint8_t>(window ? 30 : 205 - 2 * (y % 8));
    }
  }
}

proto::CameraConfig Rules() {
  proto::CameraConfig camera = StagedRule(proto::RuleConfig::KIND_INTRUSION);
  const auto add = [&](const char* id, proto::RuleConfig::Kind kind) {
    proto::RuleConfig rule = StagedRule(kind).rules(0);
    rule.set_id(id);
    rule.set_dwell_s(10);
    *camera.add_rules() = rule;
  };
  add("stopped", proto::RuleConfig::KIND_STOPPED_VEHICLE);
  add("left", proto::RuleConfig::KIND_ABANDONED_OBJECT);
  add("gone", proto::RuleConfig::KIND_REMOVED_OBJECT);
  return camera;
}

struct Outcome {
  int rests = 0;   // events that say that it rests
  int alarms = 0;  // intrusions after it had come to rest, and things gone
  double known = 0;  // share of its rest in which a track is on it
  size_t ids = 0;
};

Outcome Judge(const StagedRun& run) {
  Outcome outcome;
  for (const proto::Event& event : run.events) {
    const double began = static_cast<double>(event.began_media_time_us()) * 1e-6;
    outcome.rests += event.rule_id() == "stopped" || event.rule_id() == "left";
    outcome.alarms += event.rule_id() == "gone" || (event.rule_id() == "rule" && began > kRestsFrom + kSettled);
  }
  std::set<double> known;
  std::set<uint64_t> ids;
  for (const Shown& shown : run.shown) {
    if (shown.seconds < kRestsFrom + kSettled || shown.seconds >= kRestsTo) continue;
    const auto& b = shown.box.box();
    const PictureBox truth{static_cast<float>(kRestLeft), static_cast<float>(kTop), static_cast<float>(kWidth), static_cast<float>(kHeight)};
    if (Iou({b.x(), b.y(), b.width(), b.height()}, truth) < kSameBox) continue;
    known.insert(shown.seconds);
    ids.insert(shown.box.track_id());
  }
  outcome.known = static_cast<double>(known.size()) / ((kRestsTo - kRestsFrom - kSettled) * kFps);
  outcome.ids = ids.size();
  return outcome;
}

}  // namespace

Section ParkedSection(const Data& data) {
  Section section;
  section.title = "What comes to rest";
  section.text = fmt::format(
      "A painted vehicle on empty pictures of real clips, with noise of deviation 2 and brightness "
      "that swings by 10 % in 30 s; built-in detector. \"known\" is the share of its rest (from {:.0f} s "
      "on) in which a track is on it; what is put down has no track and is known as a still object. "
      "It must be reported once as stopped or left. Alarms are intrusions that began after it had "
      "come to rest, or something reported as gone.",
      kSettled);
  section.columns = {"scene", "what happens", "reported at rest", "known %", "ids", "alarms"};
  int wrong = 0, missed = 0, driven = 0;
  double known = 0;
  for (const EmptyScene& scene : EmptyScenes()) {
    if (scene.held_out_of_alarms) continue;
    const auto empty = PictureOf(scene, data.Clip(scene.clip));
    if (!empty.ok()) continue;
    for (const Case& what : kCases) {
      StagedCamera camera(Rules());
      const Condition condition = [&](LumaPicture& picture, double t, int frame) {
        if (const auto left = LeftAt(what, t)) Draw(picture, *left);
        Brighten(picture, 1 + 0.1 * std::sin(t * 2 * std::numbers::pi / 30));
        AddNoise(picture, 2, frame, 7);
      };
      const Outcome outcome = Judge(camera.Play(*empty, condition, kEnds, kFps));
      wrong += outcome.alarms;
      missed += outcome.rests != 1;
      driven += what.drives;
      if (what.drives) known += outcome.known;
      section.rows.push_back({scene.name, what.name, std::to_string(outcome.rests),
                              what.drives ? Percent(outcome.known) : "-",
                              what.drives ? std::to_string(outcome.ids) : "-",
                              std::to_string(outcome.alarms)});
    }
  }
  if (section.rows.empty()) {
    section.missing = "video/*";
    return section;
  }
  section.checks.push_back({"share of its rest that a vehicle is known", known / std::max(1, driven), 0.95});
  section.checks.push_back({"rests not reported once", static_cast<double>(missed), 0, false});
  section.checks.push_back({"alarms by what rests or leaves", static_cast<double>(wrong), 0, false});
  return section;
}

}  // namespace cordon::accuracy
