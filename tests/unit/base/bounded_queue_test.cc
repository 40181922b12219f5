// SPDX-License-Identifier: Apache-2.0
#include "base/bounded_queue.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace cordon {
namespace {

constexpr Milliseconds kNoWait{0};
constexpr Milliseconds kLong{5000};

TEST(BoundedQueue, KeepsOrder) {
  BoundedQueue<int> queue(3);
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(queue.Push(i), PushResult::kPushed);
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(queue.Pop(kNoWait), i);
}

TEST(BoundedQueue, RefusesAndCountsWhenFull) {
  BoundedQueue<int> queue(1);
  EXPECT_EQ(queue.Push(1), PushResult::kPushed);
  EXPECT_EQ(queue.Push(2), PushResult::kFull);
  EXPECT_EQ(queue.PushWithin(3, kNoWait), PushResult::kFull);
  EXPECT_EQ(queue.refused(), 2u);
  EXPECT_EQ(queue.Pop(kNoWait), 1);
}

TEST(BoundedQueue, DrainsAfterCloseAndThenAnswersEmptyAtOnce) {
  BoundedQueue<int> queue(4);
  ASSERT_EQ(queue.Push(7), PushResult::kPushed);
  queue.Close();
  EXPECT_EQ(queue.Push(8), PushResult::kClosed);
  EXPECT_EQ(queue.refused(), 0u) << "a closed queue is not a full one";
  EXPECT_EQ(queue.Pop(kLong), 7);
  EXPECT_EQ(queue.Pop(kLong), std::nullopt);
}

TEST(BoundedQueue, PopWaitsForAPush) {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  std::thread producer([&] { (void)queue.Push(std::make_unique<int>(5)); });
  const auto value = queue.Pop(kLong);
  producer.join();
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(**value, 5);
}

TEST(BoundedQueue, PushWithinWaitsForRoom) {
  BoundedQueue<int> queue(1);
  ASSERT_EQ(queue.Push(1), PushResult::kPushed);
  std::thread consumer([&] { EXPECT_EQ(queue.Pop(kLong), 1); });
  EXPECT_EQ(queue.PushWithin(2, kLong), PushResult::kPushed);
  consumer.join();
}

TEST(BoundedQueue, PopSomeTakesAtMostWhatWasAsked) {
  BoundedQueue<int> queue(8);
  for (int i = 0; i < 5; ++i) ASSERT_EQ(queue.Push(i), PushResult::kPushed);
  EXPECT_EQ(queue.PopSome(3, kNoWait), (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(queue.PopSome(3, kNoWait), (std::vector<int>{3, 4}));
  EXPECT_TRUE(queue.PopSome(3, kNoWait).empty());
}

TEST(BoundedQueue, LosesNothingBetweenManyThreads) {
  constexpr int kThreads = 4, kEach = 2000;
  BoundedQueue<int> queue(16);
  std::vector<std::thread> producers;
  for (int t = 0; t < kThreads; ++t)
    producers.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i)
        ASSERT_EQ(queue.PushWithin(t * kEach + i, kLong), PushResult::kPushed);
    });
  std::vector<bool> seen(kThreads * kEach);
  for (int i = 0; i < kThreads * kEach; ++i) {
    const auto value = queue.Pop(kLong);
    ASSERT_TRUE(value.has_value());
    EXPECT_FALSE(seen[static_cast<size_t>(*value)]) << "twice: " << *value;
    seen[static_cast<size_t>(*value)] = true;
  }
  for (std::thread& producer : producers) producer.join();
}

}  // namespace
}  // namespace cordon
