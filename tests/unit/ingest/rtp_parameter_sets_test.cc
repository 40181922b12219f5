// SPDX-License-Identifier: Apache-2.0
#include "ingest/rtp_parameter_sets.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "ingest/rtp_decoding_times.h"
#include "tests/support/rtp_stream.h"

namespace cordon {
namespace {

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

TEST(SequenceSet, ReadsWhatEncodersWrite) {
  struct Case {
    bool h265;
    const char* size;
    const char* more;
    int reorder;
  };
  const Case cases[] = {{false, "320x240", "", 0},
                        {false, "1920x1080", "-profile:v high -bf 2", 2},
                        {false, "642x362", "-profile:v baseline", 0},
                        {true, "640x360", "", 0},
                        {true, "1920x1080", "", 0}};
  for (const Case& c : cases) {
    SCOPED_TRACE(std::string(c.size) + " " + c.more);
    testing::TemporaryFolder folder;
    const std::string stream = testing::EncodeTestVideo(folder, c.h265, 2, 25, c.size, c.more);
    ASSERT_FALSE(stream.empty());
    const VideoCodec codec = c.h265 ? VideoCodec::kH265 : VideoCodec::kH264;
    const auto facts = ParseSequenceSet(codec, FindSequenceSet(codec, Bytes(stream)));
    ASSERT_TRUE(facts.has_value());
    EXPECT_EQ(std::to_string(facts->width) + "x" + std::to_string(facts->height), c.size);
    EXPECT_EQ(facts->reorder, c.reorder);
    if (!c.h265) {
      EXPECT_DOUBLE_EQ(facts->frame_rate, 25);
    }
  }
}

TEST(SequenceSet, RefusesSizesThatNoCameraHas) {
  // Baseline, 65,536 macroblocks wide.
  const std::string sps = absl::HexStringToBytes("6742001ef80000800008000120");
  EXPECT_FALSE(ParseSequenceSet(VideoCodec::kH264, Bytes(sps)).has_value());
}

TEST(SequenceSet, TruncatedAndRandomOnesDoNoHarm) {
  testing::TemporaryFolder folder;
  for (const bool h265 : {false, true}) {
    const VideoCodec codec = h265 ? VideoCodec::kH265 : VideoCodec::kH264;
    const std::string stream = testing::EncodeTestVideo(folder, h265, 1, 25);
    const auto sps = FindSequenceSet(codec, Bytes(stream));
    ASSERT_FALSE(sps.empty());
    for (size_t n = 0; n < sps.size(); ++n) ParseSequenceSet(codec, sps.first(n));
    std::mt19937 random(8);
    for (int i = 0; i < 20000; ++i) {
      std::vector<uint8_t> bent(sps.begin(), sps.end());
      for (int k = 0; k < 4; ++k)
        bent[1 + random() % (bent.size() - 1)] = static_cast<uint8_t>(random());
      ParseSequenceSet(codec, bent);
      FindSequenceSet(codec, bent);
    }
  }
}

TEST(DecodingTimes, ArePresentationTimesWithoutBFrames) {
  DecodingTimes times;
  for (int64_t pts = 0; pts < 400; pts += 40) EXPECT_EQ(times.Next(pts, pts == 0), pts);
}

TEST(DecodingTimes, RiseAndNeverPassThePresentationWithBFrames) {
  DecodingTimes times;
  times.SetReorder(2);
  int64_t last = times.Next(0, true);
  // I, then P B b b ... in units of 40 ms: a pyramid of depth two.
  for (int64_t group = 0; group < 10; ++group) {
    for (int64_t offset : {4, 2, 1, 3}) {
      const int64_t pts = (group * 4 + offset) * 40'000;
      const int64_t dts = times.Next(pts, false);
      EXPECT_GT(dts, last);
      EXPECT_LE(dts, pts);
      last = dts;
    }
  }
}

TEST(DecodingTimes, StayRisingAcrossRunsAndEqualTimes) {
  DecodingTimes times;
  int64_t last = times.Next(100, true);
  for (int64_t pts : {100, 100, 90, 200}) {
    const int64_t dts = times.Next(pts, pts == 90);
    EXPECT_GT(dts, last);
    last = dts;
  }
}

}  // namespace
}  // namespace cordon
