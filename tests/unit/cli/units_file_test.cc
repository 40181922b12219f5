// SPDX-License-Identifier: Apache-2.0
#include "cli/units_file.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace cordon::cli {
namespace {

constexpr WallTime kNow{Seconds(1'700'000'000)};

TEST(UnitsFileTest, ABadEntryCostsItselfOnlyAndSaysWhy) {
  const auto file = ParseUnits(R"([
    {"id": "a", "lat": 41.1, "lon": -8.6, "kind": "motorcycle", "status": "busy"},
    {"id": "a", "lat": 41.1, "lon": -8.6},
    {"id": "b", "lat": "north", "lon": 1},
    {"id": "c", "lat": 0, "lon": 0},
    {"id": "d", "lat": 41.1, "lon": -8.6, "kind": "boat"},
    {"lat": 41.1, "lon": -8.6},
    {"id": 7, "lat": 41.1, "lon": -8.6},
    "e",
    {"id": "f", "lat": 91, "lon": -8.6},
    {"id": "g", "lat": 41.1, "lon": -8.6, "fix_time": 1699999970}
  ])",
                               "units.json", kNow);
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_EQ(file->units.size(), 2U);
  EXPECT_EQ(file->units[0].kind, proto::UnitConfig::KIND_MOTORCYCLE);
  EXPECT_EQ(file->units[0].status, proto::UNIT_STATUS_BUSY);
  EXPECT_EQ(file->units[1].freshness, Freshness::kUsable);
  EXPECT_EQ(file->units[1].age, Seconds(30));
  ASSERT_EQ(file->refused.size(), 8U);
  EXPECT_EQ(file->refused[0], "units.json: entry 2: there is already a unit a; left out");
  EXPECT_EQ(file->refused[1], "units.json: entry 3: lat is not a number; left out");
}

TEST(UnitsFileTest, WhatIsNoArrayIsRefusedWhole) {
  for (const char* text : {"", "{}", "[", "7"})
    EXPECT_EQ(ParseUnits(text, "units.json", kNow).status().code(),
              absl::StatusCode::kInvalidArgument)
        << text;
  EXPECT_TRUE(ParseUnits("[]", "units.json", kNow)->units.empty());
}

TEST(UnitsFileTest, UnitsBeyondTheMostAreSaidOnce) {
  std::string text = "[";
  for (size_t i = 0; i < limits::kMaxUnits + 3; ++i)
    text += (i == 0 ? "" : ",") + std::string(R"({"id":"u)") + std::to_string(i) +
            R"(","lat":41.1,"lon":-8.6})";
  const auto file = ParseUnits(text + "]", "units.json", kNow);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->units.size(), limits::kMaxUnits);
  EXPECT_EQ(file->refused.size(), 1U);
}

}  // namespace
}  // namespace cordon::cli
