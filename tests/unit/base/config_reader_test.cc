// SPDX-License-Identifier: Apache-2.0
#include "base/config_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file_util.h"
#include "proto/config.pb.h"
#include "tests/support/test_data.h"

namespace cordon {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kGood[] = R"(id: market-square
dispatch:
  roads: demo
cameras:
  - id: gate
    url: rtsp://10.0.0.5/stream
    lat: 41.15
    lon: -8.61
    purpose: theft from the depot
    retention_hours: 72
)";

std::vector<std::string> ProblemsOf(const std::string& yaml, proto::Site* into = nullptr) {
  proto::Site site;
  std::vector<std::string> texts;
  for (const ConfigProblem& problem : ReadConfig(yaml, "s.yaml", into != nullptr ? *into : site))
    texts.push_back(problem.str());
  return texts;
}

// kGood with one more line at the end, inside the camera.
std::string InCamera(const std::string& line) { return std::string(kGood) + "    " + line + "\n"; }

TEST(ConfigReader, AGoodFileHasNoProblemAndItsValues) {
  proto::Site site;
  EXPECT_THAT(ProblemsOf(kGood, &site), IsEmpty());
  EXPECT_EQ(site.id(), "market-square");
  ASSERT_EQ(site.cameras_size(), 1);
  EXPECT_EQ(site.cameras(0).lon(), -8.61);
}

TEST(ConfigReader, FillsInDefaultsOfAbsentFields) {
  proto::Site site;
  ASSERT_THAT(ProblemsOf(kGood, &site), IsEmpty());
  EXPECT_EQ(site.data_dir(), "data");
  EXPECT_EQ(site.cameras(0).analysis_width(), 480u);
  EXPECT_EQ(site.cameras(0).decode(), proto::CameraConfig::DECODE_ADAPTIVE);
  EXPECT_THAT(site.dispatch().tiers_s(), ElementsAre(60, 180, 300));
  ASSERT_TRUE(site.has_bus()) << "an absent message is present with its defaults";
  EXPECT_EQ(site.bus().alerts(), "ipc://@data/alerts.sock");
  EXPECT_EQ(site.dispatch().cordon().horizon_s(), 1200u);
  EXPECT_EQ(site.console().listen(), "127.0.0.1:8080");
}

TEST(ConfigReader, EveryDefaultOfTheSchemaFitsItsOwnRules) {
  // A default that did not fit would stop the process; the lists need one element each to be looked
  // into.
  proto::Site site;
  const std::string yaml = std::string(kGood) + R"(    masks: [{points: ["0,0", "1,0", "1,1"]}]
    rules: [{id: r, kind: intrusion}]
    calibration: [{x: 0, y: 0, lat: 1, lon: 1}]
nodes: [{id: n1}]
detectors: [{id: d, model_card: m.yaml}]
holidays: [{date: 2026-01-01}]
)";
  EXPECT_THAT(ProblemsOf(yaml, &site), IsEmpty());
  EXPECT_EQ(site.cameras(0).rules(0).severity(), proto::RuleConfig::SEVERITY_MEDIUM);
  EXPECT_EQ(site.nodes(0).cpu_budget(), 2);
}

TEST(ConfigReader, WrittenValuesBeatDefaults) {
  proto::Site site;
  ASSERT_THAT(ProblemsOf(InCamera("decode: full\n    allow_basic_auth: true"), &site), IsEmpty());
  EXPECT_EQ(site.cameras(0).decode(), proto::CameraConfig::DECODE_FULL);
  EXPECT_TRUE(site.cameras(0).allow_basic_auth());
}

TEST(ConfigReader, AnUnknownKeyNamesTheNearestOne) {
  EXPECT_THAT(ProblemsOf(InCamera("retention_hour: 3")),
              ElementsAre("s.yaml:11:5: unknown key 'retention_hour' in cameras[0]; did you mean "
                          "'retention_hours'?"));
  EXPECT_THAT(ProblemsOf(InCamera("weather: 3")),
              ElementsAre(HasSubstr("known keys: id, name, node, url")));
}

