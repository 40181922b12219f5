// SPDX-License-Identifier: Apache-2.0
// Internal to bus/: which connection of a ROUTER belongs to which node.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/status.h"
#include "bus/sockets.h"
#include "proto/envelope.pb.h"

namespace cordon {

// Nodes announce themselves once a second; one that was not heard for kGoneAfter is not connected.
// Thread-safe.
class NodeDirectory {
 public:
  static constexpr Seconds kAnnounceEvery{1};
  static constexpr Seconds kGoneAfter{3};
  static constexpr size_t kMaxNodes = 1024;

  // PERMISSION_DENIED: the peer's key proves another name. RESOURCE_EXHAUSTED: too many nodes.
  absl::Status Heard(const Incoming& incoming, const proto::Hello& hello, BootTime now);
  // Empty: not connected.
  std::string PeerOf(const NodeId& node, BootTime now) const;
  std::vector<NodeId> Connected(BootTime now) const;

 private:
  struct Node {
    std::string peer;
    BootTime heard{};
  };
  mutable absl::Mutex mutex_;
  std::map<NodeId, Node> nodes_ ABSL_GUARDED_BY(mutex_);
};

// What a node says of itself on a connection.
proto::Envelope AnnouncementOf(const NodeId& node);

}  // namespace cordon
