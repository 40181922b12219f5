// SPDX-License-Identifier: Apache-2.0
#include "console/feed.h"

#include <gtest/gtest.h>

namespace cordon {
namespace {

class FeedTest : public ::testing::Test {
 protected:
  proto::Incident NewIncident(const std::string& id,
                              proto::IncidentState state = proto::INCIDENT_STATE_NEW) {
    proto::Incident incident;
    incident.set_id(id);
    incident.set_state(state);
    return incident;
  }
  void Raise(const std::string& id, const std::string& detail = "") {
    StoredAlert stored;
    stored.alert.set_id(id);
    stored.alert.mutable_event()->set_detail(detail);
    stored.incident_id = "incident";
    const proto::Incident incident = NewIncident("incident");
    feed_.OnAlert(stored, &incident);
  }
  Json Next(uint64_t after) {
    const auto next = feed_.After(after);
    EXPECT_TRUE(next.ok()) << next.status();
    return next.ok() && *next ? Json::parse(***next) : Json();
  }

  SimulatedClock clock_;
  Metrics metrics_;
  Feed feed_{clock_, metrics_};
};

TEST_F(FeedTest, SnapshotAndLaterUpdatesTogetherAreEverythingOnce) {
  Raise("A");
  const Feed::Start start = feed_.Snapshot();
  Raise("B");
  const Json snapshot = Json::parse(*start.snapshot);
  ASSERT_EQ(snapshot["alerts"].size(), 1u);
  EXPECT_EQ(snapshot["alerts"][0]["id"], "A");
  const Json update = Next(start.number);
  EXPECT_EQ(update["alert"]["id"], "B");
  EXPECT_EQ(update["n"], start.number + 1);
  EXPECT_TRUE(Next(start.number + 1).is_null());
}

TEST_F(FeedTest, NumbersHaveNoGaps) {
  const uint64_t first = feed_.Snapshot().number;
  for (int i = 0; i < 50; ++i) Raise(std::to_string(i));
  for (uint64_t n = first; n < first + 50; ++n) EXPECT_EQ(Next(n)["n"], n + 1);
}

TEST_F(FeedTest, WhoFallsFarBehindMustResync) {
  const uint64_t start = feed_.Snapshot().number;
  Raise("first");
  const std::string big(100'000, 'x');
  for (size_t sent = 0; sent <= Feed::kMaxLagBytes; sent += big.size()) Raise("flood", big);
  EXPECT_EQ(feed_.After(start).status().code(), absl::StatusCode::kOutOfRange);
  const Feed::Start again = feed_.Snapshot();
  EXPECT_TRUE(feed_.After(again.number).ok());
}

TEST_F(FeedTest, ShowsAtMostTheNewestAlerts) {
  for (size_t i = 0; i < Feed::kAlertsShown + 5; ++i) Raise(std::to_string(i));
  const Json snapshot = Json::parse(*feed_.Snapshot().snapshot);
  ASSERT_EQ(snapshot["alerts"].size(), Feed::kAlertsShown);
  EXPECT_EQ(snapshot["alerts"][0]["id"], "5");
}

TEST_F(FeedTest, AreasComeAfterTheEtasAndOutliveARefresh) {
  feed_.OnIncident({NewIncident("incident"), {}});
  proto::ResponseCircles circles;
  circles.set_incident_id("incident");
  circles.add_units()->set_unit_id("car-1");
  const uint64_t before = feed_.Snapshot().number;
  feed_.OnCircles(circles);
  const Json etas = Next(before);
  EXPECT_EQ(etas["circles"]["units"][0]["unit"], "car-1");
  EXPECT_FALSE(etas["circles"].contains("tiers")) << "they are not drawn yet";
  circles.add_tiers()->set_tier_s(60);
  circles.mutable_tiers(0)->set_reached_road_m(1234.4);
  circles.mutable_tiers(0)->set_geojson(R"({"type":"MultiPolygon","coordinates":[]})");
  circles.add_tiers()->set_tier_s(180);  // nothing is reached in it
  feed_.OnAreas(circles);
  const Json areas = Next(before + 1);
  EXPECT_EQ(areas["type"], "areas");
  EXPECT_EQ(areas["areas"], Json::parse(R"({"incident":"incident","tiers":[
      {"tier_s":60,"reached_road_m":1234,"geometry":{"type":"MultiPolygon","coordinates":[]}},
      {"tier_s":180,"reached_road_m":0,"geometry":null}]})"));
  circles.mutable_units(0)->set_unit_id("car-2");
  feed_.OnCircles(circles);
  const uint64_t drawn = feed_.Snapshot().number;
  feed_.OnAreas(circles);
  EXPECT_EQ(feed_.Snapshot().number, drawn) << "what every console has is not sent again";
  const Json snapshot = Json::parse(*feed_.Snapshot().snapshot);
  EXPECT_EQ(snapshot["circles"][0]["units"][0]["unit"], "car-2");
  EXPECT_EQ(snapshot["areas"][0], areas["areas"]);
}

TEST_F(FeedTest, ClosedIncidentLosesItsCircles) {
  feed_.OnIncident({NewIncident("incident"), {}});
  proto::ResponseCircles circles;
  circles.set_incident_id("incident");
  feed_.OnCircles(circles);
  feed_.OnAreas(circles);
  feed_.OnIncident({NewIncident("incident", proto::INCIDENT_STATE_CLOSED), {}});
  feed_.OnAreas(circles);  // was being drawn meanwhile
  const Json snapshot = Json::parse(*feed_.Snapshot().snapshot);
  EXPECT_TRUE(snapshot["circles"].empty());
  EXPECT_TRUE(snapshot["areas"].empty());
}

TEST_F(FeedTest, TextIsJoinedToAnObjectAsItIs) {
  EXPECT_EQ(WithMember("{}", "a", "[1]"), R"({"a":[1]})");
  EXPECT_EQ(WithMember(R"({"b":2})", "a", "[1]"), R"({"b":2,"a":[1]})");
}

TEST_F(FeedTest, TestAlertIsShownApart) {
  StoredAlert stored;
  stored.alert.set_id("T");
  feed_.OnAlert(stored, nullptr);
  const Json snapshot = Json::parse(*feed_.Snapshot().snapshot);
  EXPECT_TRUE(snapshot["alerts"].empty());
  EXPECT_EQ(snapshot["last_test"]["id"], "T");
}

TEST_F(FeedTest, BytesThatAreNoTextDoNotBreakTheFeed) {
  Raise("A", "\xff\xfe<script>alert(1)</script>");
  const Json snapshot = Json::parse(*feed_.Snapshot().snapshot);
  const std::string detail = snapshot["alerts"][0]["detail"];
  EXPECT_NE(detail.find("<script>"), std::string::npos)
      << "kept as text; the page shows it as text";
}

TEST_F(FeedTest, OnlyUnitsWithNewsArePublishedAndAgesGoOn) {
  UnitState unit;
  unit.id = UnitId("car-1");
  unit.freshness = Freshness::kFresh;
  unit.place = {41.15, -8.61};
  const uint64_t before = feed_.Snapshot().number;
  feed_.PublishUnits({unit});
  clock_.Advance(Seconds(1));
  unit.age = Seconds(1);
  feed_.PublishUnits({unit});
  EXPECT_EQ(Next(before)["units"].size(), 1u);
  const Json still = Next(before + 1);
  EXPECT_EQ(still["type"], "units") << "a sign of life comes every second";
  EXPECT_TRUE(still["units"].empty());
  EXPECT_EQ(Json::parse(*feed_.Snapshot().snapshot)["units"][0]["age_ms"], 1000);
  clock_.Advance(Seconds(1));
  unit.age = Seconds(0);
  feed_.PublishUnits({unit});
  EXPECT_EQ(Next(before + 2)["units"].size(), 1u) << "a new fix at the same place is news";
}

TEST_F(FeedTest, WakesEveryClientUntilItLeaves) {
  int woken = 0;
  const uint64_t id = feed_.Join([&] { ++woken; });
  Raise("A");
  feed_.Leave(id);
  Raise("B");
  EXPECT_EQ(woken, 1);
}

}  // namespace
}  // namespace cordon
