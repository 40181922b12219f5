// SPDX-License-Identifier: Apache-2.0
// Health, site folding, CPU budget and the listening to packets: all on simulated time.
#include "ingest/stream_health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "ingest/complexity_monitor.h"
#include "ingest/cpu_budget.h"
#include "ingest/site_watch.h"

namespace cordon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class StreamHealthTest : public ::testing::Test {
 protected:
  StreamHealthTest() { camera_.set_id("gate"); }

  static StreamInfo Info() {
    StreamInfo info;
    info.codec.reset(avcodec_parameters_alloc());
    info.codec->codec_id = AV_CODEC_ID_H264;
    return info;
  }
  // Plays `seconds` of a camera of 25 fps, ticking twice a second.
  void Play(double seconds, int key_every = 50, int64_t camera_clock_offset_us = 0,
            int divide = 1, int bytes = 4000) {
    for (int i = 0; i < static_cast<int>(seconds * 25); ++i, ++sent_) {
      clock_.Advance(Milliseconds(40));
      if (sent_ % divide == 0)
        Arrive(key_every > 0 && sent_ % key_every == 0, camera_clock_offset_us, bytes);
      if (i % 12 == 0) Tick();
    }
  }
  void Arrive(bool key, int64_t camera_clock_offset_us, int bytes) {
    Packet packet;
    packet.av.reset(av_packet_alloc());
    av_new_packet(packet.av.get(), bytes);
    packet.av->pts = sent_ * 40'000;
    if (key) packet.av->flags |= AV_PKT_FLAG_KEY;
    packet.received = clock_.Boot();
    packet.received_wall = clock_.Wall();
    packet.camera = clock_.Wall() + Microseconds(camera_clock_offset_us);
    health_.PacketArrived(packet);
  }
  void Silence(double seconds) {
    for (int i = 0; i < static_cast<int>(seconds * 2); ++i) {
      clock_.Advance(Milliseconds(500));
      Tick();
    }
  }
  void Tick() {
    for (const proto::Event& event : health_.Tick()) {
      kinds_.push_back(event.kind());
      details_.push_back(event.detail());
    }
  }
  proto::CameraConfig camera_;
  SimulatedClock clock_;
  StreamHealth health_{camera_, clock_};
  int64_t sent_ = 0;
  std::vector<proto::EventKind> kinds_;
  std::vector<std::string> details_;
};

TEST_F(StreamHealthTest, AStallIsShownAfterThreeSecondsAndRaisedWithinFive) {
  health_.Opened(Info());
  Play(10);
  EXPECT_EQ(health_.Snapshot().state(), proto::STREAM_STATE_LIVE);
  EXPECT_NEAR(health_.Snapshot().received_fps(), 25, 1);
  Silence(3);
  EXPECT_EQ(health_.Snapshot().state(), proto::STREAM_STATE_STALLED);
  EXPECT_THAT(health_.Snapshot().reason(), HasSubstr("nothing came"));
  EXPECT_TRUE(kinds_.empty());
  Silence(2);
  EXPECT_THAT(kinds_, ElementsAre(proto::EVENT_KIND_STREAM_LOST));
  Play(5);
  EXPECT_THAT(kinds_,
              ElementsAre(proto::EVENT_KIND_STREAM_LOST, proto::EVENT_KIND_STREAM_RESTORED));
}

TEST_F(StreamHealthTest, AFlappingConnectionRaisesOneUnstableInsteadOfAPairEachTime) {
  health_.Opened(Info());
  for (int i = 0; i < 20; ++i) {
    Play(8);
    Silence(6);
  }
  EXPECT_LE(kinds_.size(), 8u) << "20 losses";
  EXPECT_THAT(details_, ::testing::Contains(HasSubstr("unstable")));
  const size_t before = kinds_.size();
  Play(400);
  EXPECT_EQ(kinds_.size(), before + 1);
  EXPECT_THAT(details_.back(), HasSubstr("stable again"));
}

