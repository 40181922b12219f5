// SPDX-License-Identifier: Apache-2.0
#include "base/ids.h"

#include <gtest/gtest.h>

#include <set>
#include <type_traits>

namespace cordon {
namespace {

static_assert(!std::is_convertible_v<CameraId, UnitId>, "ids of different things do not mix");

TEST(Ulid, TextRoundTrips) {
  SimulatedClock clock;
  UlidGenerator generator(clock, 7);
  for (int i = 0; i < 1000; ++i) {
    const Ulid id = generator.Next();
    ASSERT_EQ(id.str().size(), Ulid::kTextLength);
    ASSERT_EQ(Ulid::Parse(id.str()), id);
  }
}

TEST(Ulid, MatchesTheSpecificationsExample) {
  const auto id = Ulid::Parse("01ARZ3NDEKTSV4RRFFQ69G5FAV");
  ASSERT_TRUE(id.has_value());
  EXPECT_EQ(ToMicros(id->time()), 1'469'922'850'259'000);
}

TEST(Ulid, RefusesWhatIsNotOne) {
  EXPECT_FALSE(Ulid::Parse(""));
  EXPECT_FALSE(Ulid::Parse("01ARZ3NDEKTSV4RRFFQ69G5FA"));   // 25
  EXPECT_FALSE(Ulid::Parse("81ARZ3NDEKTSV4RRFFQ69G5FAV"));  // overflows 128 bits
  EXPECT_FALSE(Ulid::Parse("01arz3ndektsv4rrffq69g5fav"));  // lower case
  EXPECT_FALSE(Ulid::Parse("01ARZ3NDEKTSV4RRFFQ69G5FAU"));  // U is not in the alphabet
  EXPECT_FALSE(Ulid::Parse(std::string("01ARZ3NDEKTSV4RRFFQ69G5FA\0", 26)));
}

TEST(UlidGenerator, RisesStrictlyEvenWhenTheWallClockStepsBack) {
  SimulatedClock clock;
  UlidGenerator generator(clock, 1);
  Ulid last = generator.Next();
  for (int i = 0; i < 3000; ++i) {
    if (i == 1000) clock.JumpWall(-Seconds(86'400));
    if (i == 2000) clock.JumpWall(Seconds(2 * 86'400));
    const Ulid next = generator.Next();
    ASSERT_GT(next, last);
    ASSERT_GT(next.str(), last.str()) << "text sorts as the value does";
    last = next;
  }
}

TEST(UlidGenerator, SameSeedAndClockGiveTheSameIds) {
  SimulatedClock clock;
  UlidGenerator a(clock, 42), b(clock, 42), c(clock, 43);
  const Ulid first = a.Next();
  EXPECT_EQ(first, b.Next());
  EXPECT_NE(first, c.Next());
}

TEST(UlidGenerator, TwoGeneratorsOfTheSystemDiffer) {
  UlidGenerator a(SystemClock()), b(SystemClock());
  std::set<Ulid> ids;
  for (int i = 0; i < 1000; ++i) {
    ids.insert(a.Next());
    ids.insert(b.Next());
  }
  EXPECT_EQ(ids.size(), 2000u);
}

TEST(UlidGenerator, KeepsItsOrderBeforeTheUnixEpoch) {
  SimulatedClock clock(WallTime(Seconds(-5)));
  UlidGenerator generator(clock, 1);
  const Ulid first = generator.Next();
  EXPECT_LT(first, generator.Next());
}

}  // namespace
}  // namespace cordon
