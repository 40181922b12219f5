// SPDX-License-Identifier: Apache-2.0
#include "analytics/still_watch.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>

namespace cordon {
namespace {

constexpr int kLeastPixels = 24;
constexpr float kSamePlace = 0.3F;  // intersection over union
constexpr float kCovered = 0.4F;    // of the thing by a track: it is the track's object
constexpr float kTravelled = 0.4F;  // heights

}  // namespace

void StillWatch::Reset() {
  objects_.clear();
  running_ = false;
}

StillObject* StillWatch::Known(const PictureBox& box) {
  const auto it = std::find_if(objects_.begin(), objects_.end(), [&](const StillObject& object) {
    return Iou(object.box, box) > kSamePlace;
  });
  return it == objects_.end() ? nullptr : &*it;
}

void StillWatch::Update(SceneModel& scene, const SceneView& view, MediaTime scene_time,
                        std::span<const Track> tracks) {
  if (!running_) {
    running_ = true;
    started_ = scene_time;
  }
  const LumaPicture& still = view.still;
  const cv::Mat mask(still.height, still.width, CV_8UC1, const_cast<uint8_t*>(still.pixels.data()));
  if (cv::countNonZero(mask) < kLeastPixels) return;
  cv::Mat closed, labels, stats, centroids;
  cv::morphologyEx(mask, closed, cv::MORPH_CLOSE,
                   cv::getStructuringElement(cv::MORPH_RECT, {5, 5}));
  const int count = cv::connectedComponentsWithStats(closed, labels, stats, centroids, 8, CV_32S);
  for (int i = 1; i < count; ++i) {
    const int* s = stats.ptr<int>(i);
    if (s[cv::CC_STAT_AREA] < kLeastPixels) continue;
    const PictureBox box = ToRelative(
        {s[cv::CC_STAT_LEFT], s[cv::CC_STAT_TOP], s[cv::CC_STAT_WIDTH], s[cv::CC_STAT_HEIGHT]},
        still.width, still.height);
    const bool tracked = std::any_of(tracks.begin(), tracks.end(), [&](const Track& track) {
      return track.confirmed && track.travelled > kTravelled &&
             Overlap(track.box, box) > kCovered * box.area();
    });
    if (!tracked)
      Judge(scene, box, scene_time - SceneModel::kStillAfter, scene_time - started_ > kSceneMustBe);
  }
}

void StillWatch::Judge(SceneModel& scene, const PictureBox& box, MediaTime since,
                       bool scene_is_old) {
  const bool gone = scene.LooksRemoved(box);
  StillObject* known = Known(box);
  if (gone) {
    scene.Accept(box);
    if (known != nullptr && !known->removed) {
      // What had been left here was taken away again.
      objects_.erase(objects_.begin() + (known - objects_.data()));
      return;
    }
  } else if (known != nullptr && known->removed) {
    // Something is back where something was gone.
    objects_.erase(objects_.begin() + (known - objects_.data()));
    known = nullptr;
  }
  if (known != nullptr || (gone && !scene_is_old)) return;
  if (objects_.size() >= kMost) objects_.erase(objects_.begin());
  objects_.push_back({next_id_++, box, since, gone});
}

}  // namespace cordon
