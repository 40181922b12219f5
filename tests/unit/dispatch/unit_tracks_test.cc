// SPDX-License-Identifier: Apache-2.0
#include "dispatch/unit_tracks.h"

#include <gtest/gtest.h>

#include <random>

#include "base/file_util.h"
#include "dispatch/demo_city.h"
#include "tests/support/drawn_roads.h"
#include "tests/support/test_data.h"

namespace cordon {
namespace {

using testing::TemporaryFolder;

constexpr uint64_t kSeed = 4242;
// These crews drive at three quarters of the modelled speed.
constexpr double kSlowness = 1 / 0.75;

class UnitTracksTest : public ::testing::Test {
 protected:
  UnitTracksTest() {
    network_ = *RoadNetwork::FromImage(*BuildRoadImage(DrawDemoCity()));
    conditions_ = std::make_shared<RoadConditions>(network_);
    model_ = std::make_shared<TravelModel>(conditions_);
    // Routine: the ways it drives obey the one-ways.
    graph_ = TravelGraph::Build(network_, RoadState{}, TravelProfile{});
    Restart();
  }
  void Restart() {
    tracks_.reset();
    tracks_ = *UnitTracks::Start(clock_, metrics_, conditions_, model_,
                                 {.learned_file = folder_.File("learned.json"),
                                  .time_zone = "UTC",
                                  .publish_every = Nanoseconds(0)});
  }
  RoadPosition AnyStreet() {
    for (;;) {
      const EdgeId e{static_cast<uint32_t>(random_() % network_->edge_count())};
      if (graph_->Passable(e) && !network_->is_ghost(e) && network_->allows(e, kAccessCar) &&
          network_->length_cm(e) > 3'000 && !(network_->piece(e).flags & kFlagIsland))
        return {e, network_->length_cm(e) / 2};
    }
  }
  proto::UnitPosition FixAt(const std::string& id, const RoadPosition& at, double speed) {
    std::normal_distribution<double> noise(0, 2);
    const uint32_t length = network_->length_cm(at.edge);
    const uint32_t ahead = std::min(length, at.offset_cm + 500);
    const LatLon place = Offset(Offset(network_->PointAt(at), 0, {noise(random_)}), 90,
                                {noise(random_)});
    proto::UnitPosition fix;
    fix.set_unit_id(id);
    fix.set_lat(place.lat);
    fix.set_lon(place.lon);
    fix.set_accuracy_m(4);
    fix.set_speed_mps(speed);
    fix.set_course_deg(BearingDegrees(network_->PointAt({at.edge, ahead > 500 ? ahead - 500 : 0}),
                                      network_->PointAt({at.edge, ahead})));
    fix.set_fix_time_us(ToMicros(clock_.Wall()));
    return fix;
  }
  void Status(const std::string& id, proto::UnitStatus status) {
    proto::UnitChange change;
    change.set_unit_id(id);
    change.set_status(status);
    tracks_->OnUnit(change);
  }
  // Drives the fastest way, one fix a second.
  void Drive(const std::string& id, const RoadPosition& from, const RoadPosition& to) {
    BoundedSearch search;
    const SearchSeed seed{from, 0};
    search.Run(*graph_, SearchDirection::kForward, {&seed, 1}, 3'600'000);
    const std::vector<EdgeId> way = search.Path(to);
    if (way.size() < 3) return;
    Send(FixAt(id, from, 0));
    Send(FixAt(id, from, 0));
    const uint32_t promised = search.TimeAt(to);
    proto::ResponseCircles circles;
    proto::UnitEta& eta = *circles.add_units();
    eta.set_unit_id(id);
    eta.set_has_eta(true);
    eta.set_eta_ms(promised);
    eta.set_status(proto::UNIT_STATUS_ASSIGNED);
    tracks_->OnCircles(circles);
    Status(id, proto::UNIT_STATUS_EN_ROUTE);
    DriveAlong(id, way, from.offset_cm, to.offset_cm);
    for (int second = 0; second < 30; ++second) Send(FixAt(id, to, 0));  // looks around first
    Status(id, proto::UNIT_STATUS_ON_SCENE);
    Status(id, proto::UNIT_STATUS_AVAILABLE);
    tracks_->Settle();
  }
  void DriveAlong(const std::string& id, const std::vector<EdgeId>& way, uint32_t from_cm,
                  uint32_t to_cm) {
    double due_ms = 0;  // until the next fix
    for (size_t i = 0; i < way.size(); ++i) {
      const uint32_t begin = i == 0 ? from_cm : 0;
      const uint32_t end = i + 1 == way.size() ? to_cm : network_->length_cm(way[i]);
      const double whole_ms = graph_->EdgeMs(way[i]) * kSlowness;
      const double cm_per_ms = network_->length_cm(way[i]) / whole_ms;
      double at = begin;
      while (at + due_ms * cm_per_ms < end) {
        at += due_ms * cm_per_ms;
        due_ms = 1000;
        Send(FixAt(id, {way[i], static_cast<uint32_t>(at)}, cm_per_ms * 10));
      }
      due_ms -= (end - at) / cm_per_ms;
      if (i + 1 < way.size()) due_ms -= graph_->TurnMs(way[i], way[i + 1]);
      while (due_ms < 0) {  // waits to turn
        due_ms += 1000;
        Send(FixAt(id, {way[i], end}, 0));
      }
    }
  }
  void Send(const proto::UnitPosition& fix) {
    tracks_->OnFix(fix);
    clock_.Advance(Seconds(1));
  }

  std::mt19937_64 random_{kSeed};
  TemporaryFolder folder_;
  SimulatedClock clock_;
  Metrics metrics_;
  std::shared_ptr<const RoadNetwork> network_;
  std::shared_ptr<RoadConditions> conditions_;
  std::shared_ptr<const TravelModel> model_;
  std::shared_ptr<const TravelGraph> graph_;
  std::unique_ptr<UnitTracks> tracks_;
};

TEST_F(UnitTracksTest, ArrivalsTeachSpeedsThatTravelTimesThenUse) {
  const uint64_t before = conditions_->Snapshot()->version;
  for (int i = 0; i < 60; ++i) Drive("car", AnyStreet(), AnyStreet());
  const LearningReport report = tracks_->report();
  EXPECT_GT(report.journeys, 50U);
  EXPECT_LT(report.broken, report.journeys / 5) << "seed " << kSeed;
  // The prior promises three quarters of the time that it takes; half a minute of standing at the
  // end is no driving, but is time until somebody says "on scene".
  EXPECT_NEAR(report.prior.bias_share, 0.75 - 1, 0.08);
  EXPECT_GT(report.promised.arrivals, 40U);
  EXPECT_LT(report.promised.bias_share, 0.75 - 1);
  EXPECT_LT(report.learned.p50_share, report.prior.p50_share * 0.8);
  const auto state = conditions_->Snapshot();
  EXPECT_GT(state->version, before);
  EXPECT_NEAR(state->class_factor[static_cast<size_t>(RoadClass::kResidential)], 0.75F, 0.12F);
}

TEST_F(UnitTracksTest, ARestartKeepsWhatWasLearnedAndADamagedFileIsSetAside) {
  for (int i = 0; i < 30; ++i) Drive("car", AnyStreet(), AnyStreet());
  const auto learned = conditions_->Snapshot()->class_factor;
  EXPECT_NE(learned, RoadState::AllOnes());
  conditions_->SetClassFactors([] {
    SpeedFactors ones;
    for (auto& hour : ones) hour.fill(1);
    return ones;
  }());
  Restart();
  // What differs by less than a hundredth had not been worth publishing before.
  for (size_t c = 0; c < learned.size(); ++c)
    EXPECT_NEAR(conditions_->Snapshot()->class_factor[c], learned[c], 0.011F);
  tracks_.reset();
  ASSERT_TRUE(WriteFileDurably(folder_.File("learned.json"), "{").ok());
  Restart();
  EXPECT_EQ(tracks_->report().learned.arrivals, 0U);
  EXPECT_TRUE(ReadFile(folder_.File("learned.json.damaged"), 10).ok());
}

TEST_F(UnitTracksTest, AMovingUnitIsOnTheRoadItDrivesAndNotOnTheNearest) {
  RoadPosition from = AnyStreet();
  from.offset_cm = 0;
  UnitState unit;
  unit.id = UnitId("car");
  proto::UnitPosition last = FixAt("car", from, 0);
  Send(last);
  tracks_->Settle();
  unit.place = {last.lat(), last.lon()};
  EXPECT_FALSE(tracks_->Matched(unit, *graph_).has_value());  // one fix is no track
  for (uint32_t cm = 0; cm + 800 < network_->length_cm(from.edge); cm += 800)
    Send(last = FixAt("car", {from.edge, cm}, 8));
  tracks_->Settle();
  unit.place = {last.lat(), last.lon()};
  const auto matched = tracks_->Matched(unit, *graph_);
  ASSERT_TRUE(matched.has_value());
  EXPECT_EQ(matched->seeds.front().at.edge, from.edge);
  unit.place.lat += 0.001;  // a newer fix, not yet followed
  EXPECT_FALSE(tracks_->Matched(unit, *graph_).has_value());
  unit.kind = proto::UnitConfig::KIND_FOOT;
  unit.place = {last.lat(), last.lon()};
  EXPECT_FALSE(tracks_->Matched(unit, *graph_).has_value());
}

TEST_F(UnitTracksTest, TheHourOfTheDayIsThatOfTheTimeZone) {
  tracks_.reset();
  tracks_ = *UnitTracks::Start(clock_, metrics_, conditions_, model_, {.time_zone = "Asia/Shanghai"});
  const int here = conditions_->Snapshot()->hour;
  tracks_.reset();
  tracks_ = *UnitTracks::Start(clock_, metrics_, conditions_, model_, {.time_zone = "UTC"});
  EXPECT_EQ((conditions_->Snapshot()->hour + 8) % 24, here);
  EXPECT_EQ(UnitTracks::Start(clock_, metrics_, conditions_, model_, {.time_zone = "Mars"})
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

class JourneyTest : public ::testing::Test {
 protected:
  EdgeId Edge(char from, char to) const {
    const RoadNetwork& n = *roads_.network();
    const uint32_t tail = roads_.Junction(from).value;
    for (uint32_t e = n.first_out()[tail]; e < n.first_out()[tail + 1]; ++e)
      if (n.head({e}) == roads_.Junction(to)) return {e};
    ADD_FAILURE() << "no road from " << from << " to " << to;
    return kNoEdge;
  }
  static WallTime At(double second) {
    return WallTime(Microseconds(static_cast<int64_t>(second * 1e6)));
  }
  static MatchedFix Match(EdgeId e, uint32_t cm, std::vector<EdgeId> way) {
    MatchedFix fix;
    fix.state = MatchState::kMatched;
    fix.position = {e, cm};
    fix.way = std::move(way);
    return fix;
  }
  const testing::DrawnRoads roads_{R"(
    A----B----C----D
         |    |
         E    F
  )"};
};

TEST_F(JourneyTest, StandingAtEitherEndIsNoDriving) {
  const EdgeId a = Edge('A', 'B'), b = Edge('B', 'C'), c = Edge('C', 'D');
  Journey journey(roads_.network());
  EXPECT_FALSE(journey.Finish().has_value());
  journey.Add(Match(a, 100, {a}), At(0));
  journey.Add(Match(a, 100, {a}), At(5));
  journey.Add(Match(b, 300, {a, b}), At(8));
  journey.Add(Match(c, 200, {b, c}), At(12));
  journey.Add(Match(c, 200, {c}), At(90));
  const auto way = journey.Finish();
  ASSERT_TRUE(way.has_value());
  EXPECT_EQ(way->edges, (std::vector<EdgeId>{a, b, c}));
  EXPECT_EQ(way->from_cm, 100U);
  EXPECT_EQ(way->to_cm, 200U);
  EXPECT_EQ(way->seconds, 7);
}

TEST_F(JourneyTest, TheWrongLegOfAJunctionIsTakenBack) {
  const EdgeId a = Edge('A', 'B'), b = Edge('B', 'C'), c = Edge('C', 'D'), leg = Edge('B', 'E');
  Journey journey(roads_.network());
  journey.Add(Match(a, 100, {a}), At(0));
  journey.Add(Match(leg, 50, {a, leg}), At(2));
  journey.Add(Match(b, 900, {b}), At(4));  // now it was on b already
  journey.Add(Match(c, 200, {b, c}), At(6));
  const auto way = journey.Finish();
  ASSERT_TRUE(way.has_value());
  EXPECT_EQ(way->edges, (std::vector<EdgeId>{a, b, c}));
}

TEST_F(JourneyTest, AWayWithAHoleTeachesNothing) {
  const EdgeId a = Edge('A', 'B'), c = Edge('C', 'D');
  Journey journey(roads_.network());
  journey.Add(Match(a, 100, {a}), At(0));
  journey.Add(Match(c, 300, {c}), At(8));
  EXPECT_FALSE(journey.Finish().has_value());
  Journey jumped(roads_.network());
  jumped.Add(Match(a, 100, {a}), At(0));
  MatchedFix anew = Match(a, 500, {a});
  anew.state = MatchState::kStarted;
  jumped.Add(anew, At(1));
  EXPECT_FALSE(jumped.Finish().has_value());
}

}  // namespace
}  // namespace cordon
