// SPDX-License-Identifier: Apache-2.0
#include "analytics/object_filter.h"

#include <algorithm>
#include <cmath>

namespace cordon {
namespace {

constexpr float kSpeedDecayPerSecond = 0.6F;  // of an unseen object's speed
constexpr float kSizeDriftPerSecond = 0.02F;  // variance that a size gains unseen
constexpr float kMostSizeVariance = 0.1F;
constexpr float kJumpHeights = 0.45F;
constexpr float kJumpSigmas = 2.5F;

// A box that ends this near to the picture's border may go on behind it.
constexpr float kBorder = 0.004F;
// A foot this share of the object's width inside the border is as good as gone.
constexpr float kLeaving = 0.2F;

// An edge is believed against the other one when it lies this near to where it is expected, in
// heights, and the size is off by more than this, as the logarithm of the ratio. Widths waver with
// every step of a walk, heights do not. A size is known after some boxes only.
constexpr float kEdgeNear = 0.16F;
constexpr float kHeightOff = 0.25F;
constexpr float kWidthOff = 0.5F;
constexpr int kSizeKnownAfter = 3;
// So much of a disbelieved height counts all the same: who was first seen half hidden must be able
// to grow.
constexpr float kDisbelieved = 0.15F;
// How far what is shown is drawn from the filter's box towards the box that was seen.
constexpr float kShownTowardsSeen = 0.3F;

float SecondsOf(Microseconds d) { return static_cast<float>(d.count()) * 1e-6F; }

float LogRatio(float a, float b) { return std::abs(std::log(std::max(a, 1e-4F) / b)); }

// One side of a box: its two edges, of which one may be wrong.
struct Side {
  float from = 0;
  float to = 0;
  void KeepFrom(float length) { to = from + length; }
  void KeepTo(float length) { from = to - length; }
};

// Where just one edge is as expected, the other follows from it.
void BelieveTheNearerEdge(Side& seen, const Side& expected, float near) {
  const float from_off = std::abs(seen.from - expected.from);
  const float to_off = std::abs(seen.to - expected.to);
  const float length = expected.to - expected.from;
  if (from_off < to_off && from_off < near) {
    seen.KeepFrom(length);
  } else if (to_off < from_off && to_off < near) {
    seen.KeepTo(length);
  }
}

}  // namespace

void ObjectFilter::Axis::Predict(float dt, float acceleration) {
  position += speed * dt;
  // White acceleration noise (Bar-Shalom, Estimation with Applications to Tracking, 6.2.2:
  // discretised).
  const float q = acceleration * acceleration;
  pp += dt * (2 * ps + dt * ss) + q * dt * dt * dt * dt / 4;
  ps += dt * ss + q * dt * dt * dt / 2;
  ss += q * dt * dt;
}

void ObjectFilter::Axis::Correct(float measured, float noise) {
  const float s = pp + noise * noise;
  const float gain_position = pp / s;
  const float gain_speed = ps / s;
  const float residual = measured - position;
  position += gain_position * residual;
  speed += gain_speed * residual;
  ss -= gain_speed * ps;
  ps *= 1 - gain_position;
  pp *= 1 - gain_position;
}

ObjectFilter::ObjectFilter(const PictureBox& first, MediaTime time, float aspect,
                           const MotionOptions& options)
    : options_(options),
      aspect_(aspect),
      time_(time),
      height_(std::max(first.height, 1e-3F)),
      width_(std::max(first.width * aspect, 1e-3F)),
      size_variance_(options.size_noise * options.size_noise),
      last_(first) {
  const PicturePoint foot = first.foot();
  const float noise = options_.position_noise * height_;
  const float speed = options_.first_speed * height_;
  x_ = {foot.x * aspect_, 0, noise * noise, 0, speed * speed};
  y_ = {foot.y, 0, noise * noise, 0, speed * speed};
}

void ObjectFilter::Predict(MediaTime time, bool seen) {
  const float dt = std::max(0.0F, SecondsOf(time - time_));
  time_ = time;
  if (!seen) {
    const float keep = std::pow(kSpeedDecayPerSecond, dt);
    x_.speed *= keep;
    y_.speed *= keep;
  }
  x_.Predict(dt, options_.acceleration * height_);
  y_.Predict(dt, options_.acceleration * height_);
  size_variance_ = std::min(size_variance_ + kSizeDriftPerSecond * dt, kMostSizeVariance);
}

ObjectFilter::Difference ObjectFilter::Compare(const PictureBox& box) const {
  const PicturePoint foot = box.foot();
  const float noise = options_.position_noise * height_;
  const float dx = foot.x * aspect_ - x_.position;
  const float dy = foot.y - y_.position;
  return {std::sqrt(dx * dx / (x_.pp + noise * noise) + dy * dy / (y_.pp + noise * noise)),
          std::hypot(dx, dy) / height_, Iou(this->box(), box),
          std::max(box.height / height_, height_ / box.height)};
}

ObjectFilter::Whole ObjectFilter::Completed(const PictureBox& box) const {
  const PictureBox expected = this->box();
  Side across{box.x, box.right()};
  Side down{box.y, box.bottom()};
  const bool narrow = box.width < expected.width;
  const bool cut_left = narrow && box.x < kBorder;
  const bool cut_right = narrow && box.right() > 1 - kBorder;
  const bool cut_bottom = box.height < expected.height && box.bottom() > 1 - kBorder;
  const bool known = corrections_ >= kSizeKnownAfter;
  if (cut_left) {
    across.KeepTo(expected.width);
  } else if (cut_right) {
    across.KeepFrom(expected.width);
  } else if (known && LogRatio(box.width, expected.width) > kWidthOff) {
    BelieveTheNearerEdge(across, {expected.x, expected.right()}, kEdgeNear * height_ / aspect_);
  }
  if (cut_bottom) {
    down.KeepFrom(expected.height);
  } else if (known && LogRatio(box.height, expected.height) > kHeightOff) {
    BelieveTheNearerEdge(down, {expected.y, expected.bottom()}, kEdgeNear * height_);
  }
  return {{across.from, down.from, across.to - across.from, down.to - down.from},
          cut_left || cut_right || cut_bottom};
}

bool ObjectFilter::Correct(const PictureBox& box, float doubt) {
  const Whole whole = Completed(box);
  const PicturePoint foot = whole.box.foot();
  const float noise = doubt * options_.position_noise * height_;
  const float away = std::hypot(foot.x * aspect_ - x_.position, foot.y - y_.position);
  const float sigma = std::sqrt(std::max(x_.pp, y_.pp) + noise * noise);
  const bool jumped = corrections_ >= 2 && away > kJumpHeights * std::max(height_, width_) &&
                      away > kJumpSigmas * sigma;
  x_.Correct(foot.x * aspect_, noise);
  y_.Correct(foot.y, noise);
  const float gain = size_variance_ / (size_variance_ + options_.size_noise * options_.size_noise);
  const float disbelieved = whole.cut ? 0 : kDisbelieved * (box.height - whole.box.height);
  height_ = std::max(height_ + gain * (whole.box.height + disbelieved - height_), 1e-3F);
  const float wider = whole.box.width * aspect_ - width_;
  const float width_gain = gain * (wider > 0 ? options_.widen : options_.narrow);
  width_ = std::max(width_ + std::min(width_gain, 1.0F) * wider, 1e-3F);
  size_variance_ *= 1 - gain;
  ++corrections_;
  last_ = whole.box;
  return jumped;
}

PictureBox ObjectFilter::box() const {
  return {(x_.position - width_ / 2) / aspect_, y_.position - height_, width_ / aspect_, height_};
}

PictureBox ObjectFilter::ShownBox() const {
  const PictureBox own = box();
  const auto mix = [](float a, float b) { return a + kShownTowardsSeen * (b - a); };
  return {mix(own.x, last_.x), mix(own.y, last_.y), mix(own.width, last_.width),
          mix(own.height, last_.height)};
}

bool ObjectFilter::outside() const {
  const float edge = kLeaving * width_;
  return x_.position < edge || x_.position > aspect_ - edge || y_.position < 0 ||
         y_.position - height_ > 1;
}

}  // namespace cordon
