// SPDX-License-Identifier: Apache-2.0
// Internal to bus/: a node's connection to its dispatcher, on which the dispatcher asks and the
// node answers.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/ids.h"
#include "base/log.h"
#include "bus/bus_context.h"
#include "bus/sockets.h"
#include "proto/envelope.pb.h"

namespace cordon {

// Announces the node whenever a connection is made and once a second, so that a restarted
// dispatcher learns of it too. Belongs to one thread.
class NodeLink {
 public:
  // `socket` is a DEALER connected to `endpoint`; `trouble` is the log line of what cannot be read.
  NodeLink(BusContext& context, std::string endpoint, NodeId node, Socket socket,
           const Clock& clock, std::string trouble);

  // Brings the connection back after a break and announces when it is due. True: it is a new one.
  bool Tend();
  // The next message; nothing when there is none or it cannot be read (Wait then returns at once
  // when more are there).
  std::optional<proto::Envelope> Receive();
  // False: the connection is gone or full.
  bool Send(const proto::Envelope& envelope);
  // Until a message, `wake`, the next announcement or the end of `most`.
  void Wait(const WakeEvent& wake, Milliseconds most);

  const NodeId& node() const { return node_; }
  log::OncePerSecond& trouble() { return trouble_; }

 private:
  const NodeId node_;
  const Clock& clock_;
  log::OncePerSecond trouble_;
  ClientLink link_;
  BootTime announce_;
};

}  // namespace cordon
