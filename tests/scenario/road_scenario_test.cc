// SPDX-License-Identifier: Apache-2.0
// Streets, units (digits) and the incident (S), and the time that the way takes. A street (-, |) is
// driven at 30 km/h with sirens 36.45, a main road (=) at 45 and 60 km/h: 100 m take 12 or 13.3 s
// and 9.9 s, and 8 or 6 s. Each crossing of three roads or more costs half a second.
#include <gtest/gtest.h>

#include "dispatch/circles.h"
#include "dispatch/eta.h"
#include "tests/support/drawn_roads.h"

namespace cordon {
namespace {

using testing::DrawnRoads;

class Scene {
 public:
  explicit Scene(std::string_view picture,
                 const std::function<void(DrawnRoads&, RoadDraft&)>& edit = {})
      : roads(picture, edit),
        conditions(std::make_shared<RoadConditions>(roads.network())),
        model(std::make_shared<TravelModel>(conditions)) {}

  static UnitState Unit(char name, const LatLon& place,
                        proto::UnitConfig::Kind kind = proto::UnitConfig::KIND_CAR) {
    UnitState unit;
    unit.id = UnitId(std::string(1, name));
    unit.kind = kind;
    unit.place = place;
    unit.freshness = Freshness::kFresh;
    return unit;
  }

  EtaAnswer Ask(std::vector<UnitState> units, TravelMode mode = TravelMode::kUrgent,
                char scene = 'S') {
    EtaOptions options;
    options.mode = mode;
    EtaEngine engine(model, options);
    auto answer = engine.ToScene({roads.Place(scene), {}, units.size()}, units);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return *std::move(answer);
  }
  // Seconds that unit '1' needs; -1: it cannot come.
  double Seconds1(TravelMode mode = TravelMode::kUrgent,
                  proto::UnitConfig::Kind kind = proto::UnitConfig::KIND_CAR) {
    const EtaAnswer answer = Ask({Unit('1', roads.Place('1'), kind)}, mode);
    return answer.units[0].has_eta ? static_cast<double>(answer.units[0].eta.count()) / 1000 : -1;
  }

  DrawnRoads roads;
  std::shared_ptr<RoadConditions> conditions;
  std::shared_ptr<TravelModel> model;
};

TEST(RoadScenarioTest, AStraightStreetTakesItsLengthAtItsSpeed) {
  Scene scene("1------S");  // 700 m: 69.1 s urgent, 93.3 s routine (27 km/h)
  EXPECT_NEAR(scene.Seconds1(), 69.1, 0.2);
  EXPECT_NEAR(scene.Seconds1(TravelMode::kRoutine), 93.3, 0.2);
  // On foot 5 km/h, hurrying 7.5.
  EXPECT_NEAR(scene.Seconds1(TravelMode::kRoutine, proto::UnitConfig::KIND_FOOT), 504, 1);
  EXPECT_NEAR(scene.Seconds1(TravelMode::kUrgent, proto::UnitConfig::KIND_FOOT), 336, 1);
}

TEST(RoadScenarioTest, TheMainRoadIsLongerAndFaster) {
  Scene scene(R"(
    A==========B
    |          |
    1----------S
  )");  // the street: 1100 m = 108.6 s; the way round: 800 m of streets (79.0 s) and 1100 m
        // of main road (65.2 s); corners of two roads are no turns
  const double direct = scene.Seconds1();
  EXPECT_NEAR(direct, 108.6, 0.5);
  ASSERT_TRUE(scene.conditions
                  ->SetSpeedFactor({"jam", Offset(scene.roads.Place('1'), 90, {500}),
                                    [] {
                                      std::array<float, 24> slow{};
                                      slow.fill(0.5F);
                                      return slow;
                                    }()})
                  .ok());
  // With a traffic jam on the street the main road wins.
  EXPECT_NEAR(scene.Seconds1(), 144.2, 0.5);
}

TEST(RoadScenarioTest, ARiverIsCrossedOnlyOnTheBridge) {
  // Nothing connects the banks: the unit is 200 m away and never there.
  Scene apart(R"(
    A----1----B

    C----S----D
  )");
  EXPECT_EQ(apart.Seconds1(), -1);
  EXPECT_EQ(apart.Ask({Scene::Unit('1', apart.roads.Place('1'))}).units[0].left_out,
            LeftOut::kCutOff);

  Scene bridge(R"(
    A----1----B
    |
    C----S----D
  )");  // 500 + 400 + 500 m = 138.3 s
  EXPECT_NEAR(bridge.Seconds1(), 138.3, 0.5);
}

TEST(RoadScenarioTest, UrgentUnitsDriveAgainstAOneWayForAtMost200Metres) {
  constexpr std::string_view kShort = R"(
    A--------B
    |        |
    1<S------C
  )";  // 200 m contraflow at half speed: about 39 s; the way round is 2.4 km
  Scene near_scene(kShort);
  EXPECT_NEAR(near_scene.Seconds1(TravelMode::kUrgent), 39.5, 1);
  EXPECT_GT(near_scene.Seconds1(TravelMode::kRoutine), 250);

