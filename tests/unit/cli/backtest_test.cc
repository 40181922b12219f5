// SPDX-License-Identifier: Apache-2.0
#include "cli/backtest.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/site.h"
#include "tests/support/test_data.h"

namespace cordon::cli {
namespace {

class BacktestTest : public ::testing::Test {
 protected:
  // A site whose camera has one intrusion rule over this zone.
  proto::Site Site(const std::string& name, const std::string& rule_id, const std::string& zone) {
    const std::string path = folder_.File(name);
    std::ofstream(path) << "id: test\ndispatch: {roads: demo}\ncameras:\n"
                           "  - id: yard\n    url: clip.avi\n    lat: 41.15\n    lon: -8.61\n"
                           "    purpose: test\n    retention_hours: 24\n    analysis_fps: 5\n    "
                           "analysis_width: 320\n    rules:\n"
                           "      - {id: "
                        << rule_id << ", kind: intrusion, zone: " << zone << "}\n";
    const auto site = LoadSite(path);
    EXPECT_TRUE(site.ok()) << site.status();
    return site.value_or(proto::Site());
  }

  testing::TemporaryFolder folder_;
};

constexpr char kWholeStreet[] = "['0.0,0.2', '1.0,0.2', '1.0,1.0', '0.0,1.0']";
constexpr char kCorner[] = "['0.0,0.0', '0.02,0.0', '0.02,0.02', '0.0,0.02']";

TEST_F(BacktestTest, SaysWhatAChangeAddsAndTakesAwayTheSameEachTime) {
  const std::string clip = testing::TestData("video/vtest.avi");
  SKIP_WITHOUT(clip);
  BacktestInput input;
  input.before = Site("old.yaml", "street", kWholeStreet);
  input.after = Site("new.yaml", "street", kCorner);
  input.camera = "yard";
  input.clips = {clip};
  const auto clips = Backtest(input);
  ASSERT_TRUE(clips.ok()) << clips.status();
  EXPECT_GT(clips->front().Count(BacktestVerdict::kGone), 5);
  EXPECT_EQ(clips->front().Count(BacktestVerdict::kKept), 0);
  const std::string json = BacktestJson(input, *clips);
  EXPECT_EQ(nlohmann::json::parse(json)["totals"]["gone"],
            clips->front().Count(BacktestVerdict::kGone));
  const std::string html = BacktestHtml(input, *clips);
  EXPECT_NE(html.find("data:image/jpeg;base64,"), std::string::npos);
  EXPECT_EQ(html.find("http"), std::string::npos) << "the page needs nothing from outside";
  EXPECT_NE(html.find("<td>street</td><td>zone</td>"), std::string::npos) << "what was changed";
  EXPECT_EQ(html.find("<td>rearm_s</td>"), std::string::npos) << "and nothing else";
  const auto again = Backtest(input);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(BacktestJson(input, *again), json);
  EXPECT_EQ(BacktestHtml(input, *again), html);
}

TEST_F(BacktestTest, NamesTheSideThatLacksTheCamera) {
  BacktestInput input;
  input.before = Site("old.yaml", "street", kWholeStreet);
  input.camera = "yard";
  EXPECT_EQ(Backtest(input).status().message(), "the new rules have no camera yard");
}

TEST_F(BacktestTest, TextOfTheConfigurationCannotBecomeMarkup) {
  BacktestInput input;
  input.camera = "<b>";
  BacktestAlert alert;
  alert.event.set_detail("<script>");
  const std::string html = BacktestHtml(input, {{"a&b.mp4", 1, 1, {alert}}});
  EXPECT_EQ(html.find("<script>"), std::string::npos);
  EXPECT_NE(html.find("a&amp;b.mp4"), std::string::npos);
}

}  // namespace
}  // namespace cordon::cli
