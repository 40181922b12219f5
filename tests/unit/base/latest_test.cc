// SPDX-License-Identifier: Apache-2.0
#include "base/latest.h"

#include <gtest/gtest.h>

#include <thread>

namespace cordon {
namespace {

constexpr Milliseconds kNoWait{0};
constexpr Milliseconds kLong{5000};

TEST(Latest, NewestWinsAndTheOverwrittenIsCounted) {
  Latest<int> slot;
  EXPECT_FALSE(slot.Put(1));
  EXPECT_TRUE(slot.Put(2));
  EXPECT_EQ(slot.Take(kNoWait), 2);
  EXPECT_EQ(slot.overwritten(), 1u);
}

TEST(Latest, AValueIsTakenOnce) {
  Latest<int> slot;
  slot.Put(1);
  EXPECT_EQ(slot.Take(kNoWait), 1);
  EXPECT_EQ(slot.Take(kNoWait), std::nullopt);
}

TEST(Latest, TakeWaitsForAPut) {
  Latest<int> slot;
  std::thread producer([&] { slot.Put(9); });
  EXPECT_EQ(slot.Take(kLong), 9);
  producer.join();
}

TEST(Latest, CloseWakesTheReaderAndDropsLaterPuts) {
  Latest<int> slot;
  std::thread closer([&] { slot.Close(); });
  EXPECT_EQ(slot.Take(kLong), std::nullopt);
  closer.join();
  EXPECT_FALSE(slot.Put(1));
  EXPECT_EQ(slot.Take(kLong), std::nullopt);
  EXPECT_TRUE(slot.closed());
}

}  // namespace
}  // namespace cordon
