// SPDX-License-Identifier: Apache-2.0
#include "ingest/rtsp_auth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cordon {
namespace {

using testing::HasSubstr;
using testing::Not;

RtspAuthenticator Mufasa(bool basic) { return {"Mufasa", Secret("Circle Of Life"), basic}; }

TEST(RtspAuthenticator, AnswersDigestAsTheStandardsExample) {
  // RFC 2617's user and password, without qop as most cameras ask: hand-checked with md5sum.
  auto auth = Mufasa(false);
  ASSERT_TRUE(
      auth.OnUnauthorized(
              {"Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
               "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""})
          .ok());
  const std::string header = auth.Authorization("GET", "/dir/index.html");
  EXPECT_THAT(header, HasSubstr("response=\"670fd8c2df070c60b045671b8b24ff02\""));
  EXPECT_THAT(header, HasSubstr("opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""));
  EXPECT_THAT(header, Not(HasSubstr("Circle")));
}

TEST(RtspAuthenticator, CountsTheNonceWithQop) {
  auto auth = Mufasa(false);
  ASSERT_TRUE(auth.OnUnauthorized(
                      {"Digest realm=\"r\", nonce=\"n\", qop=\"auth,auth-int\", algorithm=SHA-256"})
                  .ok());
  EXPECT_THAT(auth.Authorization("PLAY", "rtsp://h"),
              testing::AllOf(HasSubstr("nc=00000001"), HasSubstr("qop=auth,"),
                             HasSubstr("algorithm=SHA-256")));
  EXPECT_THAT(auth.Authorization("PLAY", "rtsp://h"), HasSubstr("nc=00000002"));
}

TEST(RtspAuthenticator, PrefersTheStrongestOffered) {
  auto auth = Mufasa(true);
  ASSERT_TRUE(auth.OnUnauthorized({"Basic realm=\"r\"", "Digest realm=\"r\", nonce=\"md5\"",
                                   "Digest realm=\"r\", nonce=\"sha\", algorithm=SHA-256"})
                  .ok());
  EXPECT_THAT(auth.Authorization("PLAY", "u"), HasSubstr("nonce=\"sha\""));
}

TEST(RtspAuthenticator, NeverSendsBasicUnlessAllowed) {
  auto refused = Mufasa(false);
  const absl::Status status = refused.OnUnauthorized({"Basic realm=\"r\""});
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(std::string(status.message()), HasSubstr("allow_basic_auth"));
  EXPECT_EQ(refused.Authorization("PLAY", "u"), "");
  auto allowed = Mufasa(true);
  ASSERT_TRUE(allowed.OnUnauthorized({"Basic realm=\"r\""}).ok());
  EXPECT_EQ(allowed.Authorization("PLAY", "u"), "Basic TXVmYXNhOkNpcmNsZSBPZiBMaWZl");
}

TEST(RtspAuthenticator, TriesAWrongPasswordOnceOnly) {
  auto auth = Mufasa(false);
  EXPECT_TRUE(auth.OnUnauthorized({"Digest realm=\"r\", nonce=\"1\""}).ok());
  EXPECT_FALSE(auth.OnUnauthorized({"Digest realm=\"r\", nonce=\"2\""}).ok());
}

TEST(RtspAuthenticator, FollowsAStaleNonceButNotForEver) {
  auto auth = Mufasa(false);
  EXPECT_TRUE(auth.OnUnauthorized({"Digest realm=\"r\", nonce=\"1\""}).ok());
  auth.OnAccepted();
  EXPECT_TRUE(auth.OnUnauthorized({"Digest realm=\"r\", nonce=\"2\", stale=TRUE"}).ok());
  EXPECT_TRUE(auth.OnUnauthorized({"Digest realm=\"r\", nonce=\"3\", stale=true"}).ok());
  EXPECT_TRUE(auth.OnUnauthorized({"Digest realm=\"r\", nonce=\"4\", stale=true"}).ok());
  EXPECT_FALSE(auth.OnUnauthorized({"Digest realm=\"r\", nonce=\"5\", stale=true"}).ok());
}

TEST(RtspAuthenticator, SaysWhatIsMissing) {
  RtspAuthenticator nobody("", Secret(), false);
  EXPECT_THAT(std::string(nobody.OnUnauthorized({"Digest realm=\"r\", nonce=\"n\""}).message()),
              HasSubstr("username"));
  auto auth = Mufasa(false);
  EXPECT_THAT(std::string(auth.OnUnauthorized(
                                  {"NTLM", "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512"})
                              .message()),
              HasSubstr("no authentication that is known"));
}

TEST(RtspAuthenticator, KeepsQuotesInsideQuotes) {
  RtspAuthenticator auth("a\"b", Secret("p"), false);
  ASSERT_TRUE(auth.OnUnauthorized({"Digest realm=\"say \\\"hi\\\"\", nonce=\"n\""}).ok());
  const std::string header = auth.Authorization("PLAY", "u");
  EXPECT_THAT(header, HasSubstr("username=\"a\\\"b\""));
  EXPECT_THAT(header, HasSubstr("realm=\"say \\\"hi\\\"\""));
}

TEST(ParseChallenge, RefusesBrokenOnes) {
  for (const char* text : {"", "Digest", "Digest ", "Digest realm=\"r\"",
                           "Digest nonce=\"unterminated", "Digest nonce=,", "Digest =,=,="}) {
    EXPECT_FALSE(ParseChallenge(text).has_value()) << text;
  }
  EXPECT_FALSE(ParseChallenge("Digest nonce=\"" + std::string(5000, 'x') + "\"").has_value());
}

}  // namespace
}  // namespace cordon
