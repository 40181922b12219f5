// SPDX-License-Identifier: Apache-2.0
#include "bus/bus_context.h"

#include <optional>

#include "bus/keys.h"
#include "bus/sockets.h"

namespace cordon {
namespace {

constexpr size_t kMaxSocketPath = 107;  // sockaddr_un::sun_path less its final zero

}  // namespace

BusContext::BusContext(std::string name, std::unique_ptr<BusSockets> sockets)
    : name_(std::move(name)), sockets_(std::move(sockets)) {}
BusContext::~BusContext() = default;

bool BusContext::has_keys() const { return sockets_->has_keys(); }

absl::StatusOr<std::unique_ptr<BusContext>> BusContext::Create(const std::string& name,
                                                               const std::string& keys_dir,
                                                               Metrics& metrics) {
  std::optional<KeyRing> keys;
  if (!keys_dir.empty()) {
    ASSIGN_OR_RETURN(keys, LoadKeyRing(keys_dir, name));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<BusSockets> sockets,
                   BusSockets::Create(std::move(keys), keys_dir, metrics));
  return std::unique_ptr<BusContext>(new BusContext(name, std::move(sockets)));
}

absl::StatusOr<std::string> ResolveEndpoint(const std::string& endpoint,
                                            const std::string& data_dir) {
  constexpr std::string_view kPlaceholder = "@data";
  std::string resolved = endpoint;
  if (const size_t at = resolved.find(kPlaceholder); at != std::string::npos)
    resolved.replace(at, kPlaceholder.size(), data_dir);
  if (resolved.starts_with("tcp://")) return resolved;
  if (!resolved.starts_with("ipc://"))
    return absl::InvalidArgumentError(
        fmt::format("{} is no endpoint: write ipc://PATH or tcp://HOST:PORT", endpoint));
  const size_t length = resolved.size() - 6;
  if (length > kMaxSocketPath)
    return absl::InvalidArgumentError(
        fmt::format("the socket path {} has {} bytes, a unix socket allows {}: use a shorter "
                    "data_dir, or another ipc:// path",
                    resolved.substr(6), length, kMaxSocketPath));
  return resolved;
}

}  // namespace cordon
