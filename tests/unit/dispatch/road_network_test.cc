// SPDX-License-Identifier: Apache-2.0
#include "dispatch/road_network.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "base/file_util.h"
#include "dispatch/road_file.h"
#include "dispatch/road_report.h"
#include "dispatch/search.h"
#include "tests/unit/dispatch/road_cities.h"

namespace cordon {
namespace {

std::string DemoImage() {
  static const std::string image = *BuildRoadImage(DrawDemoCity());
  return image;
}

TEST(RoadNetworkTest, TheSameDraftGivesTheSameBytes) {
  EXPECT_EQ(*BuildRoadImage(DrawDemoCity()), DemoImage());
}

TEST(RoadNetworkTest, TheDemoCityIsOneCityWithItsPlaces) {
  const auto network = testing::DemoNetwork();
  const RoadReport report = ReportOn(*network);
  EXPECT_GT(report.edges_routine, 6000U);
  EXPECT_LT(report.km_island, 3);  // a street behind a bollard is one

  EXPECT_GT(report.km_one_way, 20);
  EXPECT_GT(report.dead_ends, 100U);
  EXPECT_GT(report.km_bridge, 1);
  EXPECT_GE(report.sites.at("school"), 20U);
  const LatLon low = network->south_west().ToLatLon();
  const LatLon high = network->north_east().ToLatLon();
  EXPECT_NEAR(Distance(low, {low.lat, high.lon}).value, 10'500, 1'500);
  EXPECT_NEAR(Distance(low, {high.lat, low.lon}).value, 8'400, 1'200);
}

TEST(RoadNetworkTest, WhatWasWrittenIsReadBackFromAFile) {
  const testing::TemporaryFolder folder;
  ASSERT_TRUE(WriteFileDurably(folder.File("city.roads"), DemoImage()).ok());
  const auto mapped = RoadNetwork::Open(folder.File("city.roads"));
  ASSERT_TRUE(mapped.ok()) << mapped.status();
  const auto& memory = testing::DemoNetwork();
  ASSERT_EQ((*mapped)->edge_count(), memory->edge_count());
  EXPECT_EQ((*mapped)->checksum(), memory->checksum());
  for (uint32_t e = 0; e < memory->edge_count(); e += 17) {
    EXPECT_EQ((*mapped)->head(EdgeId{e}), memory->head(EdgeId{e}));
    EXPECT_EQ((*mapped)->tail((*mapped)->twin(EdgeId{e})), memory->head(EdgeId{e}));
    EXPECT_EQ((*mapped)->name((*mapped)->piece_of(EdgeId{e})),
              memory->name(memory->piece_of(EdgeId{e})));
  }
}

TEST(RoadNetworkTest, RefusesDamagedFilesWithWhatToDo) {
  const auto fails = [](std::string image, absl::StatusCode code, std::string_view says) {
    const auto network = RoadNetwork::FromImage(std::move(image));
    ASSERT_FALSE(network.ok()) << says;
    EXPECT_EQ(network.status().code(), code) << network.status();
    EXPECT_NE(MessageOf(network.status()).find(says), std::string_view::npos) << network.status();
    EXPECT_NE(network.status().message().find("cordon roads build"), absl::string_view::npos)
        << network.status();
  };
  const std::string good = DemoImage();
  fails("", absl::StatusCode::kDataLoss, "too short");
  fails("hello", absl::StatusCode::kDataLoss, "too short");
  fails(std::string(4096, 'x'), absl::StatusCode::kDataLoss, "not a road file");
  fails(good.substr(0, good.size() / 2), absl::StatusCode::kDataLoss, "cut off");
  std::string older = good;
  older[8] = 0;
  fails(older, absl::StatusCode::kFailedPrecondition, "version 0");
  std::string swapped = good;
  std::swap(swapped[12], swapped[15]);
  std::swap(swapped[13], swapped[14]);
  fails(swapped, absl::StatusCode::kFailedPrecondition, "byte order");
  std::mt19937_64 random(1);
  for (int i = 0; i < 50; ++i) {
    std::string damaged = good;
    damaged[32 + random() % (damaged.size() - 32)] ^= static_cast<char>(1 << random() % 8);
    fails(damaged, absl::StatusCode::kDataLoss, "damaged");
  }
}

TEST(RoadNetworkTest, AMissingFileAnEmptyOneAndAFolderAreNamed) {
  const testing::TemporaryFolder folder;
  EXPECT_EQ(RoadNetwork::Open(folder.File("none.roads")).status().code(),
            absl::StatusCode::kNotFound);
  ASSERT_TRUE(WriteFileDurably(folder.File("empty.roads"), "").ok());
  EXPECT_EQ(RoadNetwork::Open(folder.File("empty.roads")).status().code(),
            absl::StatusCode::kDataLoss);
  EXPECT_FALSE(RoadNetwork::Open(folder.path()).ok());
}

// A liar with a right checksum: whatever opens can be searched without reading outside.
TEST(RoadNetworkTest, WhatOpensIsSafeToUseWhateverItsBytes) {
  const std::string good = DemoImage();
  std::mt19937_64 random(3);
  int opened = 0;
  for (int i = 0; i < 300; ++i) {
    std::string image = good;
    // One wrong byte is the lie that is hardest to see: every other try has no more.
    for (uint64_t changes = i % 2 == 0 ? 1 : 1 + random() % 4; changes > 0; --changes)
      image[kRoadChecksumFrom + random() % (image.size() - kRoadChecksumFrom)] =
          static_cast<char>(random());
    const uint64_t sum =
        RoadChecksum({image.data() + kRoadChecksumFrom, image.size() - kRoadChecksumFrom});
    std::memcpy(image.data() + 24, &sum, sizeof sum);
    const auto network = RoadNetwork::FromImage(std::move(image));
    if (!network.ok()) continue;
    ++opened;
    const auto graph = TravelGraph::Build(*network, RoadState{}, TravelProfile{});
    BoundedSearch search;
    const SearchSeed seed{{EdgeId{static_cast<uint32_t>(random() % (*network)->edge_count())}, 0},
                          0};
    search.Run(*graph, SearchDirection::kForward, {&seed, 1}, 120'000);
    (void)search.Stretches();
    (void)ReportOn(**network);
  }
  EXPECT_GT(opened, 50);
}

TEST(RoadNetworkTest, AnEmptyDraftIsRefused) { EXPECT_FALSE(BuildRoadImage(RoadDraft{}).ok()); }

TEST(RoadNetworkTest, PartsOfAnEdgeJoinToTheWhole) {
  const auto network = testing::DemoNetwork();
  std::mt19937_64 random(4);
  for (int i = 0; i < 500; ++i) {
    const EdgeId e{static_cast<uint32_t>(random() % network->edge_count())};
    const uint32_t length = network->length_cm(e);
    const auto middle = static_cast<uint32_t>(random() % (length + 1));
    const auto first = network->Part(e, 0, middle);
    const auto second = network->Part(e, middle, length);
    EXPECT_EQ(first.front(), network->point(network->tail(e)));
    EXPECT_EQ(second.back(), network->point(network->head(e)));
    EXPECT_LE(Distance(first.back().ToLatLon(), second.front().ToLatLon()).value, 0.1);
    EXPECT_LE(Distance(network->PointAt({e, middle}), first.back().ToLatLon()).value, 0.1);
  }
}

}  // namespace
}  // namespace cordon
