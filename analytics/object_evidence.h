// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "analytics/scene_model.h"
#include "analytics/track.h"
#include "base/time.h"
#include "ingest/frame.h"

namespace cordon {

// Whether what moves is a thing or a surface that changes. A thing takes its texture along, hides
// the scene's and has contours that the scene does not have. Under a shadow or a light the scene's
// texture stays, and the edge is soft. Leaves and water shift it to and fro: the scene's own
// texture is found a few pixels off, and half of the contours are the scene's.
//
// Compares what differs inside a track's box with the scene around the same place, and with what
// the box showed up to 1.5 s before: correlations, blind to brightness and contrast. Keeps small
// samples of brightness of tracks in doubt, gone with the doubt; nothing by which anybody could be
// known again.
//
// One thread at a time; deterministic; media time only.
class ObjectEvidence {
 public:
  enum class Verdict {
    kCertain,  // its texture travels and its contours are new
    kThing,    // one of them
    kOpen,     // the pixels do not decide
    kSurface,
  };

  // After Tracker::Update with the frame that the scene saw last. `in_doubt`: ids of tracks,
  // rising; what was known of others is forgotten.
  void Update(MediaTime now, float aspect, const LumaPicture& picture, const SceneModel& scene,
              std::span<const Track> tracks, std::span<const uint64_t> in_doubt);
  Verdict Of(uint64_t track_id) const;
  void Reset() { records_.clear(); }

  struct Signs {
    float moved = 0;     // correlation with what the box showed, where the box has gone; -1..1
    float pairs = 0;     // pictures compared, older ones for less
    float scene = 0;     // correlation with the scene there
    float contour = 0;   // steepness along the border of what differs, in the picture; grey levels
    float before = 0;    // ... in the scene
    float own = 0;       // ... of the contour what is not the scene's in another light
    float contrast = 0;  // how far what differs is from the scene, grey levels
    float brighter = 0;  // share of what differs that is brighter than the scene; 0..1
    float looks = 0;     // as pairs
  };
  Signs SignsOf(uint64_t track_id) const;

 private:
  // What a box showed, sampled on a grid where it differed from the scene.
  struct Look {
    MediaTime time{};
    PicturePoint centre;
    PixelRect rect;
    struct Sample {
      int16_t x = 0;
      int16_t y = 0;
      uint8_t value = 0;
    };
    std::vector<Sample> samples;
  };
  struct Record {
    std::vector<Look> looks;
    Signs signs;
  };

  static Look LookAt(MediaTime now, const LumaPicture& picture, const LumaPicture& differs,
                     const PictureBox& box);
  static float BestCorrelation(const Look& look, const LumaPicture& picture, int dx, int dy,
                               int steps, int step);
  static float Correlation(const Look& look, const LumaPicture& picture, int dx, int dy);
  static void Compare(const Look& before, const Look& now, const LumaPicture& picture,
                      Signs& signs);
  static void CompareWithScene(const Look& now, const LumaPicture& empty,
                               const SceneModel::Border& border, Signs& signs);

  std::map<uint64_t, Record> records_;
};

}  // namespace cordon
