// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/config_reader.h"
#include "base/secret.h"
#include "base/status.h"
#include "proto/config.pb.h"

namespace cordon::cli {

// Reads SITE.yaml: strict field by field (base/config_reader.h), then what no single field can say:
// references between fields, unique ids, geometry that a rule needs. Paths come back absolute
// (relative ones are relative to the file), "@data" in endpoints is replaced, and a site without
// nodes has node-1. INVALID_ARGUMENT holds one problem per line, each "file:line:column: message".
// `places`, when given, is filled with the place of every value in the file.
absl::StatusOr<proto::Site> LoadSite(const std::string& path, ConfigPlaces* places = nullptr);

// What LoadSite leaves to the start of a process: every file that the site names can be read and
// fits (roads, passwords, the position token, networks), every camera's rules, masks and schedules
// can be used. All problems, in the order of the file; empty: the site will start.
std::vector<ConfigProblem> CheckParts(const proto::Site& site, const std::string& path,
                                      const ConfigPlaces& places);

// Whether the site's road file can be used. In a file of its own: the headers of analytics and of
// dispatch share a name.
absl::Status CheckRoads(const proto::Site& site);

// First line of the camera's password_file; empty when it has none. NOT_FOUND, PERMISSION_DENIED.
absl::StatusOr<Secret> ReadPassword(const proto::CameraConfig& camera);

// The node that runs the camera; empty: there is no such camera.
std::string NodeOf(const proto::Site& site, const std::string& camera_id);

// The cameras that a node runs.
std::vector<proto::CameraConfig> CamerasOf(const proto::Site& site, const std::string& node_id);

}  // namespace cordon::cli
