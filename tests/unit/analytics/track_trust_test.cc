// SPDX-License-Identifier: Apache-2.0
#include "analytics/track_trust.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "tests/unit/analytics/painted_place.h"

namespace cordon {
namespace {

constexpr float kAspect = 16.0F / 9;

// Plays one track at a time at 10 pictures a second; places are the box's centre.
class Watch {
 public:
  // Whether the track was believed in the end.
  bool Play(double seconds, float height, const std::function<PicturePoint(double)>& place,
            float width_in_heights = 0.4F, int seen_every = 1) {
    Track track;
    track.id = next_id_++;
    track.began = now_;
    bool believed = false;
    for (int n = 0; n < static_cast<int>(seconds * 10); ++n, now_ += Milliseconds(100)) {
      const PicturePoint centre = place(n * 0.1);
      const float width = width_in_heights * height / kAspect;
      track.box = {centre.x - width / 2, centre.y - height / 2, width, height};
      track.measured = n % seen_every == 0;
      track.confirmed = n >= 3;
      if (track.measured) track.seen = now_;
      trust_.Update(now_, kAspect, {&track, 1});
      believed = trust_.Believes(track.id);
    }
    trust_.Update(now_, kAspect, {});
    return believed;
  }
  void Wait(int seconds) {
    for (int n = 0; n < seconds; ++n, now_ += Seconds(1)) trust_.Update(now_, kAspect, {});
  }
  TrackTrust& trust() { return trust_; }
  MediaTime now() const { return now_; }

