// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "dispatch/search.h"
#include "dispatch/travel_graph.h"

namespace cordon {

// One arrival: what the untouched model predicts for the way that was driven, by class of road, and
// how long it took.
struct ArrivalRecord {
  std::array<double, kRoadClasses>
      class_s{};       // predicted on roads of the class, without learned factors
  double turns_s = 0;  // predicted for turns: not learned
  double actual_s = 0;
  int hour = 0;  // local hour of setting off
  // What was shown when the unit set off, and how long it then took until it said that it was there;
  // 0: not known. For the error only.
  double promised_s = 0;
  double elapsed_s = 0;
  double predicted_s() const;
};

// Predicts a way with the prior alone. Between two places on its first and last edge.
ArrivalRecord PredictWay(const RoadNetwork& network, const TravelProfile& profile,
                         std::span<const EdgeId> way, uint32_t from_cm, uint32_t to_cm);

// What share of the real time the predictions miss by.
struct EtaError {
  size_t arrivals = 0;
  double p50_s = 0, p90_s = 0;          // |predicted - actual|
  double p50_share = 0, p90_share = 0;  // of the actual time
  double bias_share = 0;                // median of predicted / actual - 1
};

// The error of the arrivals that have something in common; what is not set does not tell apart.
struct EtaErrorGroup {
  std::optional<RoadClass> road_class;  // that took most of the predicted time
  std::optional<int> hour;              // local, of setting off
  EtaError error;
};

using SpeedFactors =
    std::array<std::array<float, kRoadClasses>, 24>;  // speed relative to the prior, by hour

// Learns from arrivals how much faster or slower each class of road is driven than the prior says,
// by hour. Three layers, each shrunk to the one before it: 1 -> class (ridge regression on the
// shares of the classes) -> hour -> class at that hour. With few arrivals the factors stay near 1;
// kPriorArrivals weigh as much as the prior. (Regression of emergency speeds by class: ISCRAM,
// doi 10.59297/a7t70e66.)
//
// Errors are honest: each arrival is predicted with what was learned before it. Arrivals that no
// driving explains (less than 0.3 or more than 4 times the prediction) are counted and left out.
// Keeps the last kMostArrivals. One thread.
class SpeedLearning {
 public:
  static constexpr double kPriorArrivals = 8;
  static constexpr size_t kMostArrivals = 20'000;
  static constexpr float kLeastFactor = 0.4F;
  static constexpr float kMostFactor = 2.0F;

  // INVALID_ARGUMENT for an hour outside 0..23 or times that are not positive.
  absl::Status Add(const ArrivalRecord& arrival);
  // For RoadConditions::SetClassFactors.
  SpeedFactors Factors() const;
  // With the prior alone, and with what was learned before each arrival.
  EtaError PriorError() const;
  EtaError LearnedError() const;
  // The learned error by class, by hour, or by both; groups without arrivals are left out. Ascending.
  enum class GroupBy { kClass, kHour, kClassAndHour };
  std::vector<EtaErrorGroup> LearnedErrors(GroupBy by) const;
  // Of those arrivals that had been promised.
  EtaError PromisedError() const;
  size_t left_out() const { return left_out_; }
  size_t arrivals() const { return arrivals_.size(); }

  // JSON text of the arrivals, so that a restart forgets nothing; Load replaces everything.
  // DATA_LOSS when damaged.
  std::string Save() const;
  absl::Status Load(const std::string& text);

 private:
  struct Model {
    std::array<double, kRoadClasses> by_class{};  // time relative to the prior
    std::array<double, 24> by_hour{};
    std::array<std::array<double, kRoadClasses>, 24> at_hour{};
  };
  struct Outcome {
    double predicted_s, actual_s;
  };
  static Model Flat();
  void Learn() const;
  static double Predict(const Model& model, const ArrivalRecord& arrival);
  static EtaError ErrorOf(std::vector<Outcome> outcomes);

  std::deque<ArrivalRecord> arrivals_;
  std::deque<Outcome> prior_outcomes_;
  std::deque<Outcome> learned_outcomes_;
  size_t left_out_ = 0;
  mutable size_t since_learned_ = 0;
  mutable Model model_ = Flat();
};

}  // namespace cordon
