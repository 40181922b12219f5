// SPDX-License-Identifier: Apache-2.0
#include "analytics/region_finder.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <opencv2/imgproc.hpp>

namespace cordon {
namespace {

// Of the analysed picture.
constexpr int kLeastBlobPixels = 36;
constexpr int kLeastBlobHeight = 7;
constexpr size_t kMostBlobs = 64;  // in a storm of noise the largest count
constexpr int kBlurPixels = 1;     // by which blobs are wider than what they show, on each side
constexpr int kMostSplits = 12;    // objects in one blob

// A standing person is this wide, in heights: arms at the side, between steps.
constexpr float kPersonWidth = 0.35F;
// A blob this much larger than one person is looked at for several.
constexpr float kWideFor = 1.3F;
constexpr float kTallFor = 1.3F;
// What is about as tall as a person and not wider than this, in its own heights, is two side by
// side: vehicles as low as that are longer.
constexpr float kShortFor = 0.75F;
constexpr float kMostPairWidth = 1;
constexpr float kMostWidth = 0.42F;  // of what was tracked as one person
constexpr float kMostHeight = 1.05F;
constexpr float kCoveredWidth = 0.85F;
// People fill about half of their boxes and leave gaps between each other; a vehicle fills its box.
constexpr float kCompactFill = 0.74F;
constexpr float kSolidFill = 0.6F;
constexpr float kLargePersons = 2;  // times the box of one person
// Cost of a box's area against the pixels that it explains, and the least share of new pixels that
// justifies a box.
constexpr float kAreaPrice = 0.40F;
constexpr float kCutPrice = 0.25F;
constexpr float kLeastFresh = 0.45F;

}  // namespace

const std::vector<Blob>& RegionFinder::FindBlobs(const LumaPicture& mask) {
  width_ = mask.width;
  height_ = mask.height;
  blobs_.clear();
  cv::Mat source(height_, width_, CV_8UC1, const_cast<uint8_t*>(mask.pixels.data()));
  if (cv::countNonZero(source) == 0) return blobs_;
  // A person's head, trunk and legs often fall apart; they lie above each other.
  cv::Mat closed;
  cv::morphologyEx(source, closed, cv::MORPH_CLOSE,
                   cv::getStructuringElement(cv::MORPH_RECT, {3, 7}));
  pieces_.Find(closed.ptr(), width_, height_);
  for (size_t i = 0; i < pieces_.pieces().size(); ++i) {
    const MaskPiece& piece = pieces_.pieces()[i];
    if (piece.area < kLeastBlobPixels || piece.rect.height < kLeastBlobHeight) continue;
    blobs_.push_back({piece.rect, piece.area, static_cast<int>(i)});
  }
  std::stable_sort(blobs_.begin(), blobs_.end(),
                   [](const Blob& a, const Blob& b) { return a.area > b.area; });
  if (blobs_.size() > kMostBlobs) blobs_.resize(kMostBlobs);
  return blobs_;
}

MovingRegion RegionFinder::AsRegion(const Blob& blob) const {
  PixelRect rect = blob.rect;
  // Blurring and averaging widened it; at the picture's border there was nothing to widen.
  const auto shrink = [](int& from, int& size, int most) {
    if (size <= 4 * kBlurPixels) return;
    if (from + size < most) size -= kBlurPixels;
    if (from > 0) {
      from += kBlurPixels;
      size -= kBlurPixels;
    }
  };
  shrink(rect.x, rect.width, width_);
  shrink(rect.y, rect.height, height_);
  const float area = static_cast<float>(rect.width) * static_cast<float>(rect.height);
  return {ToRelative(rect, width_, height_), std::min(1.0F, static_cast<float>(blob.area) / area)};
}

std::vector<MovingRegion> RegionFinder::Split(const SizePrior& prior,
                                              std::span<const PictureBox> expected,
                                              IsVehicle is_vehicle) {
  std::vector<MovingRegion> regions;
  std::vector<PictureBox> inside;
  for (size_t i = 0; i < blobs_.size(); ++i) {
    const MovingRegion region = AsRegion(blobs_[i]);
    inside.clear();
    for (const PictureBox& box : expected) {
      if (Overlap(box, region.box) > 0.5F * box.area()) inside.push_back(box);
    }
    if (NeedsSplit(blobs_[i], prior, inside.size(), is_vehicle)) {
      SplitBlob(blobs_[i], prior, inside, regions);
    } else {
      regions.push_back(region);
    }
  }
  return regions;
}

int RegionFinder::ExpectedHeight(const SizePrior& prior, int foot_x, int foot_y) const {
  const PicturePoint foot{static_cast<float>(foot_x) / static_cast<float>(width_),
                          static_cast<float>(foot_y) / static_cast<float>(height_)};
  const std::optional<float> height = prior.HeightAt(foot);
  return height ? static_cast<int>(*height * static_cast<float>(height_) + 0.5F) : 0;
}

// Taller than a person and solid: a vehicle seen from above or near by, whatever was tracked in it.
bool RegionFinder::IsLarge(const Blob& blob, const SizePrior& prior) const {
  const int height =
      ExpectedHeight(prior, blob.rect.x + blob.rect.width / 2, blob.rect.y + blob.rect.height);
  if (height == 0) return false;
  const auto h = static_cast<float>(height);
  return static_cast<float>(blob.rect.height) > kTallFor * h &&
         static_cast<float>(blob.area) > kLargePersons * kPersonWidth * h * h &&
         AsRegion(blob).fill > kSolidFill;
}

bool RegionFinder::NeedsSplit(const Blob& blob, const SizePrior& prior, size_t expected,
                              IsVehicle is_vehicle) const {
  if (IsLarge(blob, prior)) return false;
  if (expected >= 2) return true;
  const int height =
      ExpectedHeight(prior, blob.rect.x + blob.rect.width / 2, blob.rect.y + blob.rect.height);
  if (height == 0) return false;
  const auto h = static_cast<float>(height);
  const auto blob_width = static_cast<float>(blob.rect.width);
  const auto blob_height = static_cast<float>(blob.rect.height);
  const bool wide = blob_width > kWideFor * kPersonWidth * h;
  const bool tall = blob_height > kTallFor * h;
  if (!wide && !tall) return false;
  const bool side_by_side =
      !tall && blob_height > kShortFor * h && blob_width < kMostPairWidth * blob_height;
  if (side_by_side) return true;
  const MovingRegion region = AsRegion(blob);
  return (expected > 0 || region.fill < kCompactFill) && !is_vehicle(region);
}

void RegionFinder::LoadWindow(const Blob& blob) {
  window_ = blob.rect;
  fresh_.assign(static_cast<size_t>(window_.width) * static_cast<size_t>(window_.height), 0);
  for (const MaskRun& run : pieces_.RunsOf(window_.y, window_.y + window_.height)) {
    if (run.piece != blob.piece) continue;
    std::memset(fresh_.data() + static_cast<ptrdiff_t>(run.y - window_.y) * window_.width +
                    (run.begin - window_.x),
                1, static_cast<size_t>(run.end - run.begin));
  }
  RefreshIntegral();
}

void RegionFinder::RefreshIntegral() {
  const auto stride = static_cast<size_t>(window_.width) + 1;
  integral_.assign(stride * (static_cast<size_t>(window_.height) + 1), 0);
  for (int y = 0; y < window_.height; ++y) {
    int row = 0;
    const size_t at = static_cast<size_t>(y + 1) * stride;
    for (int x = 0; x < window_.width; ++x) {
      row += fresh_[static_cast<size_t>(y) * static_cast<size_t>(window_.width) +
                    static_cast<size_t>(x)];
      integral_[at + static_cast<size_t>(x) + 1] =
          integral_[at - stride + static_cast<size_t>(x) + 1] + row;
    }
  }
}

int RegionFinder::FreshIn(const Template& t) const {
  const auto stride = static_cast<size_t>(window_.width) + 1;
  const auto x0 = static_cast<size_t>(std::clamp(t.x, 0, window_.width));
  const auto x1 = static_cast<size_t>(std::clamp(t.x + t.width, 0, window_.width));
  const auto y0 = static_cast<size_t>(std::clamp(t.y, 0, window_.height));
  const auto y1 = static_cast<size_t>(std::clamp(t.y + t.height, 0, window_.height));
  return integral_[y1 * stride + x1] - integral_[y0 * stride + x1] - integral_[y1 * stride + x0] +
         integral_[y0 * stride + x0];
}

// New pixels right beside the box: a person ends where the box ends.
int RegionFinder::FreshBeside(const Template& t) const {
  const int strip = std::max(2, t.width / 4);
  return FreshIn({t.x - strip, t.y, strip, t.height}) +
         FreshIn({t.x + t.width, t.y, strip, t.height});
}

// Shifts the box by at most `reach` to where it explains most; false when it explains too little
// everywhere.
bool RegionFinder::FitNear(Template& t, int reach) const {
  const float area = static_cast<float>(t.width) * static_cast<float>(t.height);
  Template best = t;
  float most = -1e9F;
  for (int dy = -reach; dy <= reach; dy += 2) {
    for (int dx = -reach; dx <= reach; dx += 2) {
      Template moved = t;
      moved.x += dx;
      moved.y += dy;
      // The nearer to where it is expected, the better, pixels being equal.
      const float gain = static_cast<float>(FreshIn(moved)) -
                         0.15F * area * static_cast<float>(dx * dx + dy * dy) /
                             static_cast<float>(std::max(1, reach * reach));
      if (gain > most) {
        most = gain;
        best = moved;
      }
    }
  }
  t = best;
  return static_cast<float>(FreshIn(t)) >= kLeastFresh * area;
}

// The person-sized box anywhere in the window that explains most.
bool RegionFinder::FitAnywhere(const SizePrior& prior, Template& best) const {
  float most = 0;
  const int step = std::max(1, window_.width / 96);
  for (int foot = window_.height; foot > 0; foot -= 2 * step) {
    const int height = ExpectedHeight(prior, window_.x + window_.width / 2, window_.y + foot);
    if (height < kLeastBlobHeight) return false;
    // A box that reaches far above the window is not there.
    if (foot < height / 2) break;
    Template t;
    t.height = height;
    t.width = std::max(3, static_cast<int>(kPersonWidth * static_cast<float>(height)));
    t.y = foot - height;
    const float area = static_cast<float>(t.width) * static_cast<float>(t.height);
    for (t.x = -t.width / 4; t.x + t.width <= window_.width + t.width / 4; t.x += step) {
      const auto fresh = static_cast<float>(FreshIn(t));
      const auto cut = static_cast<float>(FreshBeside(t));
      const float gain = fresh - kAreaPrice * area - kCutPrice * cut;
      if (gain > most && fresh >= kLeastFresh * area) {
        most = gain;
        best = t;
      }
    }
  }
  return most > 0;
}

void RegionFinder::Explain(const Template& t) {
  // A little more than the box: arms and shadow rims are no further person.
  const int margin = t.width / 12;
  const int x0 = std::clamp(t.x - margin, 0, window_.width);
  const int x1 = std::clamp(t.x + t.width + margin, 0, window_.width);
  const int y0 = std::clamp(t.y - margin, 0, window_.height);
  const int y1 = std::clamp(t.y + t.height + margin, 0, window_.height);
  for (int y = y0; y < y1; ++y) {
    auto* row = fresh_.data() + static_cast<size_t>(y) * static_cast<size_t>(window_.width);
    std::fill(row + x0, row + x1, uint8_t{0});
  }
  RefreshIntegral();
}

RegionFinder::Template RegionFinder::PersonSized(const PictureBox& box,
                                                 const SizePrior& prior) const {
  const PixelRect r = ToPixels(box, width_, height_);
  const Template t{r.x - window_.x, r.y - window_.y, r.width, r.height};
  const int height = ExpectedHeight(prior, r.x + r.width / 2, r.y + r.height);
  if (height == 0) return t;
  const int width = std::min(r.width, static_cast<int>(kMostWidth * static_cast<float>(height)));
  const int lower = std::min(r.height, static_cast<int>(kMostHeight * static_cast<float>(height)));
  return {t.x + (r.width - width) / 2, t.y + r.height - lower, width, lower};
}

void RegionFinder::SplitBlob(const Blob& blob, const SizePrior& prior,
                             std::span<const PictureBox> expected,
                             std::vector<MovingRegion>& regions) {
  LoadWindow(blob);
  const size_t before = regions.size();
  const auto emit = [&](const Template& t) {
    const float area = static_cast<float>(t.width) * static_cast<float>(t.height);
    const float fill = static_cast<float>(FreshIn(t)) / area;
    const PixelRect rect{window_.x + t.x, window_.y + t.y, t.width, t.height};
    regions.push_back({ClampToPicture(ToRelative(rect, width_, height_)), fill});
    Explain(t);
  };
  // Nearest to the camera first: they hide the others. What was tracked as one may have been
  // several: no larger than a person.
  std::vector<Template> ordered;
  int width_expected = 0;
  for (const PictureBox& box : expected) {
    ordered.push_back(PersonSized(box, prior));
    width_expected += ordered.back().width;
  }
  std::stable_sort(ordered.begin(), ordered.end(), [](const Template& a, const Template& b) {
    return a.y + a.height > b.y + b.height;
  });
  // Where fewer are expected than there is room for, the pixels decide.
  const bool known =
      ExpectedHeight(prior, window_.x + window_.width / 2, window_.y + window_.height) > 0;
  if (known &&
      static_cast<float>(width_expected) < kCoveredWidth * static_cast<float>(window_.width)) {
    ordered.clear();
  }
  for (Template t : ordered) {
    if (FitNear(t, std::max(2, t.height / 5))) emit(t);
  }
  Template t;
  while (regions.size() - before < kMostSplits && FitAnywhere(prior, t)) emit(t);
  if (regions.size() == before) regions.push_back(AsRegion(blob));
}

}  // namespace cordon
