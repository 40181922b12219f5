// SPDX-License-Identifier: Apache-2.0
#include "ingest/sdp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cordon {
namespace {

using testing::HasSubstr;

constexpr const char* kCamera =
    "v=0\r\n"
    "o=- 1 1 IN IP4 192.168.1.64\r\n"
    "s=Media Presentation\r\n"
    "a=control:*\r\n"
    "m=audio 0 RTP/AVP 8\r\n"
    "a=rtpmap:8 PCMA/8000\r\n"
    "a=control:trackID=2\r\n"
    "m=video 0 RTP/AVP 96\r\n"
    "a=rtpmap:96 h264/90000 \r\n"
    "a=framerate:25.0\r\n"
    "a=fmtp:96 profile-level-id=420029; packetization-mode=1; "
    "sprop-parameter-sets=Z00AKZpmA8ARPy4C1AQEBQ==,aO48gA==\r\n"
    "a=control:trackID=1\r\n";

TEST(Sdp, FindsTheVideoOfACamera) {
  const auto session = ParseSdp(kCamera);
  ASSERT_TRUE(session.ok());
  EXPECT_EQ(session->control, "*");
  const auto track = ChooseVideo(*session);
  ASSERT_TRUE(track.ok()) << track.status();
  EXPECT_EQ(track->codec, VideoCodec::kH264);
  EXPECT_EQ(track->payload_type, 96);
  EXPECT_EQ(track->clock_rate, 90000U);
  EXPECT_EQ(track->control, "trackID=1");
  EXPECT_EQ(track->frame_rate, 25.0);
  ASSERT_EQ(track->parameter_sets.size(), 2U);
  EXPECT_EQ(track->parameter_sets[0][0] & 0x1f, 7);
  EXPECT_EQ(track->parameter_sets[1][0] & 0x1f, 8);
}

TEST(Sdp, OrdersTheSetsOfH265) {
  const auto session = ParseSdp(
      "v=0\nm=video 0 RTP/AVP 98\na=rtpmap:98 H265/90000\n"
      "a=fmtp:98 sprop-pps=RAHgdrAwZkA=;sprop-sps=QgEBAWAAAAMA;sprop-vps=QAEMAf//AWAA\n");
  ASSERT_TRUE(session.ok());
  const auto track = ChooseVideo(*session);
  ASSERT_TRUE(track.ok());
  EXPECT_EQ(track->codec, VideoCodec::kH265);
  ASSERT_EQ(track->parameter_sets.size(), 3U);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(track->parameter_sets[static_cast<size_t>(i)][0] >> 1 & 0x3f, 32 + i);
  }
}

TEST(Sdp, LeavesBrokenParameterSetsOut) {
  const auto session = ParseSdp(
      "v=0\nm=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
      "a=fmtp:96 sprop-parameter-sets=!!!,AAAA,,aO48gA==\n");
  ASSERT_TRUE(session.ok());
  EXPECT_EQ(ChooseVideo(*session)->parameter_sets.size(), 1U);
}

TEST(Sdp, SurvivesAZeroClock) {
  const auto session = ParseSdp("v=0\nm=video 0 RTP/AVP 96\na=rtpmap:96 H264/0\n");
  ASSERT_TRUE(session.ok());
  EXPECT_EQ(ChooseVideo(*session)->clock_rate, 90000U);
}

TEST(Sdp, NamesWhatIsThereInstead) {
  const auto session =
      ParseSdp("v=0\nm=video 0 RTP/AVP 26\na=rtpmap:26 JPEG/90000\nm=audio 0 RTP/AVP 0\n");
  ASSERT_TRUE(session.ok());
  const absl::Status status = ChooseVideo(*session).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              testing::AllOf(HasSubstr("video JPEG"), HasSubstr("audio")));
}

TEST(Sdp, RefusesWhatIsTooMuch) {
  EXPECT_FALSE(ParseSdp(std::string(70 * 1024, 'a')).ok());
  EXPECT_FALSE(ParseSdp("v=0\na=x:" + std::string(2000, 'y') + "\n").ok());
  std::string media = "v=0\n";
  for (int i = 0; i < 17; ++i) media += "m=video 0 RTP/AVP 96\n";
  const absl::Status status = ParseSdp(media).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("16 media"));
  EXPECT_FALSE(ParseSdp("<html>not found</html>").ok());
  EXPECT_FALSE(ParseSdp("").ok());
}

}  // namespace
}  // namespace cordon
