// SPDX-License-Identifier: Apache-2.0
#include "analytics/track_trust.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

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
PicturePoint Sways(double t) {
  return {static_cast<float>(0.5 + 0.012 * std::sin(3 * t)), 0.5F};
}

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

}  // namespace
}  // namespace cordon
