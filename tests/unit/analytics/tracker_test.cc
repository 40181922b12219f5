// SPDX-License-Identifier: Apache-2.0
#include "analytics/tracker.h"

#include <gtest/gtest.h>

#include <set>

namespace cordon {
namespace {

constexpr float kAspect = 4.0F / 3;

MediaTime At(double seconds) {
  return MediaTime(Microseconds(static_cast<int64_t>(seconds * 1e6)));
}

Detection Person(float foot_x, float foot_y, float score = 0.8F) {
  return {{foot_x - 0.03F, foot_y - 0.2F, 0.06F, 0.2F}, kPerson, score};
}

TrackerOptions Options() {
  TrackerOptions options;
  options.confident_score = 0.6F;
  options.least_score = 0.25F;
  options.motion = {0.06F, 1.3F, 1.8F, 0.4F};
  options.confirm_after = Milliseconds(200);
  options.confirm_hits = 3;
  options.keep_lost = Milliseconds(2000);
  return options;
}

// The ids of the confirmed tracks that were measured.
std::set<uint64_t> Seen(const std::vector<Track>& tracks) {
  std::set<uint64_t> ids;
  for (const Track& track : tracks) {
    if (track.confirmed && track.measured) ids.insert(track.id);
  }
  return ids;
}

TEST(Tracker, ATrackIsBelievedAfterSomeTimeAndSeveralDetections) {
  Tracker tracker(Options());
  EXPECT_FALSE(tracker.Update(At(0), {{Person(0.3F, 0.7F)}}, kAspect).at(0).confirmed);
  // Long after, but only the second detection.
  EXPECT_FALSE(tracker.Update(At(0.2), {{Person(0.3F, 0.7F)}}, kAspect).at(0).confirmed);
  EXPECT_TRUE(tracker.Update(At(0.3), {{Person(0.3F, 0.7F)}}, kAspect).at(0).confirmed);
}

TEST(Tracker, AFlashIsNoObject) {
  Tracker tracker(Options());
  tracker.Update(At(0), {{Person(0.3F, 0.7F)}}, kAspect);
  for (const double t : {0.1, 0.2, 0.3}) tracker.Update(At(t), {}, kAspect);
  EXPECT_TRUE(tracker.tracks().empty());
}

TEST(Tracker, OneWalkerIsOneTrackAtAnyFrameRate) {
  for (const double step : {0.04, 0.1, 0.2, 0.4}) {
    Tracker tracker(Options());
    std::set<uint64_t> ids;
    for (double t = 0; t < 6; t += step) {
      ids.merge(Seen(tracker.Update(At(t), {{Person(0.1F + 0.12F * static_cast<float>(t), 0.7F)}},
                                    kAspect)));
    }
    EXPECT_EQ(ids.size(), 1U) << "a frame each " << step << " s";
  }
}

TEST(Tracker, AWeakDetectionNeverStartsATrack) {
  Tracker tracker(Options());
  for (double t = 0; t < 2; t += 0.1) tracker.Update(At(t), {{Person(0.3F, 0.7F, 0.5F)}}, kAspect);
  EXPECT_TRUE(tracker.tracks().empty());
}

TEST(Tracker, WeakDetectionsContinueATrackForAsLongAsTheyFit) {
  Tracker tracker(Options());
  for (double t = 0; t < 1; t += 0.1) tracker.Update(At(t), {{Person(0.3F, 0.7F)}}, kAspect);
  for (double t = 1; t < 9; t += 0.1) tracker.Update(At(t), {{Person(0.3F, 0.7F, 0.3F)}}, kAspect);
  EXPECT_EQ(Seen(tracker.tracks()), (std::set<uint64_t>{1}));
}

TEST(Tracker, AWeakDetectionElsewhereDoesNotDragATrackAway) {
  Tracker tracker(Options());
  for (double t = 0; t < 1; t += 0.1) tracker.Update(At(t), {{Person(0.3F, 0.7F)}}, kAspect);
  // Half a person's width aside: a confident one would be taken.
  tracker.Update(At(1.0), {{Person(0.335F, 0.7F, 0.3F)}}, kAspect);
  EXPECT_FALSE(tracker.tracks().at(0).measured);
  tracker.Update(At(1.1), {{Person(0.335F, 0.7F, 0.8F)}}, kAspect);
  EXPECT_TRUE(tracker.tracks().at(0).measured);
}

TEST(Tracker, AWeakDoubleOfAConfidentBoxIsNotGivenToItsNeighbour) {
  Tracker tracker(Options());
  for (double t = 0; t < 1; t += 0.1) {
    tracker.Update(At(t), {{Person(0.30F, 0.7F), Person(0.33F, 0.7F)}}, kAspect);
  }
  ASSERT_EQ(tracker.tracks().size(), 2U);
  // The second is hidden; the first is detected twice.
  tracker.Update(At(1.0), {{Person(0.30F, 0.7F), Person(0.31F, 0.7F, 0.4F)}}, kAspect);
  EXPECT_EQ(Seen(tracker.tracks()), (std::set<uint64_t>{1}));
}

TEST(Tracker, KeepsTheIdThroughAShortOcclusion) {
  Tracker tracker(Options());
  for (double t = 0; t < 4; t += 0.1) {
    std::vector<Detection> seen;
    if (t < 1.5 || t > 2.7) seen.push_back(Person(0.2F + 0.08F * static_cast<float>(t), 0.7F));
    tracker.Update(At(t), seen, kAspect);
  }
  EXPECT_EQ(Seen(tracker.tracks()), (std::set<uint64_t>{1}));
}

TEST(Tracker, WaitsForTheLostOnlySoLong) {
  Tracker tracker(Options());
  for (double t = 0; t < 1; t += 0.1) tracker.Update(At(t), {{Person(0.3F, 0.7F)}}, kAspect);
  tracker.Update(At(2.8), {}, kAspect);
  EXPECT_EQ(tracker.tracks().size(), 1U);
  tracker.Update(At(3.0), {}, kAspect);
  EXPECT_TRUE(tracker.tracks().empty());
}

TEST(Tracker, TwoWhoCrossKeepTheirIds) {
  Tracker tracker(Options());
  std::set<uint64_t> ids;
  for (double t = 0; t < 5; t += 0.1) {
    const auto step = 0.1F * static_cast<float>(t);
    tracker.Update(At(t), {{Person(0.2F + step, 0.70F), Person(0.7F - step, 0.76F)}}, kAspect);
    ids.merge(Seen(tracker.tracks()));
  }
  ASSERT_EQ(ids.size(), 2U);
  EXPECT_GT(tracker.tracks().at(0).box.foot().x, 0.6F) << "the first went on to the right";
  EXPECT_LT(tracker.tracks().at(1).box.foot().x, 0.3F);
}

TEST(Tracker, WhoLeavesThePictureIsGoneAtOnce) {
  Tracker tracker(Options());
  double t = 0;
  for (; t < 2; t += 0.1) {
    const float x = 0.17F - 0.08F * static_cast<float>(t);
    Detection person = Person(x, 0.7F);
    person.box = ClampToPicture(person.box);
    tracker.Update(At(t), {{person}}, kAspect);
  }
  EXPECT_EQ(tracker.tracks().size(), 1U);
  for (; t < 2.4; t += 0.1) tracker.Update(At(t), {}, kAspect);
  EXPECT_TRUE(tracker.tracks().empty()) << "nobody is waited for behind the border";
}

TEST(Tracker, FeetBelowThePictureStandOnItsLowerEdge) {
  Tracker tracker(Options());
  for (double t = 0; t < 2; t += 0.1) {
    Detection person = Person(0.5F, 0.9F + 0.1F * static_cast<float>(t));
    person.box = ClampToPicture(person.box);
    tracker.Update(At(t), {{person}}, kAspect);
  }
  ASSERT_EQ(tracker.tracks().size(), 1U);
  EXPECT_FLOAT_EQ(tracker.tracks()[0].box.bottom(), 1);
}

TEST(Tracker, AJumpIsMarked) {
  Tracker tracker(Options());
  for (double t = 0; t < 2; t += 0.1) tracker.Update(At(t), {{Person(0.3F, 0.7F)}}, kAspect);
  tracker.Update(At(2.0), {{Person(0.3F, 0.7F)}}, kAspect);
  EXPECT_FALSE(tracker.tracks().at(0).jumped);
  // The box grows downwards by more than half: its foot jumps.
  Detection grown = Person(0.3F, 0.7F);
  grown.box.y += 0.12F;
  tracker.Update(At(2.1), {{grown}}, kAspect);
  EXPECT_TRUE(tracker.tracks().at(0).jumped || !tracker.tracks().at(0).measured);
}

TEST(Tracker, TheClassIsWhatMostDetectionsSaid) {
  Tracker tracker(Options());
  for (int i = 0; i < 20; ++i) {
    Detection detection = Person(0.3F, 0.7F);
    if (i % 4 == 3) detection.object_class = "dog";
    tracker.Update(At(0.1 * i), {{detection}}, kAspect);
  }
  ASSERT_EQ(tracker.tracks().size(), 1U);
  EXPECT_EQ(tracker.tracks()[0].object_class, kPerson);
}

TEST(Tracker, ResetEndsAllTracksAndNeverUsesAnIdTwice) {
  Tracker tracker(Options());
  tracker.Update(At(0), {{Person(0.3F, 0.7F)}}, kAspect);
  tracker.Reset();
  EXPECT_TRUE(tracker.tracks().empty());
  EXPECT_EQ(tracker.Update(At(0.1), {{Person(0.3F, 0.7F)}}, kAspect).at(0).id, 2U);
}

TEST(Tracker, LearnsHowTallPersonsAreWhereTheyWalk) {
  Tracker tracker(Options());
  // Two walk by, one near, one far and half as tall.
  for (double t = 0; t < 6; t += 0.1) {
    const float x = 0.1F + 0.12F * static_cast<float>(t);
    const Detection near{{x, 0.6F, 0.08F, 0.3F}, kPerson, 0.8F};
    const Detection far{{x, 0.25F, 0.04F, 0.15F}, kPerson, 0.8F};
    tracker.Update(At(t), {{near, far}}, kAspect);
  }
  const auto near = tracker.size_prior().HeightAt({0.5F, 0.9F});
  const auto far = tracker.size_prior().HeightAt({0.5F, 0.4F});
  ASSERT_TRUE(near && far);
  EXPECT_NEAR(*near, 0.3F, 0.03F);
  EXPECT_NEAR(*far, 0.15F, 0.03F);
}

TEST(AddToPath, KeepsFirstAndLastAndIsBounded) {
  std::vector<TrackPoint> path;
  for (int i = 0; i < 1000; ++i) AddToPath(path, {At(i), {static_cast<float>(i), 0}});
  EXPECT_LE(path.size(), 64U);
  EXPECT_FLOAT_EQ(path.front().foot.x, 0);
  EXPECT_FLOAT_EQ(path.back().foot.x, 999);
  for (size_t i = 1; i < path.size(); ++i) EXPECT_LT(path[i - 1].time, path[i].time);
}

}  // namespace
}  // namespace cordon
