// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/metrics.h"
#include "base/status.h"

namespace cordon {

class BusSockets;  // bus/sockets.h, internal to bus/

// What all sockets of one process share: the ZeroMQ context, the keys, and the thread that admits
// peers by their key
// ("zap"). Create one per process, before any endpoint; destroy it last.
//
// With a keys folder every endpoint uses CURVE: own secret key FOLDER/NAME.key, and only peers
// whose FOLDER/PEER.pub is there get in; a peer is known by the name of its key file. Without, only
// ipc:// endpoints are allowed; their sockets have mode 0600.
class BusContext {
 public:
  // `name`: node id, or kDispatcherName. `keys_dir` may be empty. NOT_FOUND or INVALID_ARGUMENT:
  // the keys are missing or unfit, with the command that makes them.
  static absl::StatusOr<std::unique_ptr<BusContext>> Create(const std::string& name,
                                                            const std::string& keys_dir,
                                                            Metrics& metrics);
  ~BusContext();
  BusContext(const BusContext&) = delete;
  BusContext& operator=(const BusContext&) = delete;

  const std::string& name() const { return name_; }
  bool has_keys() const;
  BusSockets& sockets() { return *sockets_; }

 private:
  BusContext(std::string name, std::unique_ptr<BusSockets> sockets);
  const std::string name_;
  const std::unique_ptr<BusSockets> sockets_;
};

// "ipc://@data/alerts.sock" with the data folder put in. INVALID_ARGUMENT: neither ipc nor tcp, or
// a socket path longer than the 107 bytes that a unix socket allows.
absl::StatusOr<std::string> ResolveEndpoint(const std::string& endpoint,
                                            const std::string& data_dir);

}  // namespace cordon
