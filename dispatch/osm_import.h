// SPDX-License-Identifier: Apache-2.0
// The only place that knows OpenStreetMap's files and tags (libosmium).
#pragma once

#include <string>

#include "base/status.h"
#include "dispatch/road_draft.h"

namespace cordon {

struct OsmImportOptions {
  std::string country;  // ISO 3166-1 alpha-2 for the default limits; empty: from zone codes in the
                        // file, or generic
};

// Reads an extract (.osm.pbf, .osm). NOT_FOUND; DATA_LOSS for a truncated or damaged file;
// INVALID_ARGUMENT for one without roads. One sentence each, with what to do.
absl::StatusOr<RoadDraft> ImportOsm(const std::string& path, const OsmImportOptions& options = {});

}  // namespace cordon