TEST(ConfigReader, AWrongTypeIsNamedWithItsPlace) {
  EXPECT_THAT(
      ProblemsOf(InCamera("analysis_width: wide")),
      ElementsAre(
          "s.yaml:11:21: cameras[0].analysis_width is 'wide', not a whole number that fits; "
          "it must be 128..1920 px"));
  EXPECT_THAT(ProblemsOf(InCamera("analysis_width: 480.5")),
              ElementsAre(HasSubstr("not a whole number")));
  EXPECT_THAT(ProblemsOf(InCamera("analysis_width: -1")),
              ElementsAre(HasSubstr("not a whole number that fits")));
  EXPECT_THAT(ProblemsOf(InCamera("analysis_width: 99999999999")),
              ElementsAre(HasSubstr("that fits")));
  EXPECT_THAT(ProblemsOf(InCamera("analysis_width: '480'")),
              ElementsAre(HasSubstr("without quotes")));
  EXPECT_THAT(ProblemsOf(InCamera("analysis_width: [480]")),
              ElementsAre(HasSubstr("one value, not a list")));
  EXPECT_THAT(ProblemsOf(InCamera("allow_basic_auth: yes")),
              ElementsAre(HasSubstr("write true or false")));
  EXPECT_THAT(ProblemsOf(InCamera("rules: none")), ElementsAre(HasSubstr("must be a list")));
  EXPECT_THAT(ProblemsOf(InCamera("masks: [5]")),
              ElementsAre(HasSubstr("cameras[0].masks[0] must be 'key: value'")));
}

TEST(ConfigReader, NotANumberAndInfinityAreNotNumbers) {
  for (const char* value : {".nan", "nan", ".inf", "inf", "1e999", "0x10"})
    EXPECT_THAT(ProblemsOf(InCamera(std::string("pre_roll_s: ") + value)),
                ElementsAre(HasSubstr("not a number")))
        << value;
}

TEST(ConfigReader, OutOfRangeSaysTheRangeWithItsUnit) {
  EXPECT_THAT(ProblemsOf(InCamera("pre_roll_s: 61")),
              ElementsAre("s.yaml:11:17: cameras[0].pre_roll_s is 61; it must be 0..60 s"));
  EXPECT_THAT(ProblemsOf(InCamera("pre_roll_s: -0.1")), ElementsAre(HasSubstr("0..60 s")));
  EXPECT_THAT(ProblemsOf(InCamera("pre_roll_s: 60")), IsEmpty()) << "limits are inclusive";
}

