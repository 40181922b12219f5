// SPDX-License-Identifier: Apache-2.0
#include "ingest/reconnect.h"

#include <gtest/gtest.h>

namespace cordon {
namespace {

TEST(ReconnectPolicy, KnocksAtMostEveryEightSecondsAndAtLeastThatOften) {
  ReconnectPolicy policy(1);
  EXPECT_LE(policy.NextDelay(LossCause::kUnreachable), Milliseconds(500));
  Milliseconds last{0};
  for (int i = 0; i < 50; ++i) {
    last = policy.NextDelay(LossCause::kUnreachable);
    EXPECT_LE(last, Milliseconds(8000));
  }
  EXPECT_GE(last, Milliseconds(6000));
}

TEST(ReconnectPolicy, ARefusedPasswordSlowsDownAtOnce) {
  ReconnectPolicy policy(1);
  EXPECT_GE(policy.NextDelay(LossCause::kAuthentication), Milliseconds(22'000));
  Milliseconds total{0};
  for (int i = 0; i < 10; ++i) total += policy.NextDelay(LossCause::kAuthentication);
  EXPECT_GE(total, Seconds(3000)) << "cameras lock accounts after a few attempts";
}

TEST(ReconnectPolicy, AStreamThatLivedStartsOver) {
  ReconnectPolicy policy(1);
  for (int i = 0; i < 10; ++i) policy.NextDelay(LossCause::kNoData);
  policy.Lived(Milliseconds(200));
  EXPECT_GE(policy.NextDelay(LossCause::kNoData), Milliseconds(6000));
  policy.Lived(Seconds(60));
  EXPECT_LE(policy.NextDelay(LossCause::kNoData), Milliseconds(500));
}

TEST(ReconnectPolicy, CamerasThatFailTogetherDoNotReturnTogether) {
  std::set<int64_t> delays;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    ReconnectPolicy policy(seed);
    for (int i = 0; i < 6; ++i) policy.NextDelay(LossCause::kUnreachable);
    delays.insert(policy.NextDelay(LossCause::kUnreachable).count() / 20);
  }
  EXPECT_GT(delays.size(), 50u);
}

TEST(OpenGate, NeverLetsMoreInThanItHasSlots) {
  OpenGate gate(2);
  auto a = gate.Enter(Milliseconds(0));
  auto b = std::make_unique<OpenGate::Pass>(gate.Enter(Milliseconds(0)));
  EXPECT_TRUE(a && *b);
  EXPECT_FALSE(gate.Enter(Milliseconds(1)));
  b.reset();
  EXPECT_TRUE(gate.Enter(Milliseconds(0)));
  EXPECT_EQ(gate.most_used(), 2);
}

}  // namespace
}  // namespace cordon
