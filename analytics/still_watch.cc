// SPDX-License-Identifier: Apache-2.0
#include "analytics/still_watch.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>

namespace cordon {
namespace {

constexpr int kLeastPixels = 24;
constexpr float kLeastHeight = 0.035F;  // of the picture
constexpr float kLeastArea = 0.001F;    // of the picture
constexpr float kLeastFill = 0.35F;     // less is a line or a rim, no thing
constexpr float kSamePlace = 0.3F;      // intersection over union
constexpr float kStillShare = 0.7F;     // of a thing's pixels
constexpr float kNear = 0.3F;  // of a track's size: nearer than that, it may be the track's object
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

// A thing is a blob that is still as a whole; one who stands still has moving edges.
void StillWatch::Update(SceneModel& scene, const SceneView& view, MediaTime scene_time,
                        std::span<const Track> tracks) {
  if (!running_) {
    running_ = true;
    started_ = scene_time;
  }
  const LumaPicture& still = view.still;
  const cv::Mat mask(still.height, still.width, CV_8UC1, const_cast<uint8_t*>(still.pixels.data()));
  if (cv::countNonZero(mask) < kLeastPixels) return;
  const cv::Mat foreground(still.height, still.width, CV_8UC1,
                           const_cast<uint8_t*>(view.foreground.pixels.data()));
  cv::Mat closed;
  cv::morphologyEx(foreground, closed, cv::MORPH_CLOSE,
                   cv::getStructuringElement(cv::MORPH_RECT, {5, 5}));
  pieces_.Find(closed.ptr(), still.width, still.height);
  std::vector<int> still_pixels(pieces_.pieces().size(), 0);
  std::vector<int> pixels(pieces_.pieces().size(), 0);
  for (const MaskRun& run : pieces_.runs()) {
    const auto at = static_cast<size_t>(run.piece);
    const uint8_t* rests = mask.ptr<uint8_t>(run.y);
    const uint8_t* differs = foreground.ptr<uint8_t>(run.y);
    for (int x = run.begin; x < run.end; ++x) {
      pixels[at] += differs[x] != 0;
      still_pixels[at] += differs[x] != 0 && rests[x] != 0;
    }
  }
  for (size_t at = 0; at < pixels.size(); ++at) {
    if (still_pixels[at] < kLeastPixels ||
        static_cast<float>(still_pixels[at]) < kStillShare * static_cast<float>(pixels[at])) {
      continue;
    }
    const PixelRect& rect = pieces_.pieces()[at].rect;
    const PictureBox box = ToRelative(rect, still.width, still.height);
    const bool tracked = std::any_of(tracks.begin(), tracks.end(), [&](const Track& track) {
      return track.confirmed && track.travelled > kTravelled &&
             Overlap(Grown(track.box, kNear), box) > 0;
    });
    if (tracked) continue;
    const float fill =
        static_cast<float>(pixels[at]) / static_cast<float>(rect.width * rect.height);
    Judge(scene, box, fill, scene_time - SceneModel::kStillAfter,
          scene_time - started_ > kSceneMustBe);
  }
}

void StillWatch::Judge(SceneModel& scene, const PictureBox& box, float fill, MediaTime since,
                       bool scene_is_old) {
  const SceneModel::Outline outline = scene.OutlineOf(box);
  const bool gone = outline == SceneModel::Outline::kGone;
  StillObject* known = Known(box);
  if (known != nullptr && known->removed != gone && outline != SceneModel::Outline::kUnclear) {
    // What had been left here was taken away again, or what had been taken away is back.
    objects_.erase(objects_.begin() + (known - objects_.data()));
    scene.Accept(box);
    return;
  }
  if (gone || outline == SceneModel::Outline::kUnclear) scene.Accept(box);
  const bool substantial =
      box.height >= kLeastHeight && box.area() >= kLeastArea && fill >= kLeastFill;
  if (known != nullptr || outline == SceneModel::Outline::kUnclear || !substantial || !scene_is_old)
    return;
  if (objects_.size() >= kMost) objects_.erase(objects_.begin());
  objects_.push_back({next_id_++, box, since, gone});
}

}  // namespace cordon
