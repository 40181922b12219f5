// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/secret.h"

namespace cordon {
namespace {

template <class T>
concept Formattable = fmt::is_formattable<T>::value;
static_assert(!Formattable<Secret>, "a secret cannot be formatted");
static_assert(!std::is_constructible_v<log::Field, std::string_view, Secret>,
              "a secret cannot be logged");

TEST(Log, JsonLinesAreJsonEvenWithHostileNames) {
  log::Init("node-1", log::Format::kJson, log::Level::kInfo);
  ::testing::internal::CaptureStderr();
  log::Info("camera connected", {{"camera", "ga\"te\n\x1b[31m\\"}, {"after_ms", 42}, {"ok", true}});
  log::Debug("too fine");
  log::Flush();
  const std::string text = ::testing::internal::GetCapturedStderr();
  ASSERT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
  const auto line = nlohmann::json::parse(text);
  EXPECT_EQ(line["message"], "camera connected");
  EXPECT_EQ(line["camera"], "ga\"te\n\x1b[31m\\");
  EXPECT_EQ(line["after_ms"], 42);
  EXPECT_EQ(line["ok"], true);
  EXPECT_EQ(line["role"], "node-1");
}

TEST(Log, TextLinesCannotBeForgedByAValue) {
  log::Init("node-1", log::Format::kText, log::Level::kInfo);
  ::testing::internal::CaptureStderr();
  log::Warning("odd name", {{"camera", "a\nERROR forged\x1b[2J"}});
  log::Flush();
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
  EXPECT_EQ(text.find("\x1b[2J"), std::string::npos);
}

TEST(OncePerSecond, OneLineASecondWithTheCount) {
  log::Init("t", log::Format::kJson, log::Level::kInfo);
  SimulatedClock clock;
  log::OncePerSecond trouble(clock, log::Level::kWarning, "packets are damaged", "gate");
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 100; ++i) trouble.Note("bad header");
  clock.Advance(Seconds(1));
  trouble.Note("short packet");
  log::Flush();
  std::istringstream lines(::testing::internal::GetCapturedStderr());
  std::string first, second, third;
  std::getline(lines, first);
  std::getline(lines, second);
  EXPECT_FALSE(std::getline(lines, third)) << third;
  EXPECT_EQ(nlohmann::json::parse(first)["count"], 1);
  const auto line = nlohmann::json::parse(second);
  EXPECT_EQ(line["count"], 100);
  EXPECT_EQ(line["last_cause"], "short packet");
}

TEST(CheckDeathTest, AbortsAndSaysWhereAndWhy) {
  EXPECT_DEATH(
      {
        log::Init("t", log::Format::kText, log::Level::kInfo);
        CORDON_CHECK(1 == 2, "one is not two");
      },
      "log_test.cc.*1 == 2.*one is not two");
}

}  // namespace
}  // namespace cordon
