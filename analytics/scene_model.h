// SPDX-License-Identifier: Apache-2.0
// What the empty scene looks like, and therefore what is not part of it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "analytics/geometry.h"
#include "analytics/pixel_loops.h"
#include "analytics/shadows.h"
#include "base/time.h"
#include "ingest/frame.h"

namespace cordon {

// A change of the whole picture's brightness that the model followed: new = gain * old + offset, in
// grey levels.
struct LightChange {
  float gain = 1;
  float offset = 0;
};

// One frame's answer. Pictures are as large as the analysed one; 0 or 255.
struct SceneView {
  LumaPicture foreground;       // differs from the scene, shadows and light removed
  LumaPicture still;            // the part of it that has looked the same for kStillAfter or longer
  double foreground_share = 0;  // before shadows were removed, 0..1
  LightChange light;            // what was compensated in this frame
  bool learning = false;        // too young to be trusted
};

// Per-pixel background model on luma: a mean and a deviation, and one more recurring value for what
// sways or flickers. Follows exposure and slow light; forgets what came to rest after kAbsorbAfter
// unless a track holds it; tells shadows and light cones by their unchanged texture. All rates are
// in media time, so the frame rate does not matter much. A change that it cannot explain stays
// foreground: who sees most of the picture change calls Relearn().
//
// One thread at a time. About 0.5 ms for 480x270 pixels on one core.
class SceneModel {
 public:
  static constexpr Microseconds kStillAfter = Milliseconds(2500);
  static constexpr Microseconds kAbsorbAfter = Seconds(25);

  // `held`: boxes of live tracks; their pixels are not absorbed. Media time must not fall; a size
  // change relearns.
  const SceneView& Update(const LumaPicture& luma, MediaTime time,
                          std::span<const PictureBox> held);
  // The last Update's answer.
  const SceneView& view() const { return view_; }

  // Forgets all; the next frame is taken as the scene.
  void Relearn();
  // Takes what differs inside `box` as the scene from now on (something known came or went); it is
  // gone from the view too.
  void Accept(const PictureBox& box);

  // A differing region's outline: new in the picture (something came), gone from it (something that
  // belonged to the scene was taken away, or left after the model had learnt it), or neither
  // (light). Asks about the last Update's picture.
  enum class Outline { kNew, kGone, kUnclear };
  Outline OutlineOf(const PictureBox& box) const;

  // How steep the brightness is along the border of what differs inside `box`, in the last Update's
  // picture and in the scene: sums of gradients over so many pixels, grey levels. `own`: of the
  // picture's gradients what the scene's do not explain, were they only lit brighter or darker there.
  struct Border {
    double now = 0;
    double scene = 0;
    double own = 0;
    int pixels = 0;
  };
  Border BorderOf(const PictureBox& box) const;

  // The scene without what moves, as learnt so far. Empty before the first frame.
  LumaPicture Background() const;

 private:
  void Start(const LumaPicture& luma, MediaTime time);
  struct Shift {
    float x = 0;
    float y = 0;  // pixels
  };
  struct Gradient {
    uint32_t at = 0;  // pixel
    float x = 0;
    float y = 0;  // grey levels a pixel
  };
  LightChange EstimateLight() const;
  void Follow(const LightChange& light);
  std::optional<Shift> EstimateShift() const;
  void Follow(const Shift& shift);
  void LearnEdges();
  void LearnGradients();
  size_t Classify(float mean_rate, float deviation_rate);
  void ConsultSecondValue(std::span<const PictureBox> held);
  void Clean();
  void RemoveShadows();
  float NoiseFloor() const;

  int width_ = 0;
  int height_ = 0;
  MediaTime began_{};
  MediaTime now_{};
  float seconds_since_start_ = 0;
  float step_s_ = 0;
  BinomialBlur blur_;
  MajorityFilter majority_;
  ShadowFilter shadows_;
  std::vector<uint8_t> smooth_;  // the current picture, blurred
  std::vector<float> mean_;
  std::vector<float> deviation_;     // mean absolute deviation
  std::vector<uint8_t> second_;      // the other value
  std::vector<float> second_since_;  // seconds since start: when it began to stay
  std::vector<float> second_seen_;   // ... and was last seen
  std::vector<float> visits_;        // how often it came back lately
  std::vector<float> edge_;          // what a shaking camera may change
  std::vector<Gradient> gradients_;  // strong ones, at every few pixels
  float edges_learnt_ = -1;          // both, seconds since start
  std::vector<uint8_t> held_;
  std::vector<uint8_t> raw_;    // differs
  std::vector<uint8_t> rests_;  // ... and has looked the same for long
  SceneView view_;
};

}  // namespace cordon