TEST(ConfigReader, APatternIsExplainedInWords) {
  EXPECT_THAT(
      ProblemsOf("id: Market Square\ndispatch: {roads: demo}\n"),
      ElementsAre(
          "s.yaml:1:5: id: 'Market Square' does not fit; it must be 1 to 32 of a-z, 0-9 and -"));
  EXPECT_THAT(ProblemsOf(InCamera("masks: [{points: ['0,0', '1,0', '2,2']}]")),
              ElementsAre(HasSubstr("masks[0].points[2]: '2,2' does not fit")));
  EXPECT_THAT(ProblemsOf("id: " + std::string(100'000, 'a') + "\ndispatch: {roads: demo}\n"),
              ElementsAre(AllOf(HasSubstr("does not fit"), HasSubstr("aaa...'"))));
}

TEST(ConfigReader, AMissingRequiredFieldSaysWhatItIsFor) {
  EXPECT_THAT(ProblemsOf("id: a\n"),
              ElementsAre(HasSubstr("s.yaml:1:1: the file needs 'dispatch': The dispatcher")));
  EXPECT_THAT(
      ProblemsOf("id: a\ndispatch: {roads: demo}\ncameras:\n  - id: gate\n"),
      ElementsAre(HasSubstr("s.yaml:4:5: cameras[0] needs 'url'"), HasSubstr("needs 'lat'"),
                  HasSubstr("needs 'lon'"), HasSubstr("needs 'purpose': Why this place is watched"),
                  HasSubstr("needs 'retention_hours'")));
  EXPECT_THAT(ProblemsOf(InCamera("rules: [{id: r}]")),
              ElementsAre(HasSubstr("rules[0] needs 'kind'")));
}

TEST(ConfigReader, EmptyValuesAreNotValues) {
  EXPECT_THAT(ProblemsOf("id: ''\ndispatch: {roads: demo}\n"),
              ElementsAre(HasSubstr("id must not be empty")));
  EXPECT_THAT(ProblemsOf("id: a\nbus:\ndispatch: {roads: demo}\n"),
              ElementsAre("s.yaml:2:1: bus has no value; give one or remove the key"));
  EXPECT_THAT(ProblemsOf("id: a\ndispatch: {roads: demo}\nnodes:\n  -\n"),
              ElementsAre(HasSubstr("nodes[0] has no value")));
}

TEST(ConfigReader, DuplicateKeysAndIdsAreRefused) {
  EXPECT_THAT(ProblemsOf(InCamera("url: rtsp://other")),
              ElementsAre("s.yaml:11:5: 'cameras[0].url' is given twice; keep one"));
  EXPECT_THAT(
      ProblemsOf("id: a\ndispatch: {roads: demo}\nnodes:\n  - id: n1\n  - id: n2\n  - id: n1\n"),
      ElementsAre(
          "s.yaml:6:9: id 'n1' is used twice in nodes (first in line 4); each needs its own"));
}

TEST(ConfigReader, EnumsListTheirWords) {
  EXPECT_THAT(ProblemsOf(InCamera("transport: TCP")),
              ElementsAre(HasSubstr("cameras[0].transport: 'TCP' is not one of tcp, udp, http")));
  EXPECT_THAT(ProblemsOf(InCamera("decode: adaptve")),
              ElementsAre(HasSubstr("did you mean 'adaptive'?")));
  EXPECT_THAT(ProblemsOf(InCamera("rules: [{id: r, kind: unspecified}]")),
              ElementsAre(HasSubstr("is not one of")));
}

TEST(ConfigReader, ListsHaveTheirLengths) {
  EXPECT_THAT(ProblemsOf("id: a\ndispatch: {roads: demo, tiers_s: []}\n"),
              ElementsAre(HasSubstr("at least 1")));
  EXPECT_THAT(ProblemsOf("id: a\ndispatch: {roads: demo, tiers_s: [11,12,13,14,15,16,17,18,19]}\n"),
              ElementsAre(HasSubstr("dispatch.tiers_s has 9 items; at most 8 are allowed")));
  EXPECT_THAT(ProblemsOf("id: a\ndispatch: {roads: demo, tiers_s: [60, 5]}\n"),
              ElementsAre("s.yaml:2:39: dispatch.tiers_s[1] is 5; it must be 10..3600 s"));
}

TEST(ConfigReader, AllProblemsAreCollectedInTheOrderOfTheFile) {
  const auto problems =
      ProblemsOf("idd: a\ndispatch: {roads: demo, turn_out_s: 601}\nnodes: [{id: N}]\n");
  EXPECT_THAT(problems, ElementsAre(HasSubstr("s.yaml:1:1: "), HasSubstr("s.yaml:1:1: "),
                                    HasSubstr("s.yaml:2:37: "), HasSubstr("s.yaml:3:14: ")));
}

TEST(ConfigReader, ASecretsValueIsNeverShown) {
  const auto problems = ProblemsOf(InCamera("password_file: [hunter2]"));
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].find("hunter2"), std::string::npos);
}

