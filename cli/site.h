// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/secret.h"
#include "base/status.h"
#include "proto/config.pb.h"

namespace cordon::cli {

// Reads SITE.yaml: strict field by field (base/config_reader.h), then what no single field can say:
// references between fields, unique ids, geometry that a rule needs. Paths come back absolute
// (relative ones are relative to the file), "@data" in endpoints is replaced, and a site without
// nodes has node-1. INVALID_ARGUMENT holds one problem per line.
absl::StatusOr<proto::Site> LoadSite(const std::string& path);

// The second half of LoadSite, for tests: problems of a site whose fields are each in order.
std::vector<std::string> CheckSite(const proto::Site& site);

// First line of the camera's password_file; empty when it has none. NOT_FOUND, PERMISSION_DENIED.
absl::StatusOr<Secret> ReadPassword(const proto::CameraConfig& camera);

// The cameras that a node runs.
std::vector<proto::CameraConfig> CamerasOf(const proto::Site& site, const std::string& node_id);

}  // namespace cordon::cli
