// SPDX-License-Identifier: Apache-2.0
#include "analytics/region_namer.h"

#include <algorithm>

namespace cordon {
namespace {

// From this overlap on, intersection over union, a region may be the track's: it is the best match.
constexpr float kSameObject = 0.3F;

constexpr float kShapeScore = 0.6F;
constexpr float kPersonFrom = 1.2F;  // height / width
constexpr float kVehicleTo = 0.8F;
constexpr float kVehicleFill = 0.5F;

// Without a classifier: people stand upright, vehicles fill wide boxes.
Classification ByShape(const MovingRegion& region, float aspect) {
  const float slender = region.box.height / (region.box.width * aspect);
  if (slender >= kPersonFrom) return {kPerson, kShapeScore};
  if (slender <= kVehicleTo && region.fill > kVehicleFill) return {kVehicle, kShapeScore};
  return {kOther, kShapeScore};
}

float Aspect(const Frame& frame) {
  return static_cast<float>(frame.luma.width) / static_cast<float>(frame.luma.height);
}

using Expected = std::pair<uint64_t, PictureBox>;

const Expected* MostLike(const PictureBox& box, std::span<const Expected> expected) {
  const Expected* best = nullptr;
  float most = kSameObject;
  for (const Expected& one : expected) {
    const float iou = Iou(box, one.second);
    if (iou < most) continue;
    most = iou;
    best = &one;
  }
  return best;
}

struct Question {
  size_t region = 0;
  uint64_t track = 0;  // 0: none
  MediaTime asked{};   // last

  // What is followed comes first, then what has waited longest.
  static bool Before(const Question& a, const Question& b) {
    const bool followed = a.track > 0;
    return followed == (b.track > 0) ? a.asked < b.asked : followed;
  }
};

}  // namespace

Classification RegionNamer::Name(const Frame& frame, const MovingRegion& region) const {
  if (classifier_) return classifier_->Classify(frame, {&region, 1}).front();
  return ByShape(region, Aspect(frame));
}

std::vector<std::string> RegionNamer::NameAll(const Frame& frame,
                                              std::span<const MovingRegion> regions,
                                              const std::vector<bool>& faint,
                                              std::span<const Expected> expected) {
  std::erase_if(known_, [&](const auto& known) {
    return std::none_of(expected.begin(), expected.end(),
                        [&](const Expected& one) { return one.first == known.first; });
  });
  const MediaTime now = frame.times.media;
  std::vector<std::string> names;
  std::vector<Question> questions;
  for (size_t i = 0; i < regions.size(); ++i) {
    const Expected* track = MostLike(regions[i].box, expected);
    const auto known = track ? known_.find(track->first) : known_.end();
    names.push_back(known != known_.end() ? known->second.object_class
                                          : ByShape(regions[i], Aspect(frame)).object_class);
    // What was neither person nor vehicle may have been seen in part.
    const Microseconds keep = names.back() == kOther ? kAskOtherEvery : kAskEvery;
    const bool fresh =
        known != known_.end() && now >= known->second.asked && now - known->second.asked < keep;
    if (fresh || faint[i]) continue;
    questions.push_back({i, track ? track->first : 0,
                         known != known_.end() ? known->second.asked : MediaTime::min()});
  }
  std::stable_sort(questions.begin(), questions.end(), Question::Before);
  if (questions.size() > kMostAsked) questions.resize(kMostAsked);
  for (const Question& question : questions) {
    names[question.region] = Name(frame, regions[question.region]).object_class;
    if (question.track > 0) known_[question.track] = {now, names[question.region]};
  }
  return names;
}

}  // namespace cordon
