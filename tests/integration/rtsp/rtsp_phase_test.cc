// SPDX-License-Identifier: Apache-2.0
// A camera that stalls, lies about lengths or refuses costs its own session only: the deadline of
// each phase holds, memory stays bounded, and the message says what happened.
#include <fmt/format.h>

#include <thread>

#include "absl/strings/escaping.h"
#include "ingest/rtsp_auth.h"
#include "tests/integration/rtsp/rtsp_client_fixture.h"

namespace cordon::testing {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Text(const absl::Status& status) { return std::string(MessageOf(status)); }

// Opens against the script; the whole must be over `within` plus the grace.
Viewing OpenWithin(const FaultRtspServer& server, Milliseconds within, RtspOptions options = {}) {
  if (options.url.empty()) options = QuickOptions(server.Url());
  const BootTime begin = SystemClock().Boot();
  Viewing run = Play(std::move(options), 1000, Milliseconds(2000));
  run.source.reset();
  EXPECT_LT(SystemClock().Boot() - begin, within + kGrace);
  return run;
}

TEST(RtspPhase, SilenceAfterAcceptEndsAtTheReplyDeadline) {
  FaultRtspServer server([](FaultSession& s) { s.Silence(); });
  const Viewing run = OpenWithin(server, Milliseconds(400));
  EXPECT_EQ(run.opened.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(Text(run.opened), HasSubstr("OPTIONS"));
}

TEST(RtspPhase, SilenceAfterTheSessionDescriptionIsFoundInSetup) {
  FaultRtspServer server([](FaultSession& s) {
    while (const auto request = s.Next()) {
      if (request->method == "SETUP") return s.Silence();
      s.Serve(*request, Sdp(false));
    }
  });
  const Viewing run = OpenWithin(server, Milliseconds(400));
  EXPECT_EQ(run.opened.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(Text(run.opened), HasSubstr("SETUP"));
}

TEST(RtspPhase, SilenceAfterPlayIsFoundAtTheFirstPacket) {
  FaultRtspServer server([](FaultSession& s) {
    if (s.ServeUntilPlay(Sdp(false))) s.Silence();
  });
  const Viewing run = OpenWithin(server, Milliseconds(400 + 300));
  EXPECT_EQ(run.opened.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(Text(run.opened), HasSubstr("PLAY"));
}

TEST(RtspPhase, PacketsWithoutAPictureAreFoundAtTheFirstPicture) {
  FaultRtspServer server([](FaultSession& s) {
    if (!s.ServeUntilPlay(Sdp(false))) return;
    RtpPiece piece;
    piece.payload = std::string("\x06\x05\x01\x00\x80", 5);  // SEI for ever
    while (s.SendRtp(piece.Bytes()) && s.Pause(Milliseconds(20))) {
      ++piece.sequence;
      piece.timestamp += 3600;
    }
  });
  const Viewing run = OpenWithin(server, Milliseconds(600 + 300));
  EXPECT_TRUE(run.opened.ok()) << run.opened;
  EXPECT_EQ(run.ended.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Text(run.ended), HasSubstr("no whole picture"));
}

TEST(RtspPhase, OneByteAtATimeCannotStretchADeadline) {
  FaultRtspServer server([](FaultSession& s) {
    if (s.Next())
      s.Drip("RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: " + std::string(500, 'x'), Milliseconds(50));
  });
  const Viewing run = OpenWithin(server, Milliseconds(400));
  EXPECT_EQ(run.opened.code(), absl::StatusCode::kDeadlineExceeded);
}

TEST(RtspPhase, ABodyThatNeverEndsEndsAtTheReplyDeadline) {
  FaultRtspServer server([](FaultSession& s) {
    while (const auto request = s.Next()) {
      if (request->method != "DESCRIBE") {
        s.Serve(*request, "");
        continue;
      }
      s.Send(fmt::format("RTSP/1.0 200 OK\r\nCSeq: {}\r\nContent-Length: 1000\r\n\r\nv=0\r\n",
                         request->Header("CSeq")));
      return s.Silence();
    }
  });
  const Viewing run = OpenWithin(server, Milliseconds(400));
  EXPECT_EQ(run.opened.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(Text(run.opened), HasSubstr("DESCRIBE"));
}

TEST(RtspPhase, ARefusedConnectionSaysSo) {
  std::string url;
  {
    FaultRtspServer server([](FaultSession&) {});
    url = server.Url();
  }
  const Viewing run = Play(QuickOptions(url));
  EXPECT_EQ(run.opened.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Text(run.opened), HasSubstr("refused"));
}

TEST(RtspPhase, AnInterruptEndsEveryPhaseSoon) {
  // How far the camera goes before it falls silent.
  for (const char* last : {"", "OPTIONS", "DESCRIBE", "SETUP", "PLAY"}) {
    SCOPED_TRACE(last);
    FaultRtspServer server([last](FaultSession& s) {
      while (const auto request = s.Next()) {
        if (last[0] == '\0') break;
        s.Serve(*request, Sdp(false));
        if (request->method == last) break;
      }
      s.Silence();
    });
    RtspOptions options = QuickOptions(server.Url());
    options.deadlines.reply = options.deadlines.first_packet = Seconds(20);
    const auto source = NewRtspSource(options, SystemClock());
    absl::Status status;
    std::thread owner([&] { status = source->Open().status(); });
    ASSERT_TRUE(server.AwaitMethod(last[0] == '\0' ? "OPTIONS" : last, Seconds(5)));
    const BootTime begin = SystemClock().Boot();
    source->Interrupt();
    owner.join();
    EXPECT_LT(SystemClock().Boot() - begin, Milliseconds(300));
    EXPECT_EQ(status.code(), absl::StatusCode::kCancelled) << status;
  }
}

// Hostile lengths: the client's memory may grow by 64 MB at most.
class RtspHostileLength : public ::testing::Test {
 protected:
  void Expect(FaultRtspServer::Script script, absl::StatusCode code) {
    FaultRtspServer server(std::move(script));
    const double before = Holdings::Now().resident_mib;
    const Viewing run = OpenWithin(server, Milliseconds(1200));
    const absl::Status& status = run.opened.ok() ? run.ended : run.opened;
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_LT(Holdings::Now().resident_mib, before + 64);
  }
  // Answers DESCRIBE by `head` and then sends `more` for ever.
  static FaultRtspServer::Script Describe(std::string head, std::string more) {
    return [head, more](FaultSession& s) {
      while (const auto request = s.Next()) {
        if (request->method != "DESCRIBE") {
          s.Serve(*request, "");
          continue;
        }
        s.Send(fmt::format("RTSP/1.0 200 OK\r\nCSeq: {}\r\n", request->Header("CSeq")) + head);
        while (!more.empty() && s.Send(more)) {
        }
        return s.Silence();
      }
    };
  }
};

TEST_F(RtspHostileLength, ABodyOfTwoGigabytesIsRefusedAtItsHead) {
  Expect(Describe("Content-Length: 1900000000\r\n\r\n", std::string(65536, 'a')),
         absl::StatusCode::kDataLoss);
}

TEST_F(RtspHostileLength, HeadersWithoutEndAreRefused) {
  Expect(Describe("X: y\r\n", "X: yyyyyyyyyyyyyyyyyyyyyyyyy\r\n"), absl::StatusCode::kDataLoss);
  Expect(Describe("", std::string(65536, 'a')), absl::StatusCode::kDataLoss);
}

TEST_F(RtspHostileLength, ADescriptionWithoutEndIsRefused) {
  // Without Content-Length there is no body: what follows is no RTSP any more.
  Expect(
      Describe("Content-Type: application/sdp\r\n\r\n", "a=x:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"),
      absl::StatusCode::kDataLoss);
}

TEST_F(RtspHostileLength, TenThousandMediaAreRefused) {
  std::string sdp = "v=0\r\n";
  while (sdp.size() < 60'000) sdp += "m=video 0 RTP/AVP 96\r\n";
  Expect(Describe(fmt::format("Content-Length: {}\r\n\r\n", sdp.size()) + sdp, ""),
         absl::StatusCode::kDataLoss);
}

TEST_F(RtspHostileLength, FramesThatLieAboutTheirLengthAreSkippedOver) {
  const auto pieces = Packetize(TestVideo(false), false);
  FaultRtspServer server([&](FaultSession& s) {
    if (!s.ServeUntilPlay(Sdp(false))) return;
    for (size_t i = 0; i < pieces.size(); ++i) {
      std::string packet = pieces[i].Bytes();
      if (i % 40 == 39) {
        // Says 65,535 bytes once and three bytes too few the other times.
        const size_t length = i == 39 ? 65535 : packet.size() - 3;
        s.Send({"$\0", 2});
        s.Send(std::string{static_cast<char>(length >> 8), static_cast<char>(length & 0xff)} +
               packet);
      } else {
        s.SendRtp(packet);
      }
    }
    s.Hold();
  });
  const Viewing run = Play(QuickOptions(server.Url()));
  EXPECT_TRUE(run.opened.ok()) << run.opened;
  EXPECT_GT(run.pictures.size(), 20U);
  EXPECT_GT(run.stats.garbage_bytes, 0U);
  EXPECT_GT(run.stats.lost_packets, 0U);
  EXPECT_FALSE(run.Losses().empty());
}

TEST(RtspStream, GarbageBetweenPacketsIsSkippedAndCounted) {
  const auto pieces = Packetize(TestVideo(false), false);
  FaultRtspServer server([&](FaultSession& s) {
    if (!s.ServeUntilPlay(Sdp(false))) return;
    for (size_t i = 0; i < pieces.size(); ++i) {
      if (i == 30) s.Send(std::string(6000, '\x5a'));
      s.SendRtp(pieces[i].Bytes());
    }
    s.Hold();
  });
  const Viewing run = Play(QuickOptions(server.Url()));
  EXPECT_EQ(run.pictures.size(), 100U);
  EXPECT_EQ(run.stats.garbage_bytes, 6000U);
  EXPECT_EQ(run.stats.lost_packets, 0U);
}

TEST(RtspStream, EndlessGarbageEndsTheSession) {
  FaultRtspServer server([](FaultSession& s) {
    if (!s.ServeUntilPlay(Sdp(false))) return;
    RtpPiece piece;
    piece.payload = "\x41\x9a";
    s.SendRtp(piece.Bytes());
    while (s.Send(std::string(4096, '\x5a'))) {
    }
  });
  const Viewing run = OpenWithin(server, Milliseconds(1500));
  const absl::Status& status = run.opened.ok() ? run.ended : run.opened;
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
}

TEST(RtspStream, FramesOfAnotherSessionAreDroppedEvenBeforeAuthentication) {
  const auto pieces = Packetize(TestVideo(false), false);
  FaultRtspServer server([&](FaultSession& s) {
    RtpPiece foreign = pieces[0];
    foreign.ssrc = 77;
    for (int i = 0; i < 5; ++i) s.SendInterleaved(0, foreign.Bytes());
    if (!s.ServeUntilPlay(Sdp(false))) return;
    for (const RtpPiece& piece : pieces) {
      s.SendInterleaved(6, foreign.Bytes());
      s.SendRtp(piece.Bytes());
    }
    s.Hold();
  });
  const Viewing run = Play(QuickOptions(server.Url()));
  EXPECT_EQ(run.pictures.size(), 100U);
  EXPECT_GE(run.stats.foreign_packets, pieces.size());
  EXPECT_TRUE(run.Losses().empty());
}

TEST(RtspStream, ACloseInTheMiddleOfAFrameIsAFaultNotAnEnd) {
  const auto pieces = Packetize(TestVideo(false), false);
  FaultRtspServer server([&](FaultSession& s) {
    if (!s.ServeUntilPlay(Sdp(false))) return;
    for (size_t i = 0; i < 50; ++i) s.SendRtp(pieces[i].Bytes());
    s.Send(std::string("$\0\x04\x00half", 8));
  });
  const Viewing run = Play(QuickOptions(server.Url()));
  EXPECT_EQ(run.ended.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Text(run.ended), HasSubstr("closed"));
}

TEST(RtspSession, RedirectsAreNotFollowed) {
  FaultRtspServer elsewhere([](FaultSession& s) { s.Silence(); });
  FaultRtspServer server([&](FaultSession& s) {
    while (const auto request = s.Next()) {
      if (request->method == "DESCRIBE") {
        s.Reply(*request, 302, "Location: " + elsewhere.Url() + "\r\n");
      } else {
        s.Serve(*request, "");
      }
    }
  });
  const Viewing run = OpenWithin(server, Milliseconds(400));
  EXPECT_EQ(run.opened.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Text(run.opened), HasSubstr("redirects are not followed"));
  EXPECT_EQ(elsewhere.connections(), 0);
}

TEST(RtspSession, EveryRefusalHasItsKind) {
  const std::pair<int, absl::StatusCode> kinds[] = {{403, absl::StatusCode::kPermissionDenied},
                                                    {404, absl::StatusCode::kNotFound},
                                                    {461, absl::StatusCode::kInvalidArgument},
                                                    {453, absl::StatusCode::kUnavailable},
                                                    {500, absl::StatusCode::kUnavailable}};
  for (const auto& [status, code] : kinds) {
    FaultRtspServer server([status = status](FaultSession& s) {
      while (const auto request = s.Next()) {
        if (request->method == "SETUP") {
          s.Reply(*request, status);
        } else {
          s.Serve(*request, Sdp(false));
        }
      }
    });
    EXPECT_EQ(Play(QuickOptions(server.Url())).opened.code(), code) << status;
  }
}

TEST(RtspSession, KeepsTheSessionAliveAndSaysGoodbye) {
  const auto pieces = Packetize(TestVideo(false), false);
  FaultRtspServer server([&](FaultSession& s) {
    if (!s.ServeUntilPlay(Sdp(false))) return;
    for (const RtpPiece& piece : pieces) s.SendRtp(piece.Bytes());
    s.Hold();
  });
  // The server's session lasts 2 s, so a keep-alive must come within one.
  Viewing run = Play(QuickOptions(server.Url()), 1000, Milliseconds(1500));
  EXPECT_EQ(run.ended.code(), absl::StatusCode::kDeadlineExceeded) << run.ended;
  EXPECT_THAT(server.Methods(), Contains("GET_PARAMETER"));
  run.source.reset();
  EXPECT_TRUE(server.AwaitMethod("TEARDOWN", Seconds(2)));
}

TEST(RtspSession, AForgottenSessionEndsTheSource) {
  FaultRtspServer server([](FaultSession& s) {
    if (!s.ServeUntilPlay(Sdp(false))) return;
    RtpPiece piece;
    piece.payload = "\x41\x9a";
    piece.marker = true;
    s.SendRtp(piece.Bytes());
    if (const auto request = s.Next()) s.Reply(*request, 454);
    s.Hold();
  });
  const Viewing run = Play(QuickOptions(server.Url()), 1000, Milliseconds(2500));
  EXPECT_EQ(run.ended.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Text(run.ended), HasSubstr("forgotten"));
}

// Authentication.
constexpr const char* kPassword = "s3cret-Canary-77";

RtspOptions WithUser(const FaultRtspServer& server) {
  RtspOptions options = QuickOptions(server.Url());
  options.username = "admin";
  options.password = Secret(kPassword);
  return options;
}

// Does the request prove the password against this nonce?
bool Proves(const FaultSession::Request& request, const std::string& nonce) {
  const std::string header = request.Header("Authorization");
  if (header.find("nonce=\"" + nonce + "\"") == std::string::npos) return false;
  const std::string ha1 = HashHex(false, fmt::format("admin:cam:{}", kPassword));
  const std::string ha2 = HashHex(false, request.method + ":" + request.url);
  return header.find(HashHex(false, ha1 + ":" + nonce + ":" + ha2)) != std::string::npos;
}

std::string Challenge(const std::string& nonce, bool stale = false) {
  return fmt::format("WWW-Authenticate: Digest realm=\"cam\", nonce=\"{}\"{}\r\n", nonce,
                     stale ? ", stale=TRUE" : "");
}

TEST(RtspAuthentication, DigestOpensTheStream) {
  const auto pieces = Packetize(TestVideo(false), false);
  FaultRtspServer server([&](FaultSession& s) {
    while (const auto request = s.Next()) {
      if (!Proves(*request, "n1")) {
        s.Reply(*request, 401, Challenge("n1"));
      } else if (s.Serve(*request, Sdp(false)) && request->method == "PLAY") {
        break;
      }
    }
    for (const RtpPiece& piece : pieces) s.SendRtp(piece.Bytes());
    s.Hold();
  });
  const Viewing run = Play(WithUser(server));
  EXPECT_TRUE(run.opened.ok()) << run.opened;
  EXPECT_EQ(run.pictures.size(), 100U);
  EXPECT_THAT(server.Received(), Not(HasSubstr(kPassword)));
}

TEST(RtspAuthentication, AStaleNonceIsRenewed) {
  FaultRtspServer server([](FaultSession& s) {
    std::string nonce = "n1";
    int used = 0;
    while (const auto request = s.Next()) {
      if (!Proves(*request, nonce) || ++used == 2) {
        const bool stale = !request->Header("Authorization").empty();
        nonce = fmt::format("n{}", used + 2);
        s.Reply(*request, 401, Challenge(nonce, stale));
      } else {
        s.Serve(*request, Sdp(false));
        if (request->method == "PLAY") break;
      }
    }
    RtpPiece piece;
    piece.payload = "\x41\x9a";
    piece.marker = true;
    s.SendRtp(piece.Bytes());
    s.Hold();
  });
  const Viewing run = Play(WithUser(server));
  EXPECT_TRUE(run.opened.ok()) << run.opened;
}

TEST(RtspAuthentication, AWrongPasswordIsTriedOnce) {
  FaultRtspServer server([](FaultSession& s) {
    while (const auto request = s.Next()) s.Reply(*request, 401, Challenge("n"));
  });
  const Viewing run = OpenWithin(server, Milliseconds(400), WithUser(server));
  EXPECT_EQ(run.opened.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(Text(run.opened),
              AllOf(HasSubstr("refuses the user or password"), Not(HasSubstr(kPassword))));
  EXPECT_EQ(server.Methods().size(), 2U) << "once without an answer, once with it";
}

TEST(RtspAuthentication, AStaleLoopEnds) {
  FaultRtspServer server([](FaultSession& s) {
    for (int i = 0;; ++i) {
      const auto request = s.Next();
      if (!request) return;
      s.Reply(*request, 401, Challenge(fmt::format("n{}", i), true));
    }
  });
  const Viewing run = OpenWithin(server, Milliseconds(400), WithUser(server));
  EXPECT_EQ(run.opened.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_LE(server.Methods().size(), 4U);
}

TEST(RtspAuthentication, BasicIsNotSentInClearUnlessAllowed) {
  const std::string basic = "Basic " + absl::Base64Escape(fmt::format("admin:{}", kPassword));
  const auto script = [basic](FaultSession& s) {
    while (const auto request = s.Next()) {
      if (request->Header("Authorization") != basic) {
        s.Reply(*request, 401, "WWW-Authenticate: Basic realm=\"cam\"\r\n");
        continue;
      }
      s.Serve(*request, Sdp(false));
      if (request->method == "PLAY") break;
    }
    RtpPiece piece;
    piece.payload = "\x41\x9a";
    piece.marker = true;
    s.SendRtp(piece.Bytes());
    s.Hold();
  };
  FaultRtspServer strict(script);
  const Viewing refused = Play(WithUser(strict));
  EXPECT_EQ(refused.opened.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(Text(refused.opened), HasSubstr("allow_basic_auth"));
  EXPECT_THAT(strict.Received(), Not(HasSubstr("Authorization")));
  FaultRtspServer lenient(script);
  RtspOptions options = WithUser(lenient);
  options.allow_basic_auth = true;
  EXPECT_TRUE(Play(options).opened.ok());
}

// Server-side request forgery: what the client may be sent to.
TEST(RtspAddress, RefusedAddressesGetNoByte) {
  FaultRtspServer server([](FaultSession& s) { s.Silence(); });
  for (const char* host : {"127.1", "0x7f.1", "[::ffff:127.0.0.1]", "2130706433"}) {
    const Viewing run = Play(QuickOptions(fmt::format("rtsp://{}:{}/camera", host, server.port())));
    EXPECT_EQ(run.opened.code(), absl::StatusCode::kPermissionDenied) << host << ": " << run.opened;
  }
  RtspOptions listed = QuickOptions(server.Url());
  listed.addresses.networks = {"10.0.0.0/8"};
  EXPECT_EQ(Play(listed).opened.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(server.connections(), 0);
}

TEST(RtspSoak, TwoHundredReconnectsLeaveMemoryAndDescriptorsFlat) {
  const auto pieces = Packetize(TestVideo(false), false);
  FaultRtspServer server([&](FaultSession& s) {
    if (!s.ServeUntilPlay(Sdp(false))) return;
    for (size_t i = 0; i < 30; ++i) s.SendRtp(pieces[i].Bytes());  // and hangs up
  });
  const auto once = [&] { Play(QuickOptions(server.Url())).source.reset(); };
  for (int i = 0; i < 50; ++i) once();
  const Holdings before = Holdings::Now();
  for (int i = 0; i < 150; ++i) once();
  const Holdings after = Holdings::Now();
  // The server, in this process too, remembers about a kilobyte of each connection.
  EXPECT_LE(after.allocated_mib, before.allocated_mib + 1);
  if (kResidentTells) {
    EXPECT_LE(after.resident_mib, before.resident_mib + 4);
  }
  EXPECT_LE(after.descriptors, before.descriptors + 4);
}

}  // namespace
}  // namespace cordon::testing
