// SPDX-License-Identifier: Apache-2.0
#include "ingest/source_factory.h"

#include "absl/strings/match.h"
#include "ingest/file_source.h"
#include "ingest/folder_source.h"
#include "ingest/paced_source.h"
#include "ingest/rtsp_source.h"
#include "ingest/rtsp_url.h"

namespace cordon {
namespace {

std::unique_ptr<PacketSource> MakeRtspSource(const proto::CameraConfig& camera,
                                             const Secret& password, const Clock& clock,
                                             const std::string& url, OnvifMetadata* metadata) {
  RtspOptions options;
  options.metadata = metadata;
  options.url = url;
  options.username = camera.username();
  options.password = password;
  options.allow_basic_auth = camera.allow_basic_auth();
  options.certificate_sha256 = camera.server_certificate_sha256();
  switch (camera.transport()) {
    case proto::CameraConfig::TRANSPORT_UDP:
      options.transport = RtspTransport::kUdp;
      break;
    case proto::CameraConfig::TRANSPORT_HTTP:
      options.transport = RtspTransport::kHttpTunnel;
      break;
    default:
      options.transport = RtspTransport::kTcp;
      break;
  }
  return NewRtspSource(std::move(options), clock);
}

}  // namespace

absl::StatusOr<std::unique_ptr<PacketSource>> MakePacketSource(const proto::CameraConfig& camera,
                                                               const Secret& password,
                                                               const Clock& clock,
                                                               const std::string& url,
                                                               OnvifMetadata* metadata) {
  using Kind = FileSourceOptions::Kind;
  const std::string& address = url.empty() ? camera.url() : url;
  if (HasUserInfo(address)) {
    return absl::InvalidArgumentError(fmt::format(
        "camera {}: user and password do not belong in the address; use username and password_file",
        camera.id()));
  }
  FileSourceOptions options;
  options.location = address;
  options.username = camera.username();
  options.password = password;
  options.allow_basic_auth = camera.allow_basic_auth();
  if (absl::StartsWith(address, "rtsp://") || absl::StartsWith(address, "rtsps://")) {
    return MakeRtspSource(camera, password, clock, address, metadata);
  }
  if (absl::StartsWith(address, "http://") || absl::StartsWith(address, "https://")) {
    options.kind = Kind::kHttp;
    return std::make_unique<FileSource>(std::move(options), clock);
  }
  if (absl::StartsWith(address, "v4l2://")) {
    options.kind = Kind::kV4l2;
    options.location = address.substr(7);
    return std::make_unique<FileSource>(std::move(options), clock);
  }
  std::string path = address;
  if (absl::StartsWith(path, "file://")) path = path.substr(7);
  if (absl::StrContains(path, "://")) {
    return absl::InvalidArgumentError(fmt::format(
        "camera {}: cannot read {}: use rtsp://, rtsps://, http(s)://, v4l2:// or a file",
        camera.id(), path));
  }
  return std::make_unique<PacedSource>(MakeFileOrFolderSource(path, clock), clock);
}

}  // namespace cordon
