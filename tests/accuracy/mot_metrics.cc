// SPDX-License-Identifier: Apache-2.0
#include "tests/accuracy/mot_metrics.h"

#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "tests/accuracy/assignment.h"

namespace cordon::accuracy {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
// Outweighs any sum of overlaps in one frame, so that continued matches come first.
constexpr double kContinuedBonus = 1000;

// Ids renumbered 0, 1, 2 ..., and each frame's overlaps, computed once for all the measures.
struct Prepared {
  struct Frame {
    std::vector<size_t> truth;  // renumbered ids
    std::vector<size_t> result;
    WeightTable overlap{0, 0};
  };
  std::vector<Frame> frames;
  std::vector<int64_t> truth_counts;  // boxes of each id
  std::vector<int64_t> result_counts;
};

class Renumber {
 public:
  size_t operator()(int64_t id, std::vector<int64_t>& counts) {
    const size_t index = indices_.emplace(id, indices_.size()).first->second;
    if (index >= counts.size()) counts.resize(index + 1, 0);
    ++counts[index];
    return index;
  }

 private:
  std::map<int64_t, size_t> indices_;
};

Prepared Prepare(const MotFrames& truth, const MotFrames& result) {
  static const std::vector<MotRow> kNone;
  std::map<int, std::pair<const std::vector<MotRow>*, const std::vector<MotRow>*>> both;
  for (const auto& [number, rows] : truth) both[number] = {&rows, &kNone};
  for (const auto& [number, rows] : result) {
    auto& entry = both.try_emplace(number, &kNone, &kNone).first->second;
    entry.second = &rows;
  }
  Prepared prepared;
  Renumber renumber_truth;
  Renumber renumber_result;
  for (const auto& [number, rows] : both) {
    Prepared::Frame frame;
    frame.overlap = WeightTable(rows.first->size(), rows.second->size());
    for (size_t t = 0; t < rows.first->size(); ++t) {
      frame.truth.push_back(renumber_truth((*rows.first)[t].id, prepared.truth_counts));
      for (size_t r = 0; r < rows.second->size(); ++r) {
        frame.overlap.at(t, r) = IntersectionOverUnion((*rows.first)[t].box, (*rows.second)[r].box);
      }
    }
    for (const MotRow& row : *rows.second) {
      frame.result.push_back(renumber_result(row.id, prepared.result_counts));
    }
    prepared.frames.push_back(std::move(frame));
  }
  return prepared;
}

int64_t Sum(const std::vector<int64_t>& counts) {
  int64_t sum = 0;
  for (const int64_t count : counts) sum += count;
  return sum;
}

double Share(double part, double whole) { return whole > 0 ? part / whole : 0; }

// What CLEAR MOT remembers of each truth track.
struct TruthTrack {
  size_t last_result = kUnassigned;      // ever matched
  size_t previous_result = kUnassigned;  // matched in the frame before
  bool matched_before = false;           // when it was last in view
  int64_t matched = 0;
  int64_t runs = 0;  // stretches of matched frames
};

class ClearMot {
 public:
  ClearMot(const Prepared& data, double threshold)
      : data_(data), threshold_(threshold), tracks_(data.truth_counts.size()) {}

  void Run(MotScores& scores) {
    for (const Prepared::Frame& frame : data_.frames) AddFrame(frame, scores);
    for (size_t id = 0; id < tracks_.size(); ++id) {
      const double share = Share(static_cast<double>(tracks_[id].matched),
                                 static_cast<double>(data_.truth_counts[id]));
      scores.mostly_tracked += share > 0.8 ? 1 : 0;
      scores.mostly_lost += share < 0.2 ? 1 : 0;
      scores.fragments += tracks_[id].runs > 1 ? tracks_[id].runs - 1 : 0;
    }
    scores.false_negatives = scores.truth_boxes - scores.true_positives;
    scores.false_positives = scores.result_boxes - scores.true_positives;
    const auto found = static_cast<double>(scores.true_positives);
    scores.motp = Share(overlap_sum_, found);
    scores.precision = Share(found, static_cast<double>(scores.result_boxes));
    scores.recall = Share(found, static_cast<double>(scores.truth_boxes));
    scores.mota = Share(
        static_cast<double>(scores.true_positives - scores.false_positives - scores.id_switches),
        static_cast<double>(scores.truth_boxes));
  }

 private:
  void AddFrame(const Prepared::Frame& frame, MotScores& scores) {
    WeightTable weights(frame.truth.size(), frame.result.size());
    for (size_t t = 0; t < frame.truth.size(); ++t) {
      for (size_t r = 0; r < frame.result.size(); ++r) {
        const double overlap = frame.overlap.at(t, r);
        if (overlap < threshold_ - kEpsilon) continue;
        const bool continued = tracks_[frame.truth[t]].previous_result == frame.result[r];
        weights.at(t, r) = overlap + (continued ? kContinuedBonus : 0);
      }
    }
    const std::vector<size_t> match = AssignMaximum(weights);
    for (TruthTrack& track : tracks_) track.previous_result = kUnassigned;
    for (size_t t = 0; t < match.size(); ++t) {
      TruthTrack& track = tracks_[frame.truth[t]];
      if (match[t] == kUnassigned) {
        track.matched_before = false;
        continue;
      }
      const size_t result = frame.result[match[t]];
      if (track.last_result != kUnassigned && track.last_result != result) ++scores.id_switches;
      if (!track.matched_before) ++track.runs;
      track.matched_before = true;
      track.last_result = track.previous_result = result;
      ++track.matched;
      ++scores.true_positives;
      overlap_sum_ += frame.overlap.at(t, match[t]);
    }
  }

