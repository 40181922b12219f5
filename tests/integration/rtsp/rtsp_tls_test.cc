// SPDX-License-Identifier: Apache-2.0
// rtsps:// with certificates of every kind: refused unless they verify or are pinned, before any
// request is sent.
#include "tests/integration/rtsp/rtsp_client_fixture.h"
#include "tests/support/tls_identity.h"

namespace cordon::testing {
namespace {

using ::testing::HasSubstr;

class RtspTls : public ::testing::Test {
 protected:
  // One connection against a server with this certificate.
  Viewing Against(const TlsIdentity& identity, const std::string& pin = "",
                  const std::string& host = "127.0.0.1") {
    FaultRtspServer server(Camera(Packetize(TestVideo(false), false)), identity);
    RtspOptions options = QuickOptions(server.Url(host));
    options.certificate_sha256 = pin;
    options.ca_file = ca_file_;
    Viewing run = Play(std::move(options));
    run.source.reset();
    methods_ = server.Methods();
    return run;
  }
  void ExpectRefused(const Viewing& run, const std::string& reason) {
    EXPECT_EQ(run.opened.code(), absl::StatusCode::kPermissionDenied) << run.opened;
    EXPECT_THAT(std::string(run.opened.message()), HasSubstr(reason));
    EXPECT_TRUE(methods_.empty()) << "a request was sent to a server that was not trusted";
  }

  void SetUp() override {
    ca_file_ = folder_.File("ca.pem");
    ASSERT_TRUE(RunWrite(ca_file_, authority_.certificate));
  }
  static bool RunWrite(const std::string& path, const std::string& text) {
    std::ofstream file(path);
    file << text;
    return file.good();
  }

  TemporaryFolder folder_;
  TlsIdentity authority_ = MakeIdentity("test authority", nullptr, -1, 10, true);
  std::string ca_file_;
  std::vector<std::string> methods_;
};

TEST_F(RtspTls, ACertificateOfTheAuthorityForThisHostIsTaken) {
  const Viewing run = Against(MakeIdentity("127.0.0.1", &authority_));
  EXPECT_TRUE(run.opened.ok()) << run.opened;
  EXPECT_EQ(run.pictures.size(), 100U);
}

TEST_F(RtspTls, ANameIsCheckedAsAName) {
  EXPECT_TRUE(Against(MakeIdentity("localhost", &authority_), "", "localhost").opened.ok());
  ExpectRefused(Against(MakeIdentity("127.0.0.1", &authority_), "", "localhost"),
                "hostname mismatch");
}

TEST_F(RtspTls, SelfSignedIsRefusedAndItsPinIsSaid) {
  const TlsIdentity identity = MakeIdentity("127.0.0.1");
  const Viewing run = Against(identity);
  ExpectRefused(run, "self-signed");
  EXPECT_THAT(std::string(run.opened.message()), HasSubstr(FingerprintOf(identity)));
}

TEST_F(RtspTls, AWrongNameIsRefused) {
  ExpectRefused(Against(MakeIdentity("10.9.9.9", &authority_)), "IP address mismatch");
}

TEST_F(RtspTls, AnExpiredOrFutureOneIsRefused) {
  ExpectRefused(Against(MakeIdentity("127.0.0.1", &authority_, -20, -1)), "expired");
  ExpectRefused(Against(MakeIdentity("127.0.0.1", &authority_, 5, 20)), "not yet valid");
}

TEST_F(RtspTls, AnotherAuthorityIsRefused) {
  const TlsIdentity other = MakeIdentity("test authority", nullptr, -1, 10, true);
  ExpectRefused(Against(MakeIdentity("127.0.0.1", &other)), "certificate");
}

TEST_F(RtspTls, APinnedOneIsTakenWhateverElseIsWrongWithIt) {
  const TlsIdentity identity = MakeIdentity("10.9.9.9", nullptr, -20, -1);
  const Viewing run = Against(identity, FingerprintOf(identity));
  EXPECT_TRUE(run.opened.ok()) << run.opened;
  EXPECT_EQ(run.pictures.size(), 100U);
}

TEST_F(RtspTls, AnotherThanThePinnedOneIsRefusedEvenWhenItVerifies) {
  const TlsIdentity pinned = MakeIdentity("127.0.0.1");
  ExpectRefused(Against(MakeIdentity("127.0.0.1", &authority_), FingerprintOf(pinned)),
                "not the pinned one");
}

TEST_F(RtspTls, AServerInClearIsNoTlsServer) {
  FaultRtspServer server([](FaultSession& s) { s.Silence(); });
  RtspOptions options = QuickOptions("rtsps://127.0.0.1:" + std::to_string(server.port()) + "/");
  const BootTime begin = SystemClock().Boot();
  const Viewing run = Play(options);
  EXPECT_EQ(run.opened.code(), absl::StatusCode::kDeadlineExceeded) << run.opened;
  EXPECT_LT(SystemClock().Boot() - begin, Milliseconds(500) + kGrace);
}

TEST_F(RtspTls, UdpIsRefusedBecauseItWouldBeInClear) {
  RtspOptions options = QuickOptions("rtsps://127.0.0.1:1/");
  options.transport = RtspTransport::kUdp;
  EXPECT_EQ(Play(options).opened.code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace cordon::testing
