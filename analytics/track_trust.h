// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "analytics/object_evidence.h"
#include "analytics/track.h"
#include "analytics/weather_watch.h"
#include "base/time.h"

namespace cordon {

// Which tracks of moving regions are objects, and which are leaves, rain, insects or light. An
// object goes somewhere: what a track has covered in one direction, against the way that its box
// wandered in doing so, must be more than what comes to nothing at this place. Where tracks have
// come to nothing lately (the clutter of a cell of the picture) more is asked for, and so it is
// just after a change of light. In snow or rain (WeatherWatch) it must be larger than the flakes, and
// the pixels must not say that a surface only changed (ObjectEvidence). Who was believed once is
// believed for as long as its track lives: people may stand still.
//
// One thread at a time; deterministic; media time only. Knows no picture by itself.
class TrackTrust {
 public:
  // After Tracker::Update: all its tracks, ordered by id. `aspect` is picture width / height.
  // `evidence`: of the tracks InDoubt() named before; null: nothing is known of the pixels.
  void Update(MediaTime now, float aspect, std::span<const Track> tracks,
              const ObjectEvidence* evidence = nullptr);
  // Confirmed by the tracker and not believed, ids rising.
  std::vector<uint64_t> InDoubt(std::span<const Track> tracks) const;
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
    PictureBox last;
    MediaTime began{};
    MediaTime charged{};  // when it was last counted as clutter
    int pictures = 0;
    int measured = 0;
    bool confirmed = false;
    bool suspect = false;  // it began in a change of light
    bool believed = false;
  };

  void Follow(Record& record, const Track& track) const;
  Record Begun(const Track& track);
  void End(const Record& record);
  bool LargerThanFlakes(const Track& track) const;
  float ClutterFor(const Track& track) const;
  bool IsThing(const Track& track, const ObjectEvidence* evidence) const;
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
  WeatherWatch weather_;
  std::optional<float> size_of_others_;
  std::array<float, static_cast<size_t>(kColumns* kRows)> clutter_{};
};

}  // namespace cordon
