// SPDX-License-Identifier: Apache-2.0
#include "tests/accuracy/mot_metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <sstream>

#include "tests/accuracy/assignment.h"
#include "tests/accuracy/sort_baseline.h"
#include "tests/support/test_data.h"

namespace cordon::accuracy {
namespace {

MotFrames Parse(const std::string& text, MotKind kind = MotKind::kResult) {
  std::istringstream stream(text);
  auto frames = ParseMot(stream, "text", kind);
  EXPECT_TRUE(frames.ok()) << frames.status();
  return frames.ok() ? *frames : MotFrames{};
}

// A box of 10 x 10 at x, so that a shift of 10/3 is an overlap of one half.
std::string Row(int frame, int id, double x) {
  return fmt::format("{},{},{},0,10,10,1\n", frame, id, x);
}

TEST(Assignment, EqualsBruteForceOnRandomTables) {
  const unsigned seed = 20'260'301;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 300; ++round) {
    const size_t rows = 1 + random() % 5;
    const size_t columns = rows + random() % 3;
    WeightTable table(rows, columns);
    for (double& value : table.values)
      value = random() % 3 == 0 ? 0 : static_cast<double>(random() % 100);
    std::vector<size_t> order(columns);
    std::iota(order.begin(), order.end(), size_t{0});
    double best = 0;
    do {
      double sum = 0;
      for (size_t r = 0; r < rows; ++r) sum += table.at(r, order[r]);
      best = std::max(best, sum);
    } while (std::next_permutation(order.begin(), order.end()));
    double ours = 0;
    const std::vector<size_t> match = AssignMaximum(table);
    for (size_t r = 0; r < rows; ++r) ours += match[r] == kUnassigned ? 0 : table.at(r, match[r]);
    ASSERT_DOUBLE_EQ(ours, best) << "round " << round;
  }
}

TEST(MotMetrics, TheTruthItselfScoresFull) {
  const MotFrames truth = Parse(Row(1, 1, 0) + Row(1, 2, 50) + Row(2, 1, 2) + Row(3, 2, 52));
  const MotScores scores = Evaluate(truth, truth);
  EXPECT_EQ(scores.true_positives, 4);
  EXPECT_DOUBLE_EQ(scores.mota, 1);
  EXPECT_DOUBLE_EQ(scores.idf1, 1);
  EXPECT_NEAR(scores.hota, 1, 1e-12);
}

TEST(MotMetrics, CountsMissesFalseBoxesAndSwitches) {
  // The truth: one object in frames 1-4. The result: id 7 in frames 1-2, nothing in 3, id 8 in 4,
  // and one stray box.
  const MotFrames truth = Parse(Row(1, 1, 0) + Row(2, 1, 0) + Row(3, 1, 0) + Row(4, 1, 0));
  const MotFrames result = Parse(Row(1, 7, 0) + Row(2, 7, 0) + Row(3, 7, 80) + Row(4, 8, 0));
  const MotScores scores = Evaluate(truth, result);
  EXPECT_EQ(scores.true_positives, 3);
  EXPECT_EQ(scores.false_negatives, 1);
  EXPECT_EQ(scores.false_positives, 1);
  EXPECT_EQ(scores.id_switches, 1);
  EXPECT_EQ(scores.fragments, 1);
  EXPECT_DOUBLE_EQ(scores.mota, 1 - 3.0 / 4);
  EXPECT_EQ(scores.id_true_positives, 2);
  EXPECT_DOUBLE_EQ(scores.idf1, 2 * 2.0 / (4 + 4));
}

TEST(MotMetrics, AContinuedMatchIsKeptAlthoughAnotherOverlapsMore) {
  const MotFrames truth = Parse(Row(1, 1, 0) + Row(2, 1, 0));
  const MotFrames result = Parse(Row(1, 7, 0) + Row(2, 7, 3) + Row(2, 8, 0));
  EXPECT_EQ(Evaluate(truth, result).id_switches, 0);
}

TEST(MotMetrics, OverlapBelowTheThresholdIsNoMatch) {
  const MotFrames truth = Parse(Row(1, 1, 0));
  EXPECT_EQ(Evaluate(truth, Parse(Row(1, 7, 3.3))).true_positives, 1);
  EXPECT_EQ(Evaluate(truth, Parse(Row(1, 7, 3.4))).true_positives, 0);
}

TEST(MotMetrics, OneResultIdCannotExplainTwoObjects) {
  const MotFrames truth =
      Parse(Row(1, 1, 0) + Row(2, 1, 0) + Row(3, 2, 0) + Row(4, 2, 0) + Row(5, 2, 0));
  const MotFrames result =
      Parse(Row(1, 7, 0) + Row(2, 7, 0) + Row(3, 7, 0) + Row(4, 7, 0) + Row(5, 7, 0));
  const MotScores scores = Evaluate(truth, result);
  EXPECT_EQ(scores.id_true_positives, 3);
  EXPECT_EQ(scores.id_switches, 0) << "CLEAR MOT does not see merges";
}

TEST(MotMetrics, EmptySidesAreNoDivisionByZero) {
  EXPECT_DOUBLE_EQ(Evaluate({}, {}).mota, 0);
  EXPECT_EQ(Evaluate(Parse(Row(1, 1, 0)), {}).false_negatives, 1);
  EXPECT_EQ(Evaluate({}, Parse(Row(1, 1, 0))).false_positives, 1);
}

TEST(MotFile, RefusesWhatItCannotTrustWithFileAndLine) {
  for (const char* text : {"1,2,3\n", "0,1,0,0,10,10,1\n", "1,1,nan,0,10,10,1\n",
                           "1,1,0,0,0,10,1\n", "1,1,0,0,10,10,1\n1,1,5,0,10,10,1\n"}) {
    std::istringstream stream(text);
    const auto frames = ParseMot(stream, "gt.txt", MotKind::kGroundTruth);
    ASSERT_FALSE(frames.ok()) << text;
    EXPECT_NE(frames.status().message().find("gt.txt:"), absl::string_view::npos);
  }
}

TEST(MotMetrics, AgreesWithTheKnownAnswerOfAPublishedTracker) {
  const std::string folder = testing::TestData("gt/PETS09-S2L1");
  SKIP_WITHOUT(folder + "/res_CEM.txt");
  const auto truth = ReadMotFile(folder + "/gt.txt", MotKind::kGroundTruth);
  const auto result = ReadMotFile(folder + "/res_CEM.txt", MotKind::kResult);
  ASSERT_TRUE(truth.ok() && result.ok()) << truth.status() << result.status();
  const MotScores scores = Evaluate(*truth, *result);
  EXPECT_EQ(scores.truth_boxes, 4476);
  EXPECT_NEAR(100 * scores.mota, 82.887, 0.0006);
  EXPECT_NEAR(100 * scores.idf1, 66.615, 0.0006);
  EXPECT_NEAR(100 * scores.hota, 51.630, 0.0006);
  EXPECT_EQ(scores.true_positives, 4109);
  EXPECT_EQ(scores.false_negatives, 367);
  EXPECT_EQ(scores.false_positives, 368);
  EXPECT_EQ(scores.id_switches, 31);
}

TEST(SortBaseline, KeepsOneIdForOneSteadyWalker) {
  std::string text;
  for (int frame = 1; frame <= 20; ++frame) text += Row(frame, -1, 2.0 * frame);
  const MotFrames tracks = RunSort(Parse(text, MotKind::kDetections), {});
  ASSERT_EQ(tracks.size(), 20U);
  for (const auto& [frame, rows] : tracks) {
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].id, 1);
  }
}

TEST(SortBaseline, IsAsGoodAsThePlainSortItStandsFor) {
  const std::string folder = testing::TestData("gt/PETS09-S2L1");
  SKIP_WITHOUT(folder + "/det.txt");
  const auto truth = ReadMotFile(folder + "/gt.txt", MotKind::kGroundTruth);
  const auto detections = ReadMotFile(folder + "/det.txt", MotKind::kDetections);
  ASSERT_TRUE(truth.ok() && detections.ok());
  const MotScores scores = Evaluate(*truth, RunSort(*detections, {}));
  EXPECT_NEAR(100 * scores.mota, 64.7, 1.0);
  EXPECT_NEAR(100 * scores.idf1, 43.2, 2.0);
}

}  // namespace
}  // namespace cordon::accuracy