TEST_F(StreamHealthTest, NamesMissingKeyFramesRateCollapseAndAWrongClock) {
  health_.Opened(Info());
  Play(60);
  EXPECT_TRUE(kinds_.empty()) << details_[0];
  Play(15, 0);
  EXPECT_THAT(details_, ::testing::Contains(HasSubstr("no key frame")));
  Play(5);
  Play(30, 50, 0, 5);
  EXPECT_THAT(details_, ::testing::Contains(HasSubstr("pictures a second instead of")));
  Play(40, 50, -20'000'000);
  EXPECT_THAT(details_, ::testing::Contains(HasSubstr("20.0 s slow")));
  EXPECT_THAT(details_, ::testing::Not(::testing::Contains(HasSubstr("kbit/s instead of"))));
  Play(40, 50, 0, 1, 200);
  EXPECT_THAT(details_, ::testing::Contains(HasSubstr("kbit/s instead of")));
}

TEST_F(StreamHealthTest, NamesTheRateSinceWhenItIsShedAndTheRulesItWeakens) {
  health_.Opened(Info());
  Play(5);
  EXPECT_EQ(health_.Snapshot().reason(), "");
  health_.Shedding(2, {"line-3"});
  Play(90);
  health_.Shedding(2, {"line-3"});
  const std::string reason = health_.Snapshot().reason();
  EXPECT_THAT(reason, ::testing::MatchesRegex(
                          "at 2.0 fps since [0-9][0-9]:[0-9][0-9] UTC; rules weakened: line-3"));
  EXPECT_THAT(health_.Snapshot().weakened_rules(), ElementsAre("line-3"));
  Play(90);
  EXPECT_EQ(health_.Snapshot().reason(), reason) << "the time is that of the beginning";
  health_.Shedding(0, {});
  EXPECT_EQ(health_.Snapshot().reason(), "");
}

TEST_F(StreamHealthTest, ARefusedPasswordIsRaisedOnceAndNotAsLost) {
  for (int i = 0; i < 5; ++i) {
    health_.Connecting();
    health_.ConnectionEnded(LossCause::kAuthentication, "user or password refused");
    Silence(30);
  }
  EXPECT_THAT(kinds_, ElementsAre(proto::EVENT_KIND_AUTHENTICATION_FAILED));
  EXPECT_EQ(health_.Snapshot().state(), proto::STREAM_STATE_AUTHENTICATION_FAILED);
}

TEST_F(StreamHealthTest, TheSamePictureForEightSecondsIsFrozen) {
  health_.Opened(Info());
  Frame frame;
  frame.luma = {8, 8, std::vector<uint8_t>(64, 7)};
  for (int i = 0; i < 20; ++i) {
    Play(0.5);
    health_.FrameMade(frame);
  }
  EXPECT_THAT(kinds_, ElementsAre(proto::EVENT_KIND_TAMPER_FROZEN));
  for (int i = 0; i < 10; ++i) {
    Play(0.5);
    frame.luma.pixels[0] = static_cast<uint8_t>(i);
    health_.FrameMade(frame);
  }
  EXPECT_EQ(kinds_.back(), proto::EVENT_KIND_STREAM_RESTORED);
}

proto::Event StreamEvent(const std::string& camera, proto::EventKind kind) {
  proto::Event event;
  event.set_camera_id(camera);
  event.set_rule_id("stream");
  event.set_kind(kind);
  return event;
}

