// SPDX-License-Identifier: Apache-2.0
#include "bus/node_directory.h"

#include "bus/wire.h"

namespace cordon {

absl::Status NodeDirectory::Heard(const Incoming& incoming, const proto::Hello& hello,
                                  BootTime now) {
  if (!incoming.user.empty() && incoming.user != hello.producer())
    return absl::PermissionDeniedError(
        fmt::format("the key of {} cannot speak for {}", incoming.user, hello.producer()));
  const NodeId node(hello.producer());
  absl::MutexLock lock(&mutex_);
  if (nodes_.size() >= kMaxNodes && !nodes_.contains(node))
    return absl::ResourceExhaustedError("too many nodes");
  nodes_[node] = {incoming.peer, now};
  return absl::OkStatus();
}

std::string NodeDirectory::PeerOf(const NodeId& node, BootTime now) const {
  absl::MutexLock lock(&mutex_);
  const auto known = nodes_.find(node);
  if (known == nodes_.end() || now - known->second.heard > kGoneAfter) return "";
  return known->second.peer;
}

std::vector<NodeId> NodeDirectory::Connected(BootTime now) const {
  absl::MutexLock lock(&mutex_);
  std::vector<NodeId> connected;
  for (const auto& [id, node] : nodes_)
    if (now - node.heard <= kGoneAfter) connected.push_back(id);
  return connected;
}

proto::Envelope AnnouncementOf(const NodeId& node) {
  proto::Envelope envelope;
  envelope.set_version(wire::kProtocolVersion);
  envelope.mutable_hello()->set_protocol(wire::kProtocolVersion);
  envelope.mutable_hello()->set_producer(node.str());
  return envelope;
}

}  // namespace cordon
