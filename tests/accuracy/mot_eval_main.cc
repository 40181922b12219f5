// SPDX-License-Identifier: Apache-2.0
// mot_eval: agreement of tracks with the truth, both in the MOTChallenge text format.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/accuracy/mot_metrics.h"
#include "tests/accuracy/sort_baseline.h"

namespace cordon::accuracy {
namespace {

struct Arguments {
  std::string truth;
  std::string result;
  double threshold = 0.5;
  bool json = false;
  bool sort = false;
  SortOptions sort_options;
};

void PrintText(const MotScores& s) {
  std::printf("MOTA %.3f  IDF1 %.3f  HOTA %.3f  MOTP %.3f\n", 100 * s.mota, 100 * s.idf1,
              100 * s.hota, 100 * s.motp);
  std::printf("TP %lld  FN %lld  FP %lld  IDSW %lld  fragments %lld\n",
              static_cast<long long>(s.true_positives), static_cast<long long>(s.false_negatives),
              static_cast<long long>(s.false_positives), static_cast<long long>(s.id_switches),
              static_cast<long long>(s.fragments));
  std::printf("precision %.3f  recall %.3f  mostly tracked %lld / mostly lost %lld of %lld\n",
              100 * s.precision, 100 * s.recall, static_cast<long long>(s.mostly_tracked),
              static_cast<long long>(s.mostly_lost), static_cast<long long>(s.truth_tracks));
}

void PrintJson(const MotScores& s) {
  const nlohmann::ordered_json json = {{"mota", s.mota},
                                       {"idf1", s.idf1},
                                       {"hota", s.hota},
                                       {"motp", s.motp},
                                       {"precision", s.precision},
                                       {"recall", s.recall},
                                       {"tp", s.true_positives},
                                       {"fn", s.false_negatives},
                                       {"fp", s.false_positives},
                                       {"idsw", s.id_switches},
                                       {"fragments", s.fragments},
                                       {"mostly_tracked", s.mostly_tracked},
                                       {"mostly_lost", s.mostly_lost},
                                       {"truth_tracks", s.truth_tracks}};
  std::printf("%s\n", json.dump(2).c_str());
}

int Run(const Arguments& arguments) {
  auto truth = ReadMotFile(arguments.truth, MotKind::kGroundTruth);
  auto result =
      ReadMotFile(arguments.result, arguments.sort ? MotKind::kDetections : MotKind::kResult);
  for (const auto* read : {&truth, &result}) {
    if (read->ok()) continue;
    std::fprintf(stderr, "mot_eval: %s\n", std::string(read->status().message()).c_str());
    return 2;
  }
  const MotFrames frames = arguments.sort ? RunSort(*result, arguments.sort_options) : *result;
  const MotScores scores = Evaluate(*truth, frames, arguments.threshold);
  if (arguments.json) {
    PrintJson(scores);
  } else {
    PrintText(scores);
  }
  return 0;
}

}  // namespace
}  // namespace cordon::accuracy

int main(int argc, char** argv) {
  CLI::App app{
      "Agreement of tracks with the truth (MOTChallenge 2D text files)\n"
      "Example: mot_eval gt.txt result.txt\n"
      "         mot_eval --sort gt.txt det.txt   (plain SORT on detections)"};
  cordon::accuracy::Arguments arguments;
  app.add_option("truth", arguments.truth, "ground truth; rows of confidence 0 are ignored")
      ->required();
  app.add_option("result", arguments.result, "tracks, or detections with --sort")->required();
  app.add_option("--iou", arguments.threshold, "least overlap of a match")
      ->check(CLI::Range(0.0, 1.0));
  app.add_flag("--json", arguments.json, "print JSON");
  app.add_flag("--sort", arguments.sort, "run the SORT baseline on the second file first");
  app.add_option("--least-confidence", arguments.sort_options.least_confidence,
                 "SORT: detections below are left out");
  app.add_option("--max-age", arguments.sort_options.max_age, "SORT: frames without a match");
  app.add_option("--min-hits", arguments.sort_options.min_hits,
                 "SORT: matches before a track is shown");
  app.add_option("--least-overlap", arguments.sort_options.least_overlap,
                 "SORT: least overlap of a match");
  CLI11_PARSE(app, argc, argv);
  return cordon::accuracy::Run(arguments);
}