TEST(ConfigReader, WhatIsNotYamlHasItsPlace) {
  EXPECT_THAT(ProblemsOf("id: a\n\tdispatch: 1\n"), ElementsAre(HasSubstr("s.yaml:2:")));
  EXPECT_THAT(ProblemsOf("id: [a\n"), ElementsAre(HasSubstr("this is not YAML")));
  EXPECT_THAT(ProblemsOf(""), ElementsAre("s.yaml:1:1: the file has no content"));
  EXPECT_THAT(ProblemsOf("# nothing\n"), ElementsAre(HasSubstr("no content")));
  EXPECT_THAT(ProblemsOf("just text"),
              ElementsAre(HasSubstr("the file must be 'key: value' lines")));
  EXPECT_THAT(ProblemsOf("id: a\ndispatch: {roads: demo}\n---\nid: b\n"),
              ElementsAre(HasSubstr("second YAML document")));
  EXPECT_THAT(ProblemsOf("id: a\nname: caf\xe9\n"),
              ElementsAre("s.yaml:2:10: this is not UTF-8 text; save the file as UTF-8"));
  EXPECT_THAT(ProblemsOf("[a]: 1\n"),
              ::testing::Contains(HasSubstr("a key of the file is not plain text")));
  EXPECT_THAT(ProblemsOf("<<: {id: a}\ndispatch: {roads: demo}\n"),
              ::testing::Contains(HasSubstr("merge keys")));
}

TEST(ConfigReader, HostileDepthAndAliasesCostLittle) {
  std::string deep = "id: ";
  for (int i = 0; i < 50'000; ++i) deep += '[';
  EXPECT_FALSE(ProblemsOf(deep).empty());
  // Each list names the one before ten times: 10^7 values from 300 bytes.
  std::string laughs =
      "id: a\ndispatch: {roads: demo}\ncameras:\n  - rules: &a0 [{}, {}, {}, {}, {}, {}, {}, {}, "
      "{}, {}]\n";
  for (int i = 1; i < 7; ++i) {
    laughs += "  - rules: &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) laughs += "*a" + std::to_string(i - 1) + ", ";
    laughs += "]\n";
  }
  EXPECT_FALSE(ProblemsOf(laughs).empty());
}

TEST(ConfigReader, AnotherReadStartsAfresh) {
  proto::Site site;
  ASSERT_THAT(ProblemsOf(kGood, &site), IsEmpty());
  ASSERT_THAT(ProblemsOf("id: b\ndispatch: {roads: demo}\n", &site), IsEmpty());
  EXPECT_EQ(site.cameras_size(), 0);
}

TEST(LoadConfig, PutsOneProblemOnEachLine) {
  const testing::TemporaryFolder folder;
  ASSERT_TRUE(WriteFileDurably(folder.File("s.yaml"), "idd: a\n").ok());
  proto::Site site;
  const absl::Status status = LoadConfig(folder.File("s.yaml"), site);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  const std::string text(MessageOf(status));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2) << text;
  EXPECT_THAT(text, HasSubstr(folder.File("s.yaml") + ":1:1: unknown key 'idd'"));
  EXPECT_EQ(LoadConfig(folder.File("none.yaml"), site).code(), absl::StatusCode::kNotFound);
}

TEST(DescribeConfig, ListsEveryFieldOnce) {
  const std::string text = DescribeConfig(*proto::Site::descriptor());
  EXPECT_THAT(text, HasSubstr("\n## CameraConfig\n"));
  EXPECT_THAT(text, HasSubstr("| `analysis_width` | whole number | `480` | 128..1920 px | Width of "
                              "the analysed picture. |"));
  EXPECT_THAT(text, HasSubstr("| `tiers_s` | list of whole number | `[60, 180, 300]` |"));
  EXPECT_THAT(text, HasSubstr("**required**"));
  size_t sections = 0;
  for (size_t at = text.find("\n## UnitConfig\n"); at != std::string::npos;
       at = text.find("\n## UnitConfig\n", at + 1))
    ++sections;
  EXPECT_EQ(sections, 1u);
}

}  // namespace
}  // namespace cordon
