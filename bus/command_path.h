// SPDX-License-Identifier: Apache-2.0
// Questions of the dispatcher to a node: evidence in chunks, a live picture. Not durable: an answer
// comes within the deadline or not at all. The dispatcher binds, nodes connect and announce their
// name.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/metrics.h"
#include "base/status.h"
#include "bus/bus_context.h"
#include "proto/envelope.pb.h"

namespace cordon {

// Data of one Reply; a clip comes in chunks of this.
inline constexpr size_t kMaxReplyBytes = 192 * 1024;

// A node's side. The handler runs on the server's thread "command-server", one command at a time,
// and should answer within 2 s. Its error's message becomes Reply.error.
class CommandServer {
 public:
  using Handler = std::function<absl::StatusOr<proto::Reply>(const proto::Command&)>;

  static absl::StatusOr<std::unique_ptr<CommandServer>> Open(const std::string& endpoint,
                                                             NodeId node, BusContext& context,
                                                             Handler handler, const Clock& clock,
                                                             Metrics& metrics);
  ~CommandServer();

 private:
  class Worker;
  explicit CommandServer(std::unique_ptr<Worker> worker);
  std::unique_ptr<Worker> worker_;
};

// The dispatcher's side. Call is thread-safe; the thread "command-client" owns the socket.
class CommandClient {
 public:
  static constexpr size_t kMaxPending = 256;  // calls under way; more are refused

  static absl::StatusOr<std::unique_ptr<CommandClient>> Open(const std::string& endpoint,
                                                             BusContext& context,
                                                             const Clock& clock, Metrics& metrics);
  ~CommandClient();                     // calls under way end with CANCELLED
  const std::string& endpoint() const;  // as bound

  // UNAVAILABLE: the node is not connected. DEADLINE_EXCEEDED. RESOURCE_EXHAUSTED: too many calls
  // under way. ABORTED: the node answered with an error (its words). CANCELLED: the client ends.
  absl::StatusOr<proto::Reply> Call(const NodeId& node, proto::Command command,
                                    Milliseconds deadline);

  // A whole clip by FetchEvidence, chunk after chunk, `deadline` for each. RESOURCE_EXHAUSTED above
  // `limit` bytes.
  absl::StatusOr<std::string> FetchClip(const NodeId& node, const std::string& clip_id,
                                        size_t limit, Milliseconds deadline);

  std::vector<NodeId> ConnectedNodes() const;

 private:
  class Worker;
  explicit CommandClient(std::unique_ptr<Worker> worker);
  std::unique_ptr<Worker> worker_;
};

}  // namespace cordon