  Scene far_scene(R"(
    A--------B
    |        |
    1<<<<S---C
  )");  // 500 m against traffic: not even urgent
  EXPECT_GT(far_scene.Seconds1(TravelMode::kUrgent), 180);
}

TEST(RoadScenarioTest, AForbiddenTurnIsObeyedOrPaidFor) {
  constexpr std::string_view kMap = R"(
         S
         |
    1----A----B
         |    |
         C----D
  )";
  const auto no_left = [](DrawnRoads& roads, RoadDraft& draft) {
    DraftRestriction r;
    r.from = roads.Way("1-A");
    r.via_point = roads.Point('A');
    r.to = roads.Way("S-A");
    draft.restrictions.push_back(r);
  };
  Scene allowed(kMap);
  Scene forbidden(kMap, no_left);
  const double free_turn = allowed.Seconds1(TravelMode::kUrgent);
  EXPECT_NEAR(forbidden.Seconds1(TravelMode::kUrgent), free_turn + 6, 0.01);  // the price
  // Routine drives round the block (1,800 m more) or turns back on the far side.
  EXPECT_GT(forbidden.Seconds1(TravelMode::kRoutine), allowed.Seconds1(TravelMode::kRoutine) + 10);

  Scene except_emergency(kMap, [&](DrawnRoads& roads, RoadDraft& draft) {
    no_left(roads, draft);
    draft.restrictions.back().except_emergency = true;
  });
  EXPECT_NEAR(except_emergency.Seconds1(TravelMode::kUrgent), free_turn, 0.01);
}

TEST(RoadScenarioTest, ARestrictionViaAWayBindsOnlyWhoComesThatWay) {
  // Forbidden: 1-A, then A-B, then B-S. From 2 the same A-B and B-S are fine, and so is 1-A-B-3.
  constexpr std::string_view kRoads = R"(
         2         S
         |         |
    1----A---------B----3
         |
         4
  )";
  Scene scene(kRoads, [](DrawnRoads& roads, RoadDraft& draft) {
    DraftRestriction r;
    r.from = roads.Way("1-A");
    r.via_ways = {roads.Way("A-B")};
    r.to = roads.Way("S-B");
    draft.restrictions.push_back(r);
  });
  EXPECT_EQ(scene.roads.network()->ghost_pieces().size(), 1U);
  const auto time = [&](char from, char to) {
    const EtaAnswer answer =
        scene.Ask({Scene::Unit(from, scene.roads.Place(from))}, TravelMode::kRoutine, to);
    return answer.units[0].has_eta ? static_cast<double>(answer.units[0].eta.count()) / 1000 : -1.0;
  };
  // 2 drives 400 + 1000 + 400 m with two left turns; 1 drives 500 + 1000 + 400 m, but must first go
  // past B and come back.
  const double from_2 = time('2', 'S');
  EXPECT_NEAR(from_2, 1800 / 7.5 + 1 + 10, 0.5);
  EXPECT_NEAR(time('1', '3'), 2000 / 7.5 + 1, 1);
  // 600 m more and a U-turn at the end of B-3, or the like: never the direct way.
  EXPECT_GT(time('1', 'S'), 1900 / 7.5 + 20);
  EXPECT_NE(time('1', 'S'), -1);
}

TEST(RoadScenarioTest, ABollardStopsCarsEvenUrgentOnesButNotPeople) {
  constexpr std::string_view kMap = R"(
    A--------B
    |        |
    1----X---S
  )";
  Scene scene(kMap, [](DrawnRoads& roads, RoadDraft& draft) {
    draft.points[roads.Point('X')].barrier = true;
    draft.points[roads.Point('X')].barrier_access = BothWays(kAccessFoot);
  });
  // Straight 900 m = 89 s; round 1,300 m = 128 s and turns.
  EXPECT_GT(scene.Seconds1(TravelMode::kUrgent), 125);
  EXPECT_NEAR(scene.Seconds1(TravelMode::kUrgent, proto::UnitConfig::KIND_FOOT), 900 / (7.5 / 3.6),
              2);

  Scene gate(kMap, [](DrawnRoads& roads, RoadDraft& draft) {
    draft.points[roads.Point('X')].barrier = true;
    draft.points[roads.Point('X')].barrier_access =
        BothWays(kAccessFoot) | BothWays(kAccessEmergency);
  });
  EXPECT_NEAR(gate.Seconds1(TravelMode::kUrgent), 89 + 8, 1.5);  // eight seconds to open it
  EXPECT_GT(gate.Seconds1(TravelMode::kRoutine), 170);
}

