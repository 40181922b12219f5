// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "analytics/track.h"
#include "base/time.h"

namespace cordon {

// Which tracks of moving regions are objects, and which are leaves, rain, insects or light. An
// object goes somewhere: what a track has covered in one direction, against the way that its box
// wandered in doing so, must be more than what comes to nothing at this place. Where tracks have
// come to nothing lately (the clutter of a cell of the picture) more is asked for, and so it is
// just after a change of light. Who was believed once is believed for as long as its track lives:
// people may stand still.
//
// One thread at a time; deterministic; media time only. Knows no picture.
class TrackTrust {
 public:
  // After Tracker::Update: all its tracks, ordered by id. `aspect` is picture width / height.
  void Update(MediaTime now, float aspect, std::span<const Track> tracks);
  // The whole picture changed in this frame, or is not known yet; tracks that begin now are suspect.
  void PictureChanged(MediaTime now);
  bool Believes(uint64_t track_id) const;
  // The time line broke: tracks end, the clutter stays known.
  void Reset();

  // Tracks that came to nothing here in the last minute or so, about.
  float ClutterAt(const PictureBox& box) const;

 private:
  static constexpr int kColumns = 24;
  static constexpr int kRows = 14;

  struct Sample {
    MediaTime time{};
    PicturePoint centre;
  };
  struct Record {
    std::vector<Sample> samples;  // the last seconds, kSampleEvery apart
    PictureBox swept;             // everything that it covered
    MediaTime began{};
    MediaTime charged{};  // when it was last counted as clutter
    int pictures = 0;
    int measured = 0;
    bool confirmed = false;
    bool suspect = false;  // it began in a change of light
    bool believed = false;
  };

  void Follow(Record& record, const Track& track) const;
  bool GoesSomewhere(const Record& record, const Track& track) const;
  void Charge(const PictureBox& swept, float weight);
  void ChargeCells(const PixelRect& cells, float weight);
  void Decay();

  MediaTime now_{};
  MediaTime decayed_{};
  MediaTime suspect_until_{};
  bool running_ = false;
  MediaTime began_{};
  float aspect_ = 1;
  std::map<uint64_t, Record> records_;
  int waiting_ = 0;  // confirmed by the tracker, not believed yet
  std::array<float, static_cast<size_t>(kColumns* kRows)> clutter_{};
};

}  // namespace cordon
