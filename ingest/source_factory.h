// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/secret.h"
#include "ingest/packet_source.h"
#include "proto/config.pb.h"

namespace cordon {

class OnvifMetadata;

// The source for an address of the configuration (rtsp, rtsps, http(s) FLV or HLS, v4l2, file,
// folder). Files and folders play at their original timing. `url` overrides camera.url(), for the
// sub-stream. `metadata` (may be null) takes an RTSP camera's metadata stream and must outlive the
// source. INVALID_ARGUMENT: unknown scheme, or user and password inside the address.
absl::StatusOr<std::unique_ptr<PacketSource>> MakePacketSource(const proto::CameraConfig& camera,
                                                               const Secret& password,
                                                               const Clock& clock,
                                                               const std::string& url = "",
                                                               OnvifMetadata* metadata = nullptr);

}  // namespace cordon