TEST(SiteWatch, AWholeSiteLostIsOneAlertAndItsReturnAnother) {
  SimulatedClock clock;
  SiteWatch watch(10, clock);
  std::vector<proto::Event> told;
  const auto pass = [&](std::vector<proto::Event> events) {
    for (proto::Event& event : watch.Pass(std::move(events))) told.push_back(std::move(event));
  };
  for (int i = 0; i < 10; ++i) {
    pass({StreamEvent("c" + std::to_string(i), proto::EVENT_KIND_STREAM_LOST)});
    clock.Advance(Milliseconds(200));
  }
  clock.Advance(Seconds(3));
  pass({});
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].kind(), proto::EVENT_KIND_SITE_LOST);
  for (int i = 0; i < 10; ++i)
    pass({StreamEvent("c" + std::to_string(i), proto::EVENT_KIND_STREAM_RESTORED)});
  ASSERT_EQ(told.size(), 2u);
  EXPECT_THAT(told[1].detail(), HasSubstr("site is back"));
}

TEST(SiteWatch, OneLostCameraIsToldOfAfterTheHold) {
  SimulatedClock clock;
  SiteWatch watch(10, clock);
  EXPECT_TRUE(watch.Pass({StreamEvent("a", proto::EVENT_KIND_STREAM_LOST)}).empty());
  clock.Advance(Seconds(3));
  EXPECT_EQ(watch.Pass({}).size(), 1u);
  EXPECT_EQ(watch.Pass({StreamEvent("a", proto::EVENT_KIND_STREAM_RESTORED)}).size(), 1u);
}

TEST(CpuBudget, TheLowestPriorityShedsFirstAndAllRecover) {
  SimulatedClock clock;
  Nanoseconds cpu{0};
  CpuBudget budget(1, clock, [&] { return cpu; });
  const CpuBudget::Share low = budget.Join(2);
  const CpuBudget::Share high = budget.Join(8);
  const auto run = [&](double cores, int seconds) {
    for (int i = 0; i < seconds; ++i) {
      clock.Advance(Seconds(1));
      cpu += Nanoseconds(static_cast<int64_t>(cores * 1e9));
      budget.Tick();
    }
  };
  run(0.5, 10);
  EXPECT_EQ(low.factor(), 1);
  run(2, 3);
  EXPECT_LT(low.factor(), 0.5);
  EXPECT_EQ(high.factor(), 1);
  run(2, 20);
  EXPECT_EQ(low.factor(), CpuBudget::kLeastFactor);
  EXPECT_LT(high.factor(), 0.5);
  run(0.5, 60);
  EXPECT_EQ(low.factor(), 1);
  EXPECT_EQ(high.factor(), 1);
}

TEST(CpuBudget, NamesTheRulesThatTooFewPicturesWeaken) {
  proto::CameraConfig camera;
  camera.set_analysis_fps(10);
  proto::RuleConfig& line = *camera.add_rules();
  line.set_id("line-3");
  line.set_kind(proto::RuleConfig::KIND_LINE_CROSSING);
  proto::RuleConfig& loiter = *camera.add_rules();
  loiter.set_id("loiter");
  loiter.set_kind(proto::RuleConfig::KIND_LOITERING);
  loiter.set_dwell_s(30);
  EXPECT_TRUE(WeakenedRules(camera, 10).empty());
  EXPECT_THAT(WeakenedRules(camera, 2), ElementsAre("line-3"));
}

TEST(ComplexityMonitor, HearsASmallLastingRiseAndIgnoresOneLargePicture) {
  std::mt19937 random(3);
  std::normal_distribution<double> noise(4000, 250);
  ComplexityMonitor monitor;
  for (int i = 0; i < 500; ++i)
    ASSERT_FALSE(monitor.Note(static_cast<size_t>(noise(random)), -1)) << i;
  EXPECT_FALSE(monitor.Note(60'000, -1));
  for (int i = 0; i < 50; ++i) monitor.Note(static_cast<size_t>(noise(random)), -1);
  int heard = -1;
  for (int i = 0; i < 25 && heard < 0; ++i) {
    if (monitor.Note(static_cast<size_t>(noise(random) * 1.4), -1)) heard = i;
  }
  EXPECT_GE(heard, 0) << "a rise of 40 % for a second";
}

}  // namespace
}  // namespace cordon
