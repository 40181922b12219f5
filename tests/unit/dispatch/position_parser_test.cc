// SPDX-License-Identifier: Apache-2.0
#include "dispatch/position_parser.h"

#include <gtest/gtest.h>

namespace cordon {
namespace {

absl::StatusOr<proto::UnitPosition> OsmAnd(std::string_view query) {
  auto parameters = ParseQuery(query);
  if (!parameters.ok()) return parameters.status();
  return ParseOsmAndQuery(*parameters);
}

TEST(OsmAndQuery, SpeedIsInKnots) {
  const auto fix =
      OsmAnd("id=car-1&lat=41.15&lon=-8.61&timestamp=1700000000&speed=10&bearing=90&accuracy=4");
  ASSERT_TRUE(fix.ok()) << fix.status();
  EXPECT_EQ(fix->unit_id(), "car-1");
  EXPECT_EQ(fix->fix_time_us(), 1'700'000'000'000'000);
  EXPECT_NEAR(fix->speed_mps(), 5.144, 0.001);
  EXPECT_EQ(fix->course_deg(), 90);
  EXPECT_EQ(fix->accuracy_m(), 4);
}

TEST(OsmAndQuery, TimeMayBeSecondsMillisecondsOrIso) {
  EXPECT_EQ(OsmAnd("id=a&lat=1&lon=2&timestamp=1700000000000")->fix_time_us(),
            1'700'000'000'000'000);
  EXPECT_EQ(OsmAnd("id=a&lat=1&lon=2&timestamp=2023-11-14T22:13:20Z")->fix_time_us(),
            1'700'000'000'000'000);
  EXPECT_EQ(OsmAnd("id=a&lat=1&lon=2")->fix_time_us(), 0);
  EXPECT_FALSE(OsmAnd("id=a&lat=1&lon=2&timestamp=yesterday").ok());
}

TEST(OsmAndQuery, MissingStaysMissing) {
  const auto fix = OsmAnd("deviceid=a&location=41.5%2C-8.5");
  ASSERT_TRUE(fix.ok()) << fix.status();
  EXPECT_EQ(fix->lat(), 41.5);
  EXPECT_EQ(fix->lon(), -8.5);
  EXPECT_FALSE(fix->has_speed_mps());
  EXPECT_FALSE(fix->has_course_deg());
  EXPECT_FALSE(fix->has_accuracy_m());
}

TEST(OsmAndQuery, RefusesWhatItCannotUnderstand) {
  for (const char* query : {"", "id=a", "id=a&lat=1", "id=a&lat=nan&lon=1", "id=a&lat=x&lon=1",
                            "lat=1&lon=1", "id=a&location=1", "id=a&lat=1&lon=2&kind=tank",
                            "id=%zz&lat=1&lon=1", "id=a%2", "id=a&lat=inf&lon=2"}) {
    EXPECT_EQ(OsmAnd(query).status().code(), absl::StatusCode::kInvalidArgument) << query;
  }
  EXPECT_EQ(OsmAnd("id=a&lat=1&lon=2&valid=false").status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(OsmAndJson, SpeedIsInMetresPerSecondAndNegativeIsUnknown) {
  const auto fix =
      ParseOsmAndJson(R"({"device_id":"m-2","location":{"timestamp":"2023-11-14T22:13:20.500Z",
      "coords":{"latitude":41.1,"longitude":-8.6,"speed":7.5,"heading":-1,"accuracy":12}}})");
  ASSERT_TRUE(fix.ok()) << fix.status();
  EXPECT_EQ(fix->speed_mps(), 7.5);
  EXPECT_FALSE(fix->has_course_deg());
  EXPECT_EQ(fix->fix_time_us(), 1'700'000'000'500'000);
}

TEST(OsmAndJson, RefusesOtherShapes) {
  for (const char* body :
       {"", "[]", "{", "{}", R"({"device_id":5})", R"({"device_id":"a","location":[]})",
        R"({"device_id":"a","location":{"coords":{"latitude":"x","longitude":1}}})"})
    EXPECT_FALSE(ParseOsmAndJson(body).ok()) << body;
}

TEST(OwnTracks, SpeedIsInKilometresPerHour) {
  const auto fix = ParseOwnTracks(
      R"({"_type":"location","lat":41.1,"lon":-8.6,"tst":1700000000,"vel":36,"cog":5})", "phone");
  ASSERT_TRUE(fix.ok()) << fix.status();
  EXPECT_EQ(fix->unit_id(), "phone");
  EXPECT_NEAR(fix->speed_mps(), 10, 1e-9);
  EXPECT_FALSE(fix->has_accuracy_m());
}

TEST(OwnTracks, PingMovesNothing) {
  const auto fix = ParseOwnTracks(
      R"({"_type":"location","t":"p","lat":41.1,"lon":-8.6,"tst":1700000000})", "phone");
  EXPECT_EQ(fix.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ParseOwnTracks(R"({"_type":"lwt"})", "phone").status().code(),
            absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace cordon
