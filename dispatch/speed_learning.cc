// SPDX-License-Identifier: Apache-2.0
#include "dispatch/speed_learning.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "dispatch/travel_profile.h"

namespace cordon {
namespace {

using Json = nlohmann::json;

constexpr double kLeastRatio = 0.3;
constexpr double kMostRatio = 4;
// The model is fitted anew after so many arrivals; in between they count for errors only.
constexpr size_t kLearnEvery = 25;

using Row = std::array<double, kRoadClasses>;

// Solves (A + prior I) x = b by Cholesky; A is symmetric and the sum positive definite.
Row SolveRidge(std::array<Row, kRoadClasses> a, Row b, double prior) {
  for (int i = 0; i < kRoadClasses; ++i) a[i][i] += prior;
  for (int j = 0; j < kRoadClasses; ++j) {
    for (int k = 0; k < j; ++k) a[j][j] -= a[j][k] * a[j][k];
    a[j][j] = std::sqrt(a[j][j]);
    for (int i = j + 1; i < kRoadClasses; ++i) {
      for (int k = 0; k < j; ++k) a[i][j] -= a[i][k] * a[j][k];
      a[i][j] /= a[j][j];
    }
  }
  for (int i = 0; i < kRoadClasses; ++i) {
    for (int k = 0; k < i; ++k) b[i] -= a[i][k] * b[k];
    b[i] /= a[i][i];
  }
  for (int i = kRoadClasses - 1; i >= 0; --i) {
    for (int k = i + 1; k < kRoadClasses; ++k) b[i] -= a[k][i] * b[k];
    b[i] /= a[i][i];
  }
  return b;
}

double DriveSeconds(const ArrivalRecord& arrival) {
  return std::accumulate(arrival.class_s.begin(), arrival.class_s.end(), 0.0);
}

double Quantile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  const auto at =
      values.begin() + static_cast<ptrdiff_t>(std::min(values.size() - 1.0,
                                                       share * static_cast<double>(values.size())));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

}  // namespace

double ArrivalRecord::predicted_s() const { return turns_s + DriveSeconds(*this); }

ArrivalRecord PredictWay(const RoadNetwork& network, const TravelProfile& profile,
                         std::span<const EdgeId> way, uint32_t from_cm, uint32_t to_cm) {
  ArrivalRecord record;
  const TurnCosts costs = TurnCostsOf(profile, network.drives_left());
  for (size_t i = 0; i < way.size(); ++i) {
    const uint32_t length = network.length_cm(way[i]);
    const uint32_t begin = i == 0 ? std::min(from_cm, length) : 0;
    const uint32_t end = i + 1 == way.size() ? std::min(to_cm, length) : length;
    const uint32_t whole_ms = EdgeTimeMs(network, way[i], profile);
    if (whole_ms != kUnreached && end > begin)
      record.class_s[static_cast<size_t>(network.piece(way[i]).road_class)] +=
          whole_ms / 1000.0 * (end - begin) / length;
    if (i + 1 < way.size())
      record.turns_s += costs.by_angle_ms[(network.leaving_direction(way[i + 1]) -
                                           network.arriving_direction(way[i])) &
                                          63] /
                        1000.0;
  }
  return record;
}

SpeedLearning::Model SpeedLearning::Flat() {
  Model model;
  model.by_class.fill(1);
  model.by_hour.fill(1);
  for (auto& hour : model.at_hour) hour.fill(1);
  return model;
}

double SpeedLearning::Predict(const Model& model, const ArrivalRecord& arrival) {
  double seconds = arrival.turns_s;
  const auto hour = static_cast<size_t>(arrival.hour);
  for (size_t c = 0; c < kRoadClasses; ++c)
    seconds +=
        arrival.class_s[c] * model.by_class[c] * model.by_hour[hour] * model.at_hour[hour][c];
  return seconds;
}

absl::Status SpeedLearning::Add(const ArrivalRecord& arrival) {
  const double drive = DriveSeconds(arrival);
  if (arrival.hour < 0 || arrival.hour > 23)
    return absl::InvalidArgumentError("an hour of the day is 0 to 23");
  if (!(drive > 0) || !(arrival.actual_s > 0) ||
      !std::isfinite(drive + arrival.actual_s + arrival.turns_s))
    return absl::InvalidArgumentError("an arrival needs a predicted and an actual time");
  const double ratio = arrival.actual_s / arrival.predicted_s();
  if (ratio < kLeastRatio || ratio > kMostRatio) {
    ++left_out_;
    return absl::OkStatus();
  }
  prior_outcomes_.push_back({arrival.predicted_s(), arrival.actual_s});
  learned_outcomes_.push_back({Predict(model_, arrival), arrival.actual_s});
  arrivals_.push_back(arrival);
  if (arrivals_.size() > kMostArrivals) {
    arrivals_.pop_front();
    prior_outcomes_.pop_front();
    learned_outcomes_.pop_front();
  }
  if (++since_learned_ >= kLearnEvery) Learn();
  return absl::OkStatus();
}

void SpeedLearning::Learn() const {
  since_learned_ = 0;
  Model model = Flat();
  // Classes: what is left of 1 after the prior, each arrival weighing the same however long it was.
  std::array<Row, kRoadClasses> a{};
  Row b{};
  for (const ArrivalRecord& arrival : arrivals_) {
    const double drive = DriveSeconds(arrival);
    const double missing = (arrival.actual_s - arrival.turns_s) / drive - 1;
    for (size_t i = 0; i < kRoadClasses; ++i) {
      b[i] += arrival.class_s[i] / drive * missing;
      for (size_t j = 0; j < kRoadClasses; ++j)
        a[i][j] += arrival.class_s[i] * arrival.class_s[j] / (drive * drive);
    }
  }
  // One arrival spreads over a few classes: its squared shares sum to about a third.
  const Row offsets = SolveRidge(a, b, kPriorArrivals / 3);
  for (size_t c = 0; c < kRoadClasses; ++c)
    model.by_class[c] = std::clamp(1 + offsets[c], 0.5, 2.5);
  std::array<double, 24> hour_sum{}, hour_count{};
  for (const ArrivalRecord& arrival : arrivals_) {
    const auto hour = static_cast<size_t>(arrival.hour);
    hour_sum[hour] +=
        (arrival.actual_s - arrival.turns_s) / (Predict(model, arrival) - arrival.turns_s);
    hour_count[hour] += 1;
  }
  for (size_t hour = 0; hour < 24; ++hour)
    model.by_hour[hour] = std::clamp(
        (kPriorArrivals + hour_sum[hour]) / (kPriorArrivals + hour_count[hour]), 0.5, 2.0);
  std::array<Row, 24> cell_sum{}, cell_weight{};
  for (const ArrivalRecord& arrival : arrivals_) {
    const auto hour = static_cast<size_t>(arrival.hour);
    const double drive = DriveSeconds(arrival);
    const double ratio =
        (arrival.actual_s - arrival.turns_s) / (Predict(model, arrival) - arrival.turns_s);
    for (size_t c = 0; c < kRoadClasses; ++c) {
      cell_sum[hour][c] += arrival.class_s[c] / drive * ratio;
      cell_weight[hour][c] += arrival.class_s[c] / drive;
    }
  }
  for (size_t hour = 0; hour < 24; ++hour)
    for (size_t c = 0; c < kRoadClasses; ++c)
      model.at_hour[hour][c] = std::clamp(
          (kPriorArrivals + cell_sum[hour][c]) / (kPriorArrivals + cell_weight[hour][c]), 0.7, 1.4);
  model_ = model;
}

SpeedFactors SpeedLearning::Factors() const {
  if (since_learned_ > 0) Learn();
  SpeedFactors factors{};
  for (size_t hour = 0; hour < 24; ++hour)
    for (size_t c = 0; c < kRoadClasses; ++c)
      factors[hour][c] =
          std::clamp(static_cast<float>(
                         1 / (model_.by_class[c] * model_.by_hour[hour] * model_.at_hour[hour][c])),
                     kLeastFactor, kMostFactor);
  return factors;
}

EtaError SpeedLearning::ErrorOf(std::vector<Outcome> outcomes) {
  EtaError error{.arrivals = outcomes.size()};
  std::vector<double> seconds, shares, bias;
  for (const Outcome& o : outcomes) {
    seconds.push_back(std::fabs(o.predicted_s - o.actual_s));
    shares.push_back(seconds.back() / o.actual_s);
    bias.push_back(o.predicted_s / o.actual_s - 1);
  }
  error.p50_s = Quantile(seconds, 0.5);
  error.p90_s = Quantile(seconds, 0.9);
  error.p50_share = Quantile(shares, 0.5);
  error.p90_share = Quantile(shares, 0.9);
  error.bias_share = Quantile(bias, 0.5);
  return error;
}

EtaError SpeedLearning::PriorError() const {
  return ErrorOf({prior_outcomes_.begin(), prior_outcomes_.end()});
}
EtaError SpeedLearning::LearnedError() const {
  return ErrorOf({learned_outcomes_.begin(), learned_outcomes_.end()});
}

std::vector<EtaErrorGroup> SpeedLearning::LearnedErrors(GroupBy by) const {
  std::map<std::pair<std::optional<RoadClass>, std::optional<int>>, std::vector<Outcome>> groups;
  for (size_t i = 0; i < arrivals_.size(); ++i) {
    std::optional<RoadClass> road_class;
    std::optional<int> hour;
    if (by != GroupBy::kHour) {
      const auto& times = arrivals_[i].class_s;
      road_class =
          static_cast<RoadClass>(std::max_element(times.begin(), times.end()) - times.begin());
    }
    if (by != GroupBy::kClass) hour = arrivals_[i].hour;
    groups[{road_class, hour}].push_back(learned_outcomes_[i]);
  }
  std::vector<EtaErrorGroup> errors;
  for (auto& [key, outcomes] : groups)
    errors.push_back({key.first, key.second, ErrorOf(std::move(outcomes))});
  return errors;
}

EtaError SpeedLearning::PromisedError() const {
  std::vector<Outcome> outcomes;
  for (const ArrivalRecord& arrival : arrivals_)
    if (arrival.promised_s > 0 && arrival.elapsed_s > 0)
      outcomes.push_back({arrival.promised_s, arrival.elapsed_s});
  return ErrorOf(std::move(outcomes));
}

std::string SpeedLearning::Save() const {
  Json all = Json::array();
  for (const ArrivalRecord& arrival : arrivals_)
    all.push_back({{"class_s", arrival.class_s},
                   {"turns_s", arrival.turns_s},
                   {"actual_s", arrival.actual_s},
                   {"promised_s", arrival.promised_s},
                   {"elapsed_s", arrival.elapsed_s},
                   {"hour", arrival.hour}});
  return Json{{"format", 1}, {"left_out", left_out_}, {"arrivals", std::move(all)}}.dump();
}

absl::Status SpeedLearning::Load(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  const auto damaged = [] {
    return absl::DataLossError("the learned arrivals are damaged; delete the file to start anew");
  };
  if (!json.is_object() || json.value("format", 0) != 1 || !json.contains("arrivals") ||
      !json["arrivals"].is_array())
    return damaged();
  SpeedLearning fresh;
  for (const Json& entry : json["arrivals"]) {
    ArrivalRecord arrival;
    const auto number = [&](const char* key, double& into) {
      if (!entry.is_object() || !entry.contains(key) || !entry[key].is_number()) return false;
      into = entry[key].get<double>();
      return true;
    };
    double hour = 0;
    // Files of before promises were kept have none.
    (void)number("promised_s", arrival.promised_s);
    (void)number("elapsed_s", arrival.elapsed_s);
    if (!number("turns_s", arrival.turns_s) || !number("actual_s", arrival.actual_s) ||
        !number("hour", hour) || !entry.contains("class_s") || !entry["class_s"].is_array() ||
        entry["class_s"].size() != kRoadClasses)
      return damaged();
    for (size_t c = 0; c < kRoadClasses; ++c) {
      if (!entry["class_s"][c].is_number()) return damaged();
      arrival.class_s[c] = entry["class_s"][c].get<double>();
    }
    arrival.hour = static_cast<int>(hour);
    if (!fresh.Add(arrival).ok()) return damaged();
  }
  fresh.left_out_ = json.value("left_out", size_t{0});
  *this = std::move(fresh);
  return absl::OkStatus();
}

}  // namespace cordon
