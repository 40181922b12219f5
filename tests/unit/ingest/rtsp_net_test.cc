// SPDX-License-Identifier: Apache-2.0
#include "ingest/rtsp_net.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cordon {
namespace {

class NetTest : public testing::Test {
 protected:
  NetAddress Lookup(const std::string& host) {
    const auto found = Resolve(net_, host, 554, SystemClock().Boot() + Seconds(5));
    EXPECT_TRUE(found.ok()) << host << ": " << found.status();
    return found.ok() && !found->empty() ? found->front() : NetAddress{};
  }
  absl::StatusCode Check(const std::string& host, const AddressPolicy& policy = {}) {
    return CheckAddress(policy, host, Lookup(host)).code();
  }

  WakeEvent wake_;
  NetContext net_{SystemClock(), wake_};
};

TEST_F(NetTest, LetsCamerasOfPrivateNetworksThrough) {
  for (const char* host : {"10.1.2.3", "192.168.1.64", "172.16.0.9", "fd00::7", "8.8.8.8"}) {
    EXPECT_EQ(Check(host), absl::StatusCode::kOk) << host;
  }
}

TEST_F(NetTest, LetsOurOwnMachineThroughOnlyWhenPlainlySaid) {
  for (const char* host : {"127.0.0.1", "::1", "localhost"})
    EXPECT_EQ(Check(host), absl::StatusCode::kOk) << host;
  for (const char* host : {"127.1", "0x7f.1", "2130706433", "::ffff:127.0.0.1", "017700000001"}) {
    EXPECT_EQ(Check(host), absl::StatusCode::kPermissionDenied) << host;
  }
}

TEST_F(NetTest, RefusesAddressesWhereNoCameraIs) {
  for (const char* host : {"169.254.169.254", "0.0.0.0", "224.0.0.1", "255.255.255.255",
                           "::", "fe80::1", "ff02::1", "::ffff:169.254.169.254"}) {
    EXPECT_EQ(Check(host), absl::StatusCode::kPermissionDenied) << host;
  }
}

TEST_F(NetTest, AListOfNetworksIsTheWholeTruth) {
  const AddressPolicy policy{.networks = {"10.20.0.0/16", "fd12::/32"}};
  EXPECT_EQ(Check("10.20.255.1", policy), absl::StatusCode::kOk);
  EXPECT_EQ(Check("fd12:0:1::1", policy), absl::StatusCode::kOk);
  EXPECT_EQ(Check("::ffff:10.20.0.1", policy), absl::StatusCode::kOk);
  EXPECT_EQ(Check("10.21.0.1", policy), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(Check("127.0.0.1", policy), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(Check("fd13::1", policy), absl::StatusCode::kPermissionDenied);
  for (const char* broken : {"10.0.0.0", "10.0.0.0/33", "x/8", "10.0.0.0/", "10.0.0.0/-1"}) {
    EXPECT_EQ(Check("10.0.0.1", {.networks = {broken}}), absl::StatusCode::kInvalidArgument)
        << broken;
  }
}

TEST_F(NetTest, SaysThatANameHasNoAddress) {
  const auto found = Resolve(net_, "no-such-host.invalid", 554, SystemClock().Boot() + Seconds(5));
  EXPECT_FALSE(found.ok());
}

TEST_F(NetTest, AnInterruptEndsEveryWait) {
  wake_.Signal();
  WaitFor never{.fd = wake_.fd(), .writable = false};
  EXPECT_EQ(Wait(net_, {&never, 1}, SystemClock().Boot() + Seconds(30), "test").code(),
            absl::StatusCode::kCancelled);
  const auto found = Resolve(net_, "no-such-host.invalid", 554, SystemClock().Boot() + Seconds(30));
  EXPECT_FALSE(found.ok());
}

}  // namespace
}  // namespace cordon
