// SPDX-License-Identifier: Apache-2.0
#include "cli/site.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/test_data.h"

namespace cordon::cli {
namespace {

using ::testing::HasSubstr;

constexpr char kSite[] = R"(id: demo
dispatch:
  roads: demo
cameras:
  - id: yard
    url: rtsp://127.0.0.1:8554/yard
    username: viewer
    password_file: yard.password
    lat: 31.2
    lon: 121.5
    purpose: test
    retention_hours: 24
    rules:
      - {id: gate, kind: line_crossing, line: ['0.1,0.5', '0.9,0.5']}
)";

class SiteTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_.File(name)) << text;
    return folder_.File(name);
  }
  std::string Problem(std::string text, const std::string& what, const std::string& with) {
    text.replace(text.find(what), what.size(), with);
    const absl::StatusOr<proto::Site> site = LoadSite(Write("site.yaml", text));
    EXPECT_EQ(site.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(site.status().message());
  }
  testing::TemporaryFolder folder_;
};

TEST_F(SiteTest, FillsDefaultsAndMakesPathsAbsolute) {
  Write("yard.password", "s3cret\nsecond line\n");
  const absl::StatusOr<proto::Site> site = LoadSite(Write("site.yaml", kSite));
  ASSERT_TRUE(site.ok()) << site.status();
  EXPECT_EQ(site->data_dir(), folder_.File("data"));
  EXPECT_EQ(site->bus().alerts(), "ipc://" + folder_.File("data") + "/alerts.sock");
  EXPECT_EQ(site->nodes(0).id(), "node-1");
  EXPECT_THAT(site->dispatch().tiers_s(), ::testing::ElementsAre(60, 180, 300));
  const absl::StatusOr<Secret> password = ReadPassword(site->cameras(0));
  ASSERT_TRUE(password.ok()) << password.status();
  EXPECT_EQ(password->Reveal(), "s3cret");
  EXPECT_EQ(CamerasOf(*site, "node-1").size(), 1u);
  EXPECT_TRUE(CamerasOf(*site, "node-2").empty());
}

TEST_F(SiteTest, NamesTheMissingPasswordFile) {
  const absl::StatusOr<proto::Site> site = LoadSite(Write("site.yaml", kSite));
  ASSERT_TRUE(site.ok()) << site.status();
  const absl::Status status = ReadPassword(site->cameras(0)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("camera yard: password_file"));
}

TEST_F(SiteTest, RefusesPasswordsInUrls) {
  EXPECT_THAT(Problem(kSite, "rtsp://127", "rtsp://u:p@127"),
              HasSubstr("site.yaml:6:10: camera yard: a url holds no user or password; use username "
                        "and password_file"));
}

TEST_F(SiteTest, RefusesALineCrossingWithoutALine) {
  EXPECT_THAT(Problem(kSite, ", line: ['0.1,0.5', '0.9,0.5']", ""),
              HasSubstr("site.yaml:14:9: camera yard: rule gate: line_crossing needs a line"))
      << "the rule's own place, for a line that is not there has none";
}

TEST_F(SiteTest, RefusesTiersThatDoNotAscend) {
  EXPECT_THAT(Problem(kSite, "roads: demo", "roads: demo\n  tiers_s: [60, 300, 180]"),
              HasSubstr("site.yaml:4:12: dispatch: tiers_s: must ascend"));
}

TEST_F(SiteTest, RefusesTwoCamerasOfOneId) {
  const std::string text(kSite);
  const std::string camera = text.substr(text.find("  - id: yard"));
  EXPECT_THAT(Problem(text + camera, "id: demo", "id: demo"),
              HasSubstr("id 'yard' is used twice"));
}

TEST_F(SiteTest, NamesNodesAndDetectorsThatDoNotExist) {
  EXPECT_THAT(Problem(kSite, "purpose: test", "purpose: test\n    node: west\n    detector: yolo"),
              ::testing::AllOf(HasSubstr("node west is not in nodes"),
                               HasSubstr("detector yolo is not in detectors")));
}

// What `cordon check` finds beyond the file itself: all of it at once, each at its place.
TEST_F(SiteTest, PartsThatAreMissingOrUnusableAreNamedAtTheirPlaces) {
  std::string text(kSite);
  text.replace(text.find("roads: demo"), 11, "roads: city.roads");
  text += R"(      - {id: night, kind: intrusion, schedule: ['mon 25:00-26:00']}
  - id: clip
    url: gone.mp4
    lat: 31.2
    lon: 121.5
    purpose: test
    retention_hours: 24
)";
  ConfigPlaces places;
  const std::string path = Write("site.yaml", text);
  const absl::StatusOr<proto::Site> site = LoadSite(path, &places);
  ASSERT_TRUE(site.ok()) << site.status();
  std::vector<std::string> problems;
  for (const ConfigProblem& problem : CheckParts(*site, "site.yaml", places))
    problems.push_back(problem.str());
  EXPECT_THAT(problems,
              ::testing::ElementsAre(
                  ::testing::AllOf(::testing::StartsWith("site.yaml:3:10: dispatch: roads: "),
                                   HasSubstr("city.roads")),
                  ::testing::AllOf(::testing::StartsWith("site.yaml:8:20: camera yard: "),
                                   HasSubstr("yard.password")),
                  ::testing::AllOf(::testing::StartsWith("site.yaml:14:7: camera yard: "),
                                   HasSubstr("25:00")),
                  ::testing::AllOf(::testing::StartsWith("site.yaml:17:10: camera clip: "),
                                   HasSubstr("gone.mp4: no such file or folder"))));
}

TEST_F(SiteTest, ASiteWhosePartsAreThereHasNoProblem) {
  Write("yard.password", "s3cret\n");
  ConfigPlaces places;
  const std::string path = Write("site.yaml", kSite);
  const absl::StatusOr<proto::Site> site = LoadSite(path, &places);
  ASSERT_TRUE(site.ok()) << site.status();
  EXPECT_TRUE(CheckParts(*site, path, places).empty());
}

TEST_F(SiteTest, AnUnknownKeyIsShownWithLineAndNearestName) {
  EXPECT_THAT(
      Problem(kSite, "retention_hours", "retention_hour"),
      ::testing::AllOf(HasSubstr("site.yaml:12:"), HasSubstr("did you mean 'retention_hours'")));
}

}  // namespace
}  // namespace cordon::cli