  const Prepared& data_;
  const double threshold_;
  std::vector<TruthTrack> tracks_;
  double overlap_sum_ = 0;
};

// Each truth id gets one result id for the whole sequence, so that the boxes explained are the
// most.
void AddIdentity(const Prepared& data, double threshold, MotScores& scores) {
  WeightTable together(data.truth_counts.size(), data.result_counts.size());
  for (const Prepared::Frame& frame : data.frames) {
    for (size_t t = 0; t < frame.truth.size(); ++t) {
      for (size_t r = 0; r < frame.result.size(); ++r) {
        if (frame.overlap.at(t, r) >= threshold) together.at(frame.truth[t], frame.result[r]) += 1;
      }
    }
  }
  const std::vector<size_t> match = AssignMaximum(together);
  for (size_t t = 0; t < match.size(); ++t) {
    if (match[t] != kUnassigned) {
      scores.id_true_positives += static_cast<int64_t>(together.at(t, match[t]));
    }
  }
  const auto explained = static_cast<double>(scores.id_true_positives);
  const auto truth = static_cast<double>(scores.truth_boxes);
  const auto result = static_cast<double>(scores.result_boxes);
  scores.id_precision = Share(explained, result);
  scores.id_recall = Share(explained, truth);
  scores.idf1 = Share(2 * explained, truth + result);
}

class Hota {
 public:
  explicit Hota(const Prepared& data)
      : data_(data), alignment_(data.truth_counts.size(), data.result_counts.size()) {}

  void Run(MotScores& scores) {
    Align();
    matches_.assign(kSteps, WeightTable(alignment_.rows, alignment_.columns));
    for (const Prepared::Frame& frame : data_.frames) AddFrame(frame);
    for (size_t a = 0; a < kSteps; ++a) {
      const double found = true_positives_[a];
      const double detection = Share(found, static_cast<double>(scores.truth_boxes) +
                                                static_cast<double>(scores.result_boxes) - found);
      const double association = Association(a);
      scores.detection_accuracy += detection / kSteps;
      scores.association_accuracy += association / kSteps;
      scores.hota += std::sqrt(detection * association) / kSteps;
    }
  }

 private:
  static constexpr size_t kSteps = 19;
  static double Alpha(size_t step) { return 0.05 * static_cast<double>(step + 1); }

  // How well each pair of ids goes together over the whole sequence.
  void Align() {
    for (const Prepared::Frame& frame : data_.frames) {
      std::vector<double> row_sum(frame.truth.size(), 0);
      std::vector<double> column_sum(frame.result.size(), 0);
      for (size_t t = 0; t < frame.truth.size(); ++t) {
        for (size_t r = 0; r < frame.result.size(); ++r) {
          row_sum[t] += frame.overlap.at(t, r);
          column_sum[r] += frame.overlap.at(t, r);
        }
      }
      for (size_t t = 0; t < frame.truth.size(); ++t) {
        for (size_t r = 0; r < frame.result.size(); ++r) {
          const double overlap = frame.overlap.at(t, r);
          const double any = row_sum[t] + column_sum[r] - overlap;
          if (any > kEpsilon) alignment_.at(frame.truth[t], frame.result[r]) += overlap / any;
        }
      }
    }
    for (size_t t = 0; t < alignment_.rows; ++t) {
      for (size_t r = 0; r < alignment_.columns; ++r) {
        double& together = alignment_.at(t, r);
        together /= static_cast<double>(data_.truth_counts[t] + data_.result_counts[r]) - together;
      }
    }
  }

  void AddFrame(const Prepared::Frame& frame) {
    WeightTable weights(frame.truth.size(), frame.result.size());
    for (size_t t = 0; t < frame.truth.size(); ++t) {
      for (size_t r = 0; r < frame.result.size(); ++r) {
        weights.at(t, r) = alignment_.at(frame.truth[t], frame.result[r]) * frame.overlap.at(t, r);
      }
    }
    const std::vector<size_t> match = AssignMaximum(weights);
    for (size_t t = 0; t < match.size(); ++t) {
      if (match[t] == kUnassigned) continue;
      for (size_t a = 0; a < kSteps; ++a) {
        if (frame.overlap.at(t, match[t]) < Alpha(a) - kEpsilon) continue;
        true_positives_[a] += 1;
        matches_[a].at(frame.truth[t], frame.result[match[t]]) += 1;
      }
    }
  }

  double Association(size_t step) const {
    double sum = 0;
    for (size_t t = 0; t < alignment_.rows; ++t) {
      for (size_t r = 0; r < alignment_.columns; ++r) {
        const double together = matches_[step].at(t, r);
        if (together == 0) continue;
        const auto any = static_cast<double>(data_.truth_counts[t] + data_.result_counts[r]);
        sum += together * together / (any - together);
      }
    }
    return Share(sum, true_positives_[step]);
  }

  const Prepared& data_;
  WeightTable alignment_;
  std::vector<WeightTable> matches_;  // of each threshold
  std::array<double, kSteps> true_positives_{};
};

}  // namespace

MotScores Evaluate(const MotFrames& truth, const MotFrames& result, double threshold) {
  const Prepared data = Prepare(truth, result);
  MotScores scores;
  scores.truth_boxes = Sum(data.truth_counts);
  scores.result_boxes = Sum(data.result_counts);
  scores.truth_tracks = static_cast<int64_t>(data.truth_counts.size());
  ClearMot(data, threshold).Run(scores);
  AddIdentity(data, threshold, scores);
  Hota(data).Run(scores);
  return scores;
}

}  // namespace cordon::accuracy
