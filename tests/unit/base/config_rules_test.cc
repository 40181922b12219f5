// SPDX-License-Identifier: Apache-2.0
#include "base/config_rules.h"

#include <gtest/gtest.h>

#include "proto/config.pb.h"

namespace cordon {
namespace {

TEST(NearestName, FindsWhatWasMeant) {
  const std::vector<std::string> names = {"cameras", "console", "data_dir", "url", "id"};
  EXPECT_EQ(NearestName("camera", names), "cameras");
  EXPECT_EQ(NearestName("camreas", names), "cameras");  // neighbours swapped: one edit
  EXPECT_EQ(NearestName("datadir", names), "data_dir");
  EXPECT_EQ(NearestName("ulr", names), "url");
}

TEST(NearestName, DoesNotGuessWildly) {
  EXPECT_EQ(NearestName("weather", {"cameras", "url"}), "");
  EXPECT_EQ(NearestName("xx", {"id"}), "");
  EXPECT_EQ(NearestName("", {"ids"}), "");
  EXPECT_EQ(NearestName(std::string(100'000, 'a'), {"a"}), "");
}

TEST(EnumKey, IsLowerCaseWithoutThePrefixOfItsType) {
  EXPECT_EQ(EnumKeys(*proto::CameraConfig::Transport_descriptor()),
            (std::vector<std::string>{"tcp", "udp", "http"}));
  const auto kinds = EnumKeys(*proto::RuleConfig::Kind_descriptor());
  EXPECT_EQ(kinds.front(), "intrusion") << "the unspecified value cannot be written";
}

TEST(RulesOf, ReadsTheOptionByName) {
  const auto* field = proto::CameraConfig::descriptor()->FindFieldByName("analysis_width");
  const FieldRules rules = RulesOf(*field);
  EXPECT_EQ(rules.unit, "px");
  EXPECT_EQ(rules.default_value, "480");
  EXPECT_EQ(rules.min, 128);
  EXPECT_EQ(rules.max, 1920);
  EXPECT_FALSE(rules.required);
  EXPECT_EQ(RangeText(rules), "128..1920 px");
}

}  // namespace
}  // namespace cordon
