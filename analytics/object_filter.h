// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "analytics/geometry.h"
#include "base/time.h"

namespace cordon {

// Lengths are in heights of the object's box ("heights"), so that one set fits near and far objects
// and every lens. One sigma each.
struct MotionOptions {
  float position_noise = 0.06F;  // of a detection's foot point, heights
  float acceleration = 1.2F;     // of objects, heights/s^2
  float first_speed = 0.9F;      // of a new object, heights/s
  float size_noise = 0.10F;      // of a detection's height and width, relative
  // How readily a width is taken in that is wider or narrower than the one known. A walker is as wide
  // as his stride: a network's boxes close with his legs twice a second, the object does not.
  float widen = 1;
  float narrow = 1;
};

// Where one object is, how fast its foot moves and how large it is, from boxes that show it more or
// less wholly: a constant-velocity Kalman filter in media time, so boxes may come at any distance.
// The state is that of the whole object: a box cut by the picture's border, cut by something that
// stands before the object, or merged with a neighbour's counts with the edges that can be
// believed.
class ObjectFilter {
 public:
  // `aspect`: picture width / height.
  ObjectFilter(const PictureBox& first, MediaTime time, float aspect, const MotionOptions& options);

  // To `time` (never back). Of an object that was not `seen` in the frame before the speed decays:
  // a hidden walker may have stopped.
  void Predict(MediaTime time, bool seen);

  // How a box compares with what is predicted.
  struct Difference {
    float sigmas = 0;      // of the foot, in units of its uncertainty
    float heights = 0;     // of the foot
    float overlap = 0;     // intersection over union
    float size_ratio = 1;  // of the heights, at least 1
  };
  Difference Compare(const PictureBox& box) const;

  // Takes a box of the object in; `doubt` >= 1 widens its noise. True when the foot is further
  // from where it was expected than the object's motion allows (a box grew, split or merged).
  bool Correct(const PictureBox& box, float doubt);

  // Of the whole object: it may reach over the picture's border.
  PictureBox box() const;
  // As box(), drawn towards the last box given to Correct(): what is shown should lie on what is
  // seen, where the filter must not follow each step of a walk.
  PictureBox ShownBox() const;
  PicturePoint velocity() const { return {x_.speed / aspect_, y_.speed}; }  // relative per second
  float height() const { return height_; }                                  // picture heights
  float width() const { return width_; }                                    // picture heights
  int corrections() const { return corrections_; }                          // boxes taken in
  // Its foot has left the picture at the left, right or top, or all of it at the bottom.
  bool outside() const;

 private:
  // One coordinate and its speed, with their covariance.
  struct Axis {
    float position = 0, speed = 0;
    float pp = 0, ps = 0, ss = 0;
    void Predict(float dt, float acceleration);
    void Correct(float measured, float noise);
  };
  // A detection's box made that of the whole object, and whether the border cut it.
  struct Whole {
    PictureBox box;
    bool cut = false;
  };
  Whole Completed(const PictureBox& box) const;

  MotionOptions options_;
  float aspect_ = 1;
  MediaTime time_{};
  Axis x_, y_;  // foot, in picture heights
  float height_ = 0, width_ = 0;
  float size_variance_ = 0;  // relative
  int corrections_ = 1;
  PictureBox last_;
};

}  // namespace cordon