 private:
  TrackTrust trust_;
  MediaTime now_{};
  uint64_t next_id_ = 1;
};

PicturePoint Walks(double t) { return {static_cast<float>(0.2 + 0.05 * t), 0.5F}; }
PicturePoint Sways(double t) { return {static_cast<float>(0.5 + 0.012 * std::sin(3 * t)), 0.5F}; }

TEST(TrackTrust, BelievesWhoWalksAndGoesOnBelievingWhoStandsThen) {
  Watch watch;
  watch.Wait(20);
  EXPECT_TRUE(watch.Play(2, 0.1F, Walks));
  EXPECT_TRUE(watch.Play(60, 0.1F, [](double t) { return Walks(std::min(t, 2.0)); }));
}

TEST(TrackTrust, DoesNotBelieveWhatSwaysOrTrembles) {
  Watch watch;
  watch.Wait(20);
  EXPECT_FALSE(watch.Play(60, 0.1F, Sways));
  EXPECT_FALSE(watch.Play(60, 0.02F, [](double t) {
    return PicturePoint{0.5F + (static_cast<int>(t * 10) % 2 == 0 ? 0.004F : -0.004F), 0.5F};
  })) << "a few pixels";
}

TEST(TrackTrust, DoesNotBelieveWhatIsSeenNowAndThen) {
  Watch watch;
  watch.Wait(20);
  EXPECT_FALSE(watch.Play(3, 0.1F, Walks, 0.4F, 3)) << "rain: one picture of three";
}

TEST(TrackTrust, DoesNotBelieveALine) {
  Watch watch;
  watch.Wait(20);
  EXPECT_FALSE(watch.Play(3, 0.1F, Walks, 0.1F));
}

// A branch that sways in and out of the picture, up and down its border.
TEST(TrackTrust, DoesNotBelieveATipAtTheBorderUntilMoreIsSeen) {
  Watch watch;
  watch.Wait(20);
  const auto along = [](double t) {
    return PicturePoint{0.008F, static_cast<float>(0.2 + 0.1 * t)};
  };
  EXPECT_FALSE(watch.Play(3, 0.06F, along, 0.45F));
  const auto inwards = [](double t) {
    return PicturePoint{static_cast<float>(0.008 + 0.03 * t), 0.5F};
  };
  EXPECT_TRUE(watch.Play(3, 0.06F, inwards, 0.45F));
}

TEST(TrackTrust, AsksForMoreWhereTracksCameToNothing) {
  Watch watch;
  watch.Wait(20);
  const auto short_way = [](double t) {
    return PicturePoint{static_cast<float>(0.5 + 0.02 * std::min(t, 2.0)), 0.5F};
  };
  EXPECT_TRUE(watch.Play(3, 0.1F, short_way)) << "0.7 heights where all is calm";
  for (int i = 0; i < 8; ++i) watch.Play(3, 0.1F, Sways);
  EXPECT_GT(watch.trust().ClutterAt({0.48F, 0.45F, 0.04F, 0.1F}), 3);
  EXPECT_FALSE(watch.Play(3, 0.1F, short_way)) << "the same among branches";
  EXPECT_TRUE(watch.Play(8, 0.1F, Walks)) << "who walks on through them is believed";
  EXPECT_LT(watch.trust().ClutterAt({0.05F, 0.05F, 0.02F, 0.05F}), 0.1F) << "elsewhere it is calm";
  watch.Wait(400);
  EXPECT_TRUE(watch.Play(3, 0.1F, short_way)) << "the wind has dropped";
}

TEST(TrackTrust, DistrustsWhatAppearsWithAChangeOfLight) {
  Watch watch;
  watch.Wait(20);
  const auto short_way = [](double t) {
    return PicturePoint{static_cast<float>(0.5 + 0.02 * std::min(t, 2.0)), 0.5F};
  };
  watch.trust().PictureChanged(watch.now());
  EXPECT_FALSE(watch.Play(4, 0.1F, short_way));
  watch.trust().PictureChanged(watch.now());
  EXPECT_TRUE(watch.Play(6, 0.1F, Walks)) << "who switched it on walks in";
}

TEST(TrackTrust, BelievesNoFlakeInSnowButWhoIsClearlyLarger) {
  TrackTrust trust;
  MediaTime now{};
  std::vector<Track> tracks;
  uint64_t next_id = 1;
  std::vector<uint64_t> walkers;
  int believed = 0;
  for (int n = 0; n < 400; ++n, now += Milliseconds(100)) {
    if (n > 20) {
      // Each flies for 0.8 s, straight down; four begin with each picture.
      for (int i = 0; i < 4; ++i) {
        Track flake;
        flake.id = next_id++;
        flake.began = now;
        flake.box = {static_cast<float>((n * 13 + i * 29) % 97) / 100,
                     static_cast<float>((n * 7 + i * 23) % 89) / 100, 0.015F, 0.04F};
        tracks.push_back(flake);
      }
    }
    if (n == 200) {
      Track walker;
      walker.id = next_id++;
      walker.began = now;
      walker.box = {0.1F, 0.4F, 0.05F, 0.2F};
      tracks.push_back(walker);
      walkers.push_back(walker.id);
    }
    std::erase_if(tracks, [&](const Track& track) {
      return track.box.height < 0.1F && now - track.began > Milliseconds(800);
    });
    for (Track& track : tracks) {
      if (track.box.height < 0.1F) {
        track.box.y += 0.03F;
      } else {
        track.box.x += 0.005F;
      }
      track.measured = true;
      track.seen = now;
      track.confirmed = now - track.began >= Milliseconds(300);
    }
    trust.Update(now, kAspect, tracks);
    if (n < 80) continue;  // the first flakes are not yet known as weather
    for (const Track& track : tracks) {
      if (track.box.height < 0.1F) believed += trust.Believes(track.id);
    }
  }
  EXPECT_EQ(believed, 0);
  EXPECT_TRUE(trust.Believes(walkers.at(0)));
}

// Twenty seconds of flakes over a painted place, each for 0.8 s straight down. In the fifteenth
// second a thing crosses that is not larger than they are, with a pattern of at least that
// brightness. Whether it was believed, by its pixels.
bool BelievesAmongFlakes(int brightness) {
  const auto thing = [](double t) {
    return PixelRect{20 + static_cast<int>(60 * (t - 15)), 90, 12, 10};
  };
  const PaintedScene scene = [&](int x, int y, double t) {
    const PixelRect r = thing(t);
    if (t < 15 || !In(r, x, y)) return Ground(x, y);
    return brightness + Texture(2 * (x - r.x), 2 * (y - r.y), 9) / 2;
  };
  SceneModel model;
  ObjectEvidence evidence;
  TrackTrust trust;
  std::vector<Track> tracks;
  uint64_t next_id = 2;
  constexpr uint64_t kThing = 1;
  for (int n = 0; n < 200; ++n) {
    const double t = n * 0.1;
    const MediaTime now = MediaFromMicros(n * 100'000);
    std::erase_if(tracks, [&](const Track& track) {
      return track.id != kThing && now - track.began > Milliseconds(800);
    });
    for (int i = 0; n > 20 && i < 4; ++i) {
      Track flake;
      flake.id = next_id++;
      flake.began = now;
      flake.box = {static_cast<float>((n * 13 + i * 29) % 97) / 100,
                   static_cast<float>((n * 7 + i * 23) % 89) / 100, 0.015F, 0.05F};
      tracks.push_back(flake);
    }
    if (n == 150) {
      Track track;
      track.id = kThing;
      track.began = now;
      tracks.insert(tracks.begin(), track);
    }
    for (Track& track : tracks) {
      if (track.id == kThing) track.box = ToRelative(thing(t), kPlaceWidth, kPlaceHeight);
      if (track.id != kThing) track.box.y += 0.03F;
      track.measured = true;
      track.seen = now;
      track.confirmed = now - track.began >= Milliseconds(300);
    }
    const LumaPicture picture = Paint(scene, t);
    model.Update(picture, now, {});
    evidence.Update(now, kPlaceAspect, picture, model, tracks, trust.InDoubt(tracks));
    trust.Update(now, kPlaceAspect, tracks, &evidence);
  }
  return trust.Believes(kThing);
}

// A far car in dense traffic, which begins as many tracks a second as snow does.
TEST(TrackTrust, InWeatherBelievesASmallThingThatIsNotBrighterThanTheScene) {
  EXPECT_TRUE(BelievesAmongFlakes(20));
}

TEST(TrackTrust, InWeatherBelievesNoSmallBrightThing) { EXPECT_FALSE(BelievesAmongFlakes(200)); }

}  // namespace
}  // namespace cordon
