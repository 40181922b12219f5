// SPDX-License-Identifier: Apache-2.0
#include "ingest/rtsp_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/rtsp_url.h"

namespace cordon {
namespace {

using Kind = RtspParser::Kind;

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string Frame(uint8_t channel, const std::string& payload) {
  std::string frame = {'$', static_cast<char>(channel), static_cast<char>(payload.size() >> 8),
                       static_cast<char>(payload.size() & 0xff)};
  return frame + payload;
}

// Twelve bytes that look like an RTP header.
std::string Rtp() { return std::string("\x80\x60\0\x01\0\0\0\0\0\0\0\x01", 12); }

// Takes items until the parser wants more; `kinds` of what it found. Returns how much garbage there
// was.
absl::StatusOr<size_t> ParseAll(RtspParser& parser, std::string stream, std::vector<Kind>& kinds) {
  size_t garbage = 0;
  while (!stream.empty()) {
    ASSIGN_OR_RETURN(const RtspParser::Item item, parser.Next(Bytes(stream)));
    garbage += item.garbage;
    if (item.kind != Kind::kNeedMore) kinds.push_back(item.kind);
    if (item.consumed == 0) break;
    stream.erase(0, item.consumed);
  }
  return garbage;
}

TEST(RtspParser, ReadsAReplyWithItsBody) {
  RtspParser parser;
  const std::string text =
      "RTSP/1.0 200 OK\r\nCSeq: 2\r\ncontent-length:  5 \r\nWWW-Authenticate: "
      "a\r\nwww-authenticate: "
      "b\r\n\r\nhello$";
  const auto item = parser.Next(Bytes(text));
  ASSERT_TRUE(item.ok()) << item.status();
  EXPECT_EQ(item->kind, Kind::kReply);
  EXPECT_EQ(item->message.status, 200);
  EXPECT_EQ(item->message.first, "OK");
  EXPECT_EQ(item->message.body, "hello");
  EXPECT_EQ(item->consumed, text.size() - 1);
  EXPECT_THAT(item->message.FindAll("WWW-Authenticate"), testing::ElementsAre("a", "b"));
}

TEST(RtspParser, WaitsForEveryMissingByte) {
  const std::string text = "RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 3\r\n\r\nabc";
  for (size_t n = 0; n < text.size(); ++n) {
    RtspParser parser;
    const auto item = parser.Next(Bytes(text).first(n));
    ASSERT_TRUE(item.ok()) << n;
    EXPECT_EQ(item->kind, Kind::kNeedMore) << n;
    EXPECT_EQ(item->consumed, 0U) << n;
  }
}

TEST(RtspParser, RefusesABodyBeyondTheLimitBeforeItComes) {
  for (const char* length : {"1900000000", "65537", "-1", "99999999999999999999", "12x"}) {
    RtspParser parser;
    const auto item = parser.Next(
        Bytes(std::string("RTSP/1.0 200 OK\r\nContent-Length: ") + length + "\r\n\r\n"));
    EXPECT_EQ(item.status().code(), absl::StatusCode::kDataLoss) << length;
  }
}

TEST(RtspParser, RefusesEndlessLinesHeadsAndHeaders) {
  RtspParser line;
  EXPECT_FALSE(line.Next(Bytes("RTSP/1.0 200 " + std::string(2000, 'x'))).ok());
  std::string many = "RTSP/1.0 200 OK\r\n";
  for (int i = 0; i < 65; ++i) many += "A: b\r\n";
  RtspParser headers;
  EXPECT_FALSE(headers.Next(Bytes(many + "\r\n")).ok());
  std::string long_head = "RTSP/1.0 200 OK\r\n";
  for (int i = 0; i < 60; ++i) long_head += "A: " + std::string(900, 'b') + "\r\n";
  RtspParser head;
  EXPECT_FALSE(head.Next(Bytes(long_head)).ok());
}

TEST(RtspParser, RefusesAnotherProtocol) {
  RtspParser parser;
  EXPECT_EQ(parser.Next(Bytes("SSH-2.0-OpenSSH_9.2\r\n")).status().code(),
            absl::StatusCode::kDataLoss);
}

TEST(RtspParser, FindsFramesBetweenReplies) {
  RtspParser parser;
  parser.Streaming(0, 1);
  std::vector<Kind> kinds;
  const auto garbage = ParseAll(
      parser,
      Frame(0, Rtp()) + "RTSP/1.0 200 OK\r\nCSeq: 4\r\n\r\n" + Frame(1, "rtcp") + Frame(7, "x"),
      kinds);
  ASSERT_TRUE(garbage.ok());
  EXPECT_EQ(*garbage, 0U);
  EXPECT_THAT(kinds, testing::ElementsAre(Kind::kFrame, Kind::kReply, Kind::kFrame, Kind::kFrame));
}

TEST(RtspParser, FindsTheNextFrameBehindGarbage) {
  RtspParser parser;
  parser.Streaming(0, 1);
  std::vector<Kind> kinds;
  const std::string junk = "\xff\xfejunk$$$\x09R";
  const auto garbage =
      ParseAll(parser, Frame(0, Rtp()) + junk + Frame(0, Rtp()) + Frame(1, Rtp()), kinds);
  ASSERT_TRUE(garbage.ok());
  EXPECT_EQ(*garbage, junk.size());
  EXPECT_THAT(kinds, testing::ElementsAre(Kind::kFrame, Kind::kFrame, Kind::kFrame));
}

TEST(RtspParser, GivesUpOnEndlessGarbage) {
  RtspParser parser;
  parser.Streaming(0, 1);
  std::vector<Kind> kinds;
  EXPECT_EQ(ParseAll(parser, std::string(300 * 1024, '\xaa'), kinds).status().code(),
            absl::StatusCode::kDataLoss);
}

TEST(RtspParser, TakesRequestsOfTheCamera) {
  RtspParser parser;
  parser.Streaming(0, 1);
  const auto item = parser.Next(Bytes("REDIRECT rtsp://x/y RTSP/1.0\r\nCSeq: 9\r\n\r\n"));
  ASSERT_TRUE(item.ok());
  EXPECT_EQ(item->kind, Kind::kRequest);
  EXPECT_EQ(item->message.first, "REDIRECT");
}

TEST(HeaderParameter, IsFoundInAnyPlaceAndCase) {
  const std::string_view transport = "RTP/AVP/TCP;unicast; Interleaved=2-3 ;ssrc=\"AB\"";
  EXPECT_EQ(HeaderParameter(transport, "interleaved"), "2-3");
  EXPECT_EQ(HeaderParameter(transport, "ssrc"), "AB");
  EXPECT_EQ(HeaderParameter(transport, "server_port"), "");
}

TEST(RtspUrl, TakesHostAndPortApart) {
  const auto url = ParseRtspUrl("rtsps://[fd00::1]:8322/a?b=c#frag");
  ASSERT_TRUE(url.ok()) << url.status();
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->host, "fd00::1");
  EXPECT_EQ(url->port, 8322);
  EXPECT_EQ(url->text, "rtsps://[fd00::1]:8322/a?b=c");
  EXPECT_EQ(ParseRtspUrl("RTSP://cam/x")->port, 554);
  EXPECT_EQ(ParseRtspUrl("rtsps://cam")->port, 322);
}

TEST(RtspUrl, RefusesUserInfoWithoutEchoingIt) {
  const auto url = ParseRtspUrl("rtsp://admin:hunter2@10.0.0.1/x");
  ASSERT_FALSE(url.ok());
  EXPECT_THAT(std::string(url.status().message()), testing::HasSubstr("password_file"));
  EXPECT_THAT(std::string(url.status().message()), testing::Not(testing::HasSubstr("hunter2")));
}

TEST(RtspUrl, RefusesWhatIsNoCameraAddress) {
  for (const char* text : {"http://x/", "file:///etc/passwd", "concat:a|b", "rtsp://", "rtsp:///x",
                           "rtsp://h:0/", "rtsp://h:65536/", "rtsp://h:12a/", "rtsp://[::1/",
                           "rtsp://h/a b", "rtsp://h/\r\nX: y", "", "://", "rtsp://[::1]x/"}) {
    EXPECT_EQ(ParseRtspUrl(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
  EXPECT_FALSE(ParseRtspUrl("rtsp://h/" + std::string(1000, 'a')).ok());
}

TEST(RtspUrl, JoinsControls) {
  EXPECT_EQ(JoinControl("rtsp://h/a", "track1"), "rtsp://h/a/track1");
  EXPECT_EQ(JoinControl("rtsp://h/a/", "/track1"), "rtsp://h/a/track1");
  EXPECT_EQ(JoinControl("rtsp://h/a", "*"), "rtsp://h/a");
  EXPECT_EQ(JoinControl("rtsp://h/a", "rtsp://h/b"), "rtsp://h/b");
  EXPECT_EQ(JoinControl("rtsp://h/a?x=1", "trackID=0"), "rtsp://h/a?x=1/trackID=0");
}

}  // namespace
}  // namespace cordon