TEST(RoadScenarioTest, AClosureThatShutsAUnitInIsSaidAndEndsWithIt) {
  Scene scene(R"(
    A----B----S
         |
         1
  )");
  EXPECT_GT(scene.Seconds1(), 0);
  RoadClosure closure{"works", Offset(scene.roads.Place('1'), 0, {100}), std::nullopt, "water main",
                      false};
  ASSERT_TRUE(scene.conditions->Close(closure).ok());
  const EtaAnswer closed = scene.Ask({Scene::Unit('1', scene.roads.Place('1'))});
  EXPECT_FALSE(closed.units[0].has_eta);
  EXPECT_FALSE(closed.units[0].reason.empty());
  closure.urgent_may_pass = true;
  ASSERT_TRUE(scene.conditions->Close(closure).ok());
  EXPECT_GT(scene.Seconds1(TravelMode::kUrgent), 0);
  EXPECT_EQ(scene.Seconds1(TravelMode::kRoutine), -1);
  ASSERT_TRUE(scene.conditions->Reopen("works").ok());
  EXPECT_GT(scene.Seconds1(TravelMode::kRoutine), 0);
  EXPECT_FALSE(scene.conditions->Reopen("works").ok());
}

TEST(RoadScenarioTest, UnitsAreRankedAndThoseLeftOutSayWhy) {
  Scene scene("1----2----S----3----4");
  std::vector<UnitState> units;
  for (const char name : {'1', '2', '3', '4'})
    units.push_back(Scene::Unit(name, scene.roads.Place(name)));
  units[1].status = proto::UNIT_STATUS_BUSY;
  units[2].age = Seconds(90);
  units[2].freshness = Freshness::kStale;
  UnitState lost = Scene::Unit('5', Offset(scene.roads.Place('1'), 0, {5000}));
  units.push_back(lost);
  UnitState silent = Scene::Unit('6', {});
  silent.freshness = Freshness::kNever;
  units.push_back(silent);
  const EtaAnswer answer = scene.Ask(units);
  ASSERT_EQ(answer.units.size(), 6U);
  EXPECT_EQ(answer.units[0].id.str(), "1");  // 1,000 m either way: by name
  EXPECT_EQ(answer.units[1].id.str(), "4");
  std::map<std::string, LeftOut> why;
  for (const UnitArrival& u : answer.units) why[u.id.str()] = u.left_out;
  EXPECT_EQ(why["2"], LeftOut::kBusy);
  EXPECT_EQ(why["3"], LeftOut::kStale);
  EXPECT_EQ(why["5"], LeftOut::kOffNetwork);
  EXPECT_EQ(why["6"], LeftOut::kNoFix);
  // The stale one's band is 90 s wide on either side.
  for (const UnitArrival& u : answer.units)
    if (u.id.str() == "3") {
      EXPECT_EQ(u.high - u.eta, Milliseconds(90'000));
    }
  ASSERT_EQ(answer.units[0].route.steps.size(), 2U);
  EXPECT_EQ(answer.units[0].route.steps[0].name, "1-2");
  EXPECT_NEAR(answer.units[0].route.distance.value, 1000, 2);
}

TEST(RoadScenarioTest, NeedsAreMetByTheEarliestOfTheRightKindOrTheShortfallIsNamed) {
  Scene scene("1----2----S----3----4");
  std::vector<UnitState> units = {
      Scene::Unit('1', scene.roads.Place('1'), proto::UnitConfig::KIND_MOTORCYCLE),
      Scene::Unit('2', scene.roads.Place('2')), Scene::Unit('3', scene.roads.Place('3'))};
  EtaEngine engine(scene.model, {});
  SceneQuery query{
      scene.roads.Place('S'), {{{TravelKind::kMotorcycle}, 1}, {{TravelKind::kCar}, 3}}, 0};
  const auto answer = engine.ToScene(query, units);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->recommended.size(), 3U);
  ASSERT_EQ(answer->shortfalls.size(), 1U);
  EXPECT_EQ(answer->shortfalls[0], "2 of 3 car can come within 1200 s");
}

TEST(RoadScenarioTest, ASceneInAFieldIsOffTheNetwork) {
  Scene scene("1----S");
  EtaEngine engine(scene.model, {});
  const std::vector<UnitState> units = {Scene::Unit('1', scene.roads.Place('1'))};
  const auto answer = engine.ToScene({Offset(scene.roads.Place('S'), 0, {400}), {}, 0}, units);
  ASSERT_TRUE(answer.ok());
  EXPECT_TRUE(answer->off_network);
  EXPECT_FALSE(answer->units[0].has_eta);
  EXPECT_FALSE(engine.ToScene({{std::nan(""), 3}, {}, 0}, units).ok());
  EXPECT_TRUE(engine.ToScene({scene.roads.Place('S'), {}, 0}, {})->units.empty());
}

}  // namespace
}  // namespace cordon
