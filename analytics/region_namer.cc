// SPDX-License-Identifier: Apache-2.0
#include "analytics/region_namer.h"

namespace cordon {
namespace {

// From this overlap on, intersection over union, a region is what was there before.
constexpr float kSameObject = 0.4F;

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

}  // namespace

Classification RegionNamer::Name(const Frame& frame, const MovingRegion& region) const {
  if (classifier_) return classifier_->Classify(frame, {&region, 1}).front();
  return ByShape(region, static_cast<float>(frame.luma.width) / static_cast<float>(frame.luma.height));
}

const RegionNamer::Named* RegionNamer::Before(const PictureBox& box, MediaTime now) const {
  const Named* best = nullptr;
  float most = kSameObject;
  for (const Named& one : before_) {
    const float iou = Iou(box, one.box);
    if (iou < most || now < one.asked || now - one.asked >= kAskEvery) continue;
    most = iou;
    best = &one;
  }
  return best;
}

std::vector<std::string> RegionNamer::NameAll(const Frame& frame,
                                              std::span<const MovingRegion> regions) {
  const MediaTime now = frame.times.media;
  std::vector<Named> named;
  std::vector<std::string> names;
  for (const MovingRegion& region : regions) {
    if (const Named* before = Before(region.box, now)) {
      named.push_back({region.box, before->asked, before->object_class});
    } else {
      named.push_back({region.box, now, Name(frame, region).object_class});
    }
    names.push_back(named.back().object_class);
  }
  before_ = std::move(named);
  return names;
}

}  // namespace cordon
