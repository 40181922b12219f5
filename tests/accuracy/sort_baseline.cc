// SPDX-License-Identifier: Apache-2.0
#include "tests/accuracy/sort_baseline.h"

#include <algorithm>
#include <cmath>

#include "tests/accuracy/assignment.h"

namespace cordon::accuracy {
namespace {

// SORT's seven-state filter has diagonal noise, so it falls apart into one filter for each measured
// value.
class ValueFilter {
 public:
  ValueFilter(double value, bool moves, double measurement_noise, double speed_noise)
      : value_(value),
        moves_(moves),
        measurement_noise_(measurement_noise),
        speed_noise_(speed_noise) {}

  void Predict() {
    if (moves_) {
      value_ += speed_;
      value_variance_ += 2 * covariance_ + speed_variance_;
      covariance_ += speed_variance_;
      speed_variance_ += speed_noise_;
    }
    value_variance_ += 1;
  }

  void Update(double measured) {
    const double total = value_variance_ + measurement_noise_;
    const double value_gain = value_variance_ / total;
    const double speed_gain = covariance_ / total;
    const double surprise = measured - value_;
    value_ += value_gain * surprise;
    if (moves_) speed_ += speed_gain * surprise;
    speed_variance_ -= speed_gain * covariance_;
    covariance_ -= value_gain * covariance_;
    value_variance_ -= value_gain * value_variance_;
  }

  double value() const { return value_; }
  double speed() const { return speed_; }
  void Stop() { speed_ = 0; }

 private:
  double value_;
  double speed_ = 0;
  double value_variance_ = 10;
  double covariance_ = 0;
  double speed_variance_ = 10'000;
  bool moves_;
  double measurement_noise_;
  double speed_noise_;
};

class Track {
 public:
  explicit Track(const MotBox& box)
      : x_(box.left + box.width / 2, true, 1, 0.01),
        y_(box.top + box.height / 2, true, 1, 0.01),
        area_(box.width * box.height, true, 10, 0.0001),
        aspect_(box.width / box.height, false, 10, 0) {}

  void Predict() {
    if (area_.value() + area_.speed() <= 0) area_.Stop();
    for (ValueFilter* filter : {&x_, &y_, &area_, &aspect_}) filter->Predict();
    if (frames_since_match > 0) matches_in_row = 0;
    ++frames_since_match;
  }

  void Update(const MotBox& box) {
    frames_since_match = 0;
    ++matches_in_row;
    x_.Update(box.left + box.width / 2);
    y_.Update(box.top + box.height / 2);
    area_.Update(box.width * box.height);
    aspect_.Update(box.width / box.height);
  }

  MotBox Box() const {
    const double width = std::sqrt(std::max(area_.value() * aspect_.value(), 1e-6));
    const double height = std::max(area_.value() / width, 1e-3);
    return {x_.value() - width / 2, y_.value() - height / 2, width, height};
  }

  int64_t id = 0;
  int frames_since_match = 0;
  int matches_in_row = 0;

 private:
  ValueFilter x_;
  ValueFilter y_;
  ValueFilter area_;
  ValueFilter aspect_;
};

class Sort {
 public:
  explicit Sort(const SortOptions& options) : options_(options) {}

  std::vector<MotRow> Step(const std::vector<MotBox>& boxes) {
    ++frames_;
    for (Track& track : tracks_) track.Predict();
    const std::vector<bool> taken = Match(boxes);
    for (size_t b = 0; b < boxes.size(); ++b) {
      if (taken[b]) continue;
      tracks_.emplace_back(boxes[b]);
      tracks_.back().id = ++last_id_;
    }
    std::vector<MotRow> rows;
    for (const Track& track : tracks_) {
      const bool shown = track.matches_in_row >= options_.min_hits || frames_ <= options_.min_hits;
      if (track.frames_since_match < 1 && shown) rows.push_back({track.id, track.Box(), 1});
    }
    std::erase_if(tracks_,
                  [this](const Track& t) { return t.frames_since_match > options_.max_age; });
    return rows;
  }

 private:
  // Assigns first and drops the weak pairs afterwards, as SORT does.
  std::vector<bool> Match(const std::vector<MotBox>& boxes) {
    std::vector<bool> taken(boxes.size(), false);
    WeightTable overlaps(tracks_.size(), boxes.size());
    for (size_t t = 0; t < tracks_.size(); ++t) {
      for (size_t b = 0; b < boxes.size(); ++b) {
        overlaps.at(t, b) = IntersectionOverUnion(tracks_[t].Box(), boxes[b]);
      }
    }
    const std::vector<size_t> match = AssignMaximum(overlaps);
    for (size_t t = 0; t < match.size(); ++t) {
      if (match[t] == kUnassigned || overlaps.at(t, match[t]) < options_.least_overlap) continue;
      tracks_[t].Update(boxes[match[t]]);
      taken[match[t]] = true;
    }
    return taken;
  }

  const SortOptions options_;
  std::vector<Track> tracks_;
  int64_t last_id_ = 0;
  int frames_ = 0;
};

}  // namespace

MotFrames RunSort(const MotFrames& detections, const SortOptions& options) {
  MotFrames result;
  if (detections.empty()) return result;
  Sort sort(options);
  for (int number = detections.begin()->first; number <= detections.rbegin()->first; ++number) {
    std::vector<MotBox> boxes;
    if (const auto found = detections.find(number); found != detections.end()) {
      for (const MotRow& row : found->second) {
        if (row.confidence >= options.least_confidence) boxes.push_back(row.box);
      }
    }
    std::vector<MotRow> rows = sort.Step(boxes);
    if (!rows.empty()) result.emplace(number, std::move(rows));
  }
  return result;
}

}  // namespace cordon::accuracy
