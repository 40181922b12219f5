// SPDX-License-Identifier: Apache-2.0
#include "dispatch/speed_learning.h"

#include <gtest/gtest.h>

#include <random>

namespace cordon {
namespace {

constexpr uint64_t kSeed = 19;

class World {
 public:
  // Residential roads take 1.5 times as long as the prior says, primary ones 0.8 times; nights
  // are 1.2 times slower.
  ArrivalRecord Arrival(double noise) {
    ArrivalRecord arrival;
    arrival.hour = static_cast<int>(random_() % 24);
    arrival.turns_s = 10;
    double actual = arrival.turns_s;
    for (const RoadClass road_class :
         {RoadClass::kPrimary, RoadClass::kTertiary, RoadClass::kResidential}) {
      const auto c = static_cast<size_t>(road_class);
      arrival.class_s[c] = 20 + static_cast<double>(random_() % 200);
      actual += arrival.class_s[c] * Slowness(road_class, arrival.hour);
    }
    arrival.actual_s = actual * std::exp(std::normal_distribution<>(0, noise)(random_));
    return arrival;
  }
  static double Slowness(RoadClass road_class, int hour) {
    const double by_class = road_class == RoadClass::kPrimary       ? 0.8
                            : road_class == RoadClass::kResidential ? 1.5
                                                                    : 1.0;
    return by_class * (hour < 6 ? 1.2 : 1.0);
  }

 private:
  std::mt19937_64 random_{kSeed};
};

TEST(SpeedLearningTest, FindsTheFactorsBehindNoisyArrivals) {
  World world;
  SpeedLearning learning;
  for (int i = 0; i < 4000; ++i) ASSERT_TRUE(learning.Add(world.Arrival(0.1)).ok());
  const SpeedFactors factors = learning.Factors();
  for (const RoadClass road_class :
       {RoadClass::kPrimary, RoadClass::kTertiary, RoadClass::kResidential})
    for (const int hour : {2, 12})
      EXPECT_NEAR(factors[hour][static_cast<size_t>(road_class)],
                  1 / World::Slowness(road_class, hour), 0.09)
          << static_cast<int>(road_class) << " at " << hour;
  EXPECT_LT(learning.LearnedError().p50_share, 0.75 * learning.PriorError().p50_share);
  EXPECT_LT(std::abs(learning.LearnedError().bias_share), 0.03);
}

TEST(SpeedLearningTest, AFewArrivalsHardlyMoveAnything) {
  World world;
  SpeedLearning learning;
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(learning.Add(world.Arrival(0.2)).ok());
  for (const auto& hour : learning.Factors())
    for (const float factor : hour) EXPECT_NEAR(factor, 1, 0.2);
}

TEST(SpeedLearningTest, ClassesNeverDrivenKeepThePrior) {
  World world;
  SpeedLearning learning;
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(learning.Add(world.Arrival(0.1)).ok());
  // The hour is learned for all classes; at noon nothing else is known of motorways.
  EXPECT_NEAR(learning.Factors()[12][static_cast<size_t>(RoadClass::kMotorway)], 1, 0.06);
}

TEST(SpeedLearningTest, ACrewThatStoppedForCoffeeDoesNotCount) {
  World world;
  SpeedLearning learning;
  ArrivalRecord arrival = world.Arrival(0);
  arrival.actual_s *= 20;
  EXPECT_TRUE(learning.Add(arrival).ok());
  EXPECT_EQ(learning.left_out(), 1U);
  EXPECT_EQ(learning.arrivals(), 0U);
  arrival.hour = 24;
  EXPECT_EQ(learning.Add(arrival).code(), absl::StatusCode::kInvalidArgument);
  arrival.hour = 3;
  arrival.actual_s = -1;
  EXPECT_EQ(learning.Add(arrival).code(), absl::StatusCode::kInvalidArgument);
}

TEST(SpeedLearningTest, ErrorsAreToldApartByMainClassAndHour) {
  SpeedLearning learning;
  const auto arrive = [&](RoadClass road_class, int hour, double late_s) {
    ArrivalRecord arrival;
    arrival.hour = hour;
    arrival.class_s[static_cast<size_t>(road_class)] = 100;
    arrival.class_s[static_cast<size_t>(RoadClass::kTertiary)] = 20;
    arrival.actual_s = 120 + late_s;
    ASSERT_TRUE(learning.Add(arrival).ok());
  };
  arrive(RoadClass::kPrimary, 8, 10);
  arrive(RoadClass::kResidential, 8, 40);
  arrive(RoadClass::kResidential, 23, 4);
  arrive(RoadClass::kResidential, 23, 4);
  using GroupBy = SpeedLearning::GroupBy;
  const auto by_class = learning.LearnedErrors(GroupBy::kClass);
  ASSERT_EQ(by_class.size(), 2U);
  EXPECT_EQ(by_class[0].road_class, RoadClass::kPrimary);
  EXPECT_EQ(by_class[0].hour, std::nullopt);
  EXPECT_NEAR(by_class[0].error.p90_s, 10, 1e-9);
  EXPECT_EQ(by_class[1].error.arrivals, 3U);
  EXPECT_NEAR(by_class[1].error.p90_s, 40, 1e-9);
  const auto by_hour = learning.LearnedErrors(GroupBy::kHour);
  ASSERT_EQ(by_hour.size(), 2U);
  EXPECT_EQ(by_hour[0].hour, 8);
  EXPECT_EQ(by_hour[0].error.arrivals, 2U);
  const auto by_both = learning.LearnedErrors(GroupBy::kClassAndHour);
  ASSERT_EQ(by_both.size(), 3U);
  EXPECT_EQ(by_both[2].road_class, RoadClass::kResidential);
  EXPECT_EQ(by_both[2].hour, 23);
  EXPECT_NEAR(by_both[2].error.p50_s, 4, 1e-9);
}

TEST(SpeedLearningTest, ARestartForgetsNothingAndDamageIsSaid) {
  World world;
  SpeedLearning learning;
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(learning.Add(world.Arrival(0.2)).ok());
  SpeedLearning again;
  ASSERT_TRUE(again.Load(learning.Save()).ok());
  EXPECT_EQ(again.Factors(), learning.Factors());
  EXPECT_EQ(again.LearnedError().p90_s, learning.LearnedError().p90_s);
  EXPECT_EQ(again.Load("{\"format\": 1, \"arrivals\": [{}]}").code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(again.Load("nonsense").code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(again.arrivals(), learning.arrivals());
}

}  // namespace
}  // namespace cordon
