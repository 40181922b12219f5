// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/file_util.h"
#include "dispatch/osm_import.h"
#include "dispatch/osm_tags.h"
#include "dispatch/road_report.h"
#include "tests/unit/dispatch/road_cities.h"

namespace cordon {
namespace {

const CountryLimits& Portugal() { return LimitsOf("PT"); }

DraftWay Road(const OsmTags& tags) {
  const auto way = RoadOf(tags, Portugal());
  EXPECT_TRUE(way.has_value());
  return way.value_or(DraftWay{});
}

TEST(OsmTagsTest, MaxspeedInAllItsSpellings) {
  EXPECT_EQ(ParseMaxspeed("50", Portugal()), 50);
  EXPECT_EQ(ParseMaxspeed("30 mph", Portugal()), 48);
  EXPECT_EQ(ParseMaxspeed("30mph", Portugal()), 48);
  EXPECT_EQ(ParseMaxspeed("PT:urban", Portugal()), 50);
  EXPECT_EQ(ParseMaxspeed("DE:rural", Portugal()), 100);
  EXPECT_EQ(ParseMaxspeed("DE:zone:30", Portugal()), 30);
  EXPECT_EQ(ParseMaxspeed("DE:zone30", Portugal()), 30);
  EXPECT_EQ(ParseMaxspeed("50;30", Portugal()), 50);
  EXPECT_EQ(ParseMaxspeed("walk", Portugal()), 10);
  EXPECT_EQ(ParseMaxspeed("none", Portugal()), 130);
  for (const char* bad : {"", "signals", "variable", "-5", "0", "9999", "PT:zone", "fast"})
    EXPECT_EQ(ParseMaxspeed(bad, Portugal()), 0) << bad;
}

TEST(OsmTagsTest, OneWaysByTagByShapeAndAgainstTheDrawing) {
  const uint16_t both = BothWays(kAccessCar);
  EXPECT_EQ(Road({{"highway", "residential"}}).access & both, both);
  EXPECT_EQ(Road({{"highway", "residential"}, {"oneway", "yes"}}).access & both,
            AccessOf(kAccessCar, true));
  EXPECT_EQ(Road({{"highway", "residential"}, {"oneway", "-1"}}).access & both,
            AccessOf(kAccessCar, false));
  EXPECT_EQ(Road({{"highway", "tertiary"}, {"junction", "roundabout"}}).access & both,
            AccessOf(kAccessCar, true));
  EXPECT_EQ(Road({{"highway", "motorway"}}).access & both, AccessOf(kAccessCar, true));
  // A bicycle's rule is not a car's.
  EXPECT_EQ(Road({{"highway", "residential"}, {"oneway:bicycle", "yes"}}).access & both, both);
  EXPECT_EQ(
      Road({{"highway", "residential"}, {"oneway", "yes"}, {"oneway:bicycle", "no"}}).access & both,
      AccessOf(kAccessCar, true));
}

TEST(OsmTagsTest, UrgentMayDriveAgainstStreetsButNeverAgainstMotorwaysOrRoundabouts) {
  EXPECT_TRUE(Road({{"highway", "residential"}, {"oneway", "yes"}}).access &
              AccessOf(kAccessContraflow, false));
  EXPECT_FALSE(Road({{"highway", "motorway"}}).access & BothWays(kAccessContraflow));
  EXPECT_FALSE(Road({{"highway", "motorway_link"}, {"oneway", "yes"}}).access &
               BothWays(kAccessContraflow));
  EXPECT_FALSE(Road({{"highway", "primary"}, {"junction", "roundabout"}}).access &
               BothWays(kAccessContraflow));
}

TEST(OsmTagsTest, AccessForRoutineAndUrgent) {
  const DraftWay gated = Road({{"highway", "service"}, {"access", "private"}});
  EXPECT_FALSE(gated.access & kAccessCar);
  EXPECT_TRUE(gated.access & kAccessEmergency);
  const DraftWay fire_lane = Road({{"highway", "service"}, {"service", "emergency_access"}});
  EXPECT_FALSE(fire_lane.access & kAccessCar);
  EXPECT_TRUE(fire_lane.access & kAccessEmergency);
  const DraftWay wide_path = Road({{"highway", "path"}, {"emergency", "yes"}});
  EXPECT_TRUE(wide_path.access & kAccessEmergency);
  EXPECT_FALSE(Road({{"highway", "footway"}}).access & kAccessEmergency);
  const DraftWay motorcycles =
      Road({{"highway", "residential"}, {"motorcar", "no"}, {"motorcycle", "yes"}});
  EXPECT_FALSE(motorcycles.access & kAccessCar);
  EXPECT_TRUE(motorcycles.access & kAccessMotorcycle);
  EXPECT_FALSE(Road({{"highway", "motorway"}}).access & kAccessFoot);
  EXPECT_FALSE(RoadOf({{"highway", "construction"}}, Portugal()).has_value());
  EXPECT_FALSE(RoadOf({{"route", "ferry"}, {"motor_vehicle", "yes"}}, Portugal()).has_value());
}

TEST(OsmTagsTest, BarriersThatStopAndThatOpen) {
  DraftPoint bollard;
  EXPECT_TRUE(ReadPoint({{"barrier", "bollard"}}, bollard));
  EXPECT_TRUE(bollard.barrier);
  EXPECT_EQ(bollard.barrier_access & (BothWays(kAccessCar) | BothWays(kAccessEmergency)), 0);
  EXPECT_TRUE(bollard.barrier_access & kAccessFoot);
  DraftPoint removable;
  ReadPoint({{"barrier", "bollard"}, {"emergency", "yes"}}, removable);
  EXPECT_TRUE(removable.barrier_access & kAccessEmergency);
  DraftPoint gate;
  ReadPoint({{"barrier", "gate"}}, gate);
  EXPECT_TRUE(gate.barrier_access & kAccessCar);
  DraftPoint private_gate;
  ReadPoint({{"barrier", "lift_gate"}, {"access", "private"}}, private_gate);
  EXPECT_FALSE(private_gate.barrier_access & (kAccessCar | kAccessEmergency));
  DraftPoint kerb;
  EXPECT_FALSE(ReadPoint({{"barrier", "kerb"}}, kerb));
  EXPECT_FALSE(kerb.barrier);
  DraftPoint signal;
  ReadPoint({{"highway", "traffic_signals"}, {"traffic_signals:direction", "backward"}}, signal);
  EXPECT_TRUE(signal.signal_backward);
  EXPECT_FALSE(signal.signal_forward);
}

TEST(OsmTagsTest, RestrictionsForUsForOthersAndByTheHour) {
  RestrictionMeaning r;
  EXPECT_EQ(ReadRestriction({{"restriction", "no_left_turn"}}, r), RestrictionUse::kApplies);
  EXPECT_FALSE(r.only);
  EXPECT_EQ(ReadRestriction({{"restriction", "only_straight_on"}, {"except", "emergency;psv"}}, r),
            RestrictionUse::kApplies);
  EXPECT_TRUE(r.only);
  EXPECT_TRUE(r.except_emergency);
  EXPECT_EQ(ReadRestriction({{"restriction", "no_left_turn"}, {"except", "motorcar"}}, r),
            RestrictionUse::kOtherVehicles);
  EXPECT_EQ(ReadRestriction({{"restriction:hgv", "no_left_turn"}}, r),
            RestrictionUse::kOtherVehicles);
  EXPECT_EQ(ReadRestriction({{"restriction:conditional", "no_left_turn @ (07:00-09:00)"}}, r),
            RestrictionUse::kConditional);
  EXPECT_EQ(ReadRestriction({{"type", "restriction"}}, r), RestrictionUse::kUnknown);
}

constexpr std::string_view kHead = "<?xml version='1.0'?><osm version='0.6'>";
std::string Node(int id, double lat, double lon, const std::string& tags = "") {
  return "<node id='" + std::to_string(id) + "' version='1' lat='" + std::to_string(lat) +
         "' lon='" + std::to_string(lon) + "'>" + tags + "</node>";
}
std::string Way(int id, const std::vector<int>& nodes, const std::string& tags) {
  std::string text = "<way id='" + std::to_string(id) + "' version='1'>";
  for (const int n : nodes) text += "<nd ref='" + std::to_string(n) + "'/>";
  return text + tags + "</way>";
}
std::string Tag(const std::string& k, const std::string& v) {
  return "<tag k='" + k + "' v='" + v + "'/>";
}

absl::StatusOr<RoadDraft> ImportText(const std::string& body) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.File("town.osm");
  EXPECT_TRUE(WriteFileDurably(path, std::string(kHead) + body + "</osm>").ok());
  return ImportOsm(path);
}

TEST(OsmImportTest, ReadsAWholeLittleTownInAnyOrder) {
  const std::string street = Tag("highway", "residential");
  // Ways before nodes, as an unsorted file has them.
  const auto draft =
      ImportText(Way(10, {1, 2, 3}, street + Tag("name", "Mill Street")) + Way(11, {3, 4}, street) +
                 Way(12, {2, 5}, Tag("highway", "footway")) +
                 Way(13, {6, 7, 6}, Tag("amenity", "school") + Tag("name", "North School")) +
                 "<relation id='1' version='1'><member type='way' ref='10' role='from'/><member "
                 "type='node' ref='3' role='via'/>"
                 "<member type='way' ref='11' role='to'/>" +
                 Tag("type", "restriction") + Tag("restriction", "no_right_turn") + "</relation>" +
                 Node(1, 50, 10) + Node(2, 50, 10.002) +
                 Node(3, 50, 10.004, Tag("highway", "traffic_signals")) + Node(4, 50.002, 10.004) +
                 Node(5, 50.001, 10.002) + Node(6, 50.003, 10.001) + Node(7, 50.003, 10.0012) +
                 Node(8, 50.004, 10, Tag("amenity", "police")));
  ASSERT_TRUE(draft.ok()) << draft.status();
  EXPECT_EQ(draft->ways.size(), 3U);
  EXPECT_EQ(draft->restrictions.size(), 1U);
  EXPECT_EQ(draft->sites.size(), 2U);
  const auto network = testing::Built(*draft);
  const RoadReport report = ReportOn(*network);
  EXPECT_EQ(report.pieces, 4U);  // Mill Street is cut where the footway meets it
  EXPECT_EQ(report.forbidden_turns, 1U);
  EXPECT_EQ(report.sites.at("school"), 1U);
  EXPECT_GT(report.km_walked_only, 0.1);
}

TEST(OsmImportTest, PointsMissingAtTheExtractsBorderCutTheWay) {
  const auto draft =
      ImportText(Way(10, {1, 2, 99, 3, 4}, Tag("highway", "residential")) + Node(1, 50, 10) +
                 Node(2, 50, 10.001) + Node(3, 50, 10.003) + Node(4, 50, 10.004));
  ASSERT_TRUE(draft.ok()) << draft.status();
  EXPECT_EQ(draft->ways.size(), 2U);
  EXPECT_EQ(draft->notes.at("points_missing"), "1");
}

TEST(OsmImportTest, AFileWithoutRoadsSaysSo) {
  const auto draft =
      ImportText(Node(1, 50, 10) + Node(2, 50, 10.001) + Way(1, {1, 2}, Tag("building", "yes")));
  EXPECT_EQ(draft.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(draft.status().message().find("no roads in it"), absl::string_view::npos)
      << draft.status();
}

TEST(OsmImportTest, ACutOffDamagedOrForeignFileSaysSo) {
  const testing::TemporaryFolder folder;
  EXPECT_EQ(ImportOsm(folder.File("none.osm.pbf")).status().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(WriteFileDurably(folder.File("text.osm.pbf"), "this is no map").ok());
  EXPECT_EQ(ImportOsm(folder.File("text.osm.pbf")).status().code(), absl::StatusCode::kDataLoss);
  SKIP_WITHOUT(testing::TestData("osm/monaco.osm.pbf"));
  const auto whole = ReadFile(testing::TestData("osm/monaco.osm.pbf"), 1 << 26);
  ASSERT_TRUE(whole.ok());
  for (const double part : {0.1, 0.5, 0.9, 0.999}) {
    const auto bytes = static_cast<size_t>(part * static_cast<double>(whole->size()));
    ASSERT_TRUE(WriteFileDurably(folder.File("cut.osm.pbf"), whole->substr(0, bytes)).ok());
    const auto draft = ImportOsm(folder.File("cut.osm.pbf"));
    EXPECT_EQ(draft.status().code(), absl::StatusCode::kDataLoss) << part << " " << draft.status();
  }
}

TEST(OsmImportTest, MonacoHasWhatItsDescriptionSays) {
  SKIP_WITHOUT(testing::TestData("osm/monaco.osm.pbf"));
  const auto network = testing::ExtractNetwork("monaco.osm.pbf");
  const RoadReport report = ReportOn(*network);
  EXPECT_EQ(report.notes.at("highway_ways"), "2927");
  EXPECT_EQ(report.notes.at("restrictions_used"), "27");
  EXPECT_GT(report.km_tunnel, 10);
  uint32_t sites = 0;
  for (const auto& [kind, count] : report.sites) sites += count;
  EXPECT_GE(sites, 40U);
  EXPECT_NE(network->notes().find("OpenStreetMap contributors"), std::string_view::npos);
}

}  // namespace
}  // namespace cordon
