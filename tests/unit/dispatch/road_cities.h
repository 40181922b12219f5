// SPDX-License-Identifier: Apache-2.0
// The three cities of the road tests; a real one only where its extract is present.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "dispatch/demo_city.h"
#include "dispatch/osm_import.h"
#include "dispatch/road_network.h"
#include "tests/support/test_data.h"

namespace cordon::testing {

inline std::shared_ptr<const RoadNetwork> Built(const RoadDraft& draft) {
  auto image = BuildRoadImage(draft);
  EXPECT_TRUE(image.ok()) << image.status();
  auto network = RoadNetwork::FromImage(*std::move(image));
  EXPECT_TRUE(network.ok()) << network.status();
  return *std::move(network);
}

inline std::shared_ptr<const RoadNetwork> DemoNetwork() {
  static const std::shared_ptr<const RoadNetwork> network = Built(DrawDemoCity());
  return network;
}

// Empty when the extract is not there.
inline std::shared_ptr<const RoadNetwork> ExtractNetwork(const std::string& file) {
  const std::string path = TestData("osm/" + file);
  if (!std::filesystem::exists(path)) return nullptr;
  auto draft = ImportOsm(path);
  EXPECT_TRUE(draft.ok()) << draft.status();
  return Built(*draft);
}

}  // namespace cordon::testing
