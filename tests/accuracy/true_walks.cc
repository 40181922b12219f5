// SPDX-License-Identifier: Apache-2.0
#include "tests/accuracy/true_walks.h"

#include <cmath>
#include <random>

#include "analytics/rule_engine.h"
#include "analytics/tracker.h"

namespace cordon::accuracy {
namespace {

constexpr double kWidth = 768;
constexpr double kHeight = 576;
constexpr double kTruthFps = 10;
constexpr double kNoise = 0.04;  // of the height, one sigma
constexpr unsigned kSeed = 11;

// Sums of uniform numbers: the library's normal distribution differs between machines.
class Noise {
 public:
  double operator()() {
    double sum = 0;
    for (int i = 0; i < 12; ++i) sum += static_cast<double>(bits_()) / 4294967296.0;
    return sum - 6;
  }

 private:
  std::mt19937 bits_{kSeed};
};

const MotRow* Find(const MotFrames& truth, int frame, int64_t id) {
  const auto rows = truth.find(frame);
  if (rows == truth.end()) return nullptr;
  for (const MotRow& row : rows->second) {
    if (row.id == id) return &row;
  }
  return nullptr;
}

std::vector<Detection> BoxesAt(const MotFrames& truth, double frame, Noise& noise) {
  std::vector<Detection> boxes;
  const int before = static_cast<int>(std::floor(frame + 1e-9));
  const double share = std::max(0.0, frame - before);
  const auto rows = truth.find(before);
  if (rows == truth.end()) return boxes;
  for (const MotRow& row : rows->second) {
    const MotRow* next = Find(truth, before + 1, row.id);
    if (next == nullptr && share > 1e-6) continue;
    const auto mix = [&](double a, double b) { return a + share * (b - a); };
    const MotBox& to = next != nullptr ? next->box : row.box;
    const double height = mix(row.box.height, to.height) * (1 + kNoise * noise());
    const double width = mix(row.box.width, to.width) * (1 + kNoise * noise());
    const double left = mix(row.box.left, to.left) + kNoise * height * noise();
    const double top = mix(row.box.top, to.top) + kNoise * height * noise();
    const PictureBox box{static_cast<float>(left / kWidth), static_cast<float>(top / kHeight),
                         static_cast<float>(width / kWidth), static_cast<float>(height / kHeight)};
    boxes.push_back({ClampToPicture(box), kPerson, 0.9F});
  }
  return boxes;
}

}  // namespace

absl::StatusOr<std::vector<proto::Event>> EventsOfTrueWalks(
    const MotFrames& truth, const std::vector<proto::RuleConfig>& rules, double fps) {
  proto::CameraConfig camera;
  camera.set_id("truth");
  for (const proto::RuleConfig& rule : rules) *camera.add_rules() = rule;
  ASSIGN_OR_RETURN(const auto engine, RuleEngine::Create(camera, "UTC", {}, "truth", ""));
  TrackerOptions options;
  options.motion = {0.06F, 1.3F, 1.8F, 0.4F, 1.5F, 0.5F};  // as the analyzer sets them for a network
  options.confirm_after = Milliseconds(200);
  options.confirm_hits = 3;
  options.keep_lost = Milliseconds(2000);
  Tracker tracker(options);
  Noise noise;
  std::vector<proto::Event> events;
  const int last = truth.empty() ? 0 : truth.rbegin()->first;
  for (int i = 0;; ++i) {
    const double seconds = i / fps;
    const double frame = 1 + seconds * kTruthFps;
    if (frame > last) break;
    RuleInput input;
    input.now = MediaFromMicros(std::llround((0.1 + seconds) * 1e6));
    input.aspect = static_cast<float>(kWidth / kHeight);
    std::vector<Track> believed;
    const std::vector<Detection> boxes = BoxesAt(truth, frame, noise);
    for (const Track& track : tracker.Update(input.now, boxes, input.aspect)) {
      if (track.confirmed) believed.push_back(track);
    }
    input.tracks = believed;
    const auto raised = engine->Evaluate(input);
    events.insert(events.end(), raised.begin(), raised.end());
  }
  return events;
}

}  // namespace cordon::accuracy
