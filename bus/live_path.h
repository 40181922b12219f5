// SPDX-License-Identifier: Apache-2.0
// The live lane: pictures of cameras for the dispatcher's viewers. Newest matters, so nothing is
// repeated and nothing waits: each viewer has a window of bytes that may be under way, and what a
// slow one misses is left out at the node, before it is cut into pieces. The dispatcher binds,
// nodes connect and announce their name.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/metrics.h"
#include "base/status.h"
#include "bus/bus_context.h"
#include "proto/envelope.pb.h"

namespace cordon {

// What one viewer may have under way between node and dispatcher: one to two seconds of a usual
// stream. A piece weighs its bytes and kLivePieceWeight, so that small pieces do not pile up either.
inline constexpr int64_t kLiveWindowBytes = 1024 * 1024;
inline constexpr int64_t kLivePieceWeight = 16 * 1024;
// The most data of one piece.
inline constexpr size_t kLivePieceBytes = 192 * 1024;
static_assert(kLivePieceBytes + kLivePieceWeight <= kLiveWindowBytes / 4);

// One viewer's view of one camera at its node. Used by the thread "live-server" only.
class LiveSource {
 public:
  struct Part {
    std::string bytes;     // empty: nothing new
    Milliseconds age{0};   // of the newest picture in it
    uint64_t skipped = 0;  // pictures left out so far because the viewer was too slow
  };
  virtual ~LiveSource() = default;
  // Begins with what a player needs first. Never waits. An error ends the view; its words go to the
  // viewer.
  virtual absl::StatusOr<Part> Take() = 0;
};

struct LiveOpening {
  std::unique_ptr<LiveSource> source;
  std::string mime;
  std::string why_pictures;  // see proto::LiveStart
};

// A node's side. `open` and the sources run on the thread "live-server" (low priority), which owns
// the socket and looks at every viewer 25 times a second while there are any.
class LiveServer {
 public:
  static constexpr size_t kMaxViewers = 32;  // of one node; more are told so
  // A viewer that took nothing for so long is gone.
  static constexpr Seconds kGoneAfter{30};
  using Opener = std::function<absl::StatusOr<LiveOpening>(const proto::LiveOpen&)>;

  static absl::StatusOr<std::unique_ptr<LiveServer>> Open(const std::string& endpoint, NodeId node,
                                                          BusContext& context, Opener open,
                                                          const Clock& clock, Metrics& metrics);
  ~LiveServer();

 private:
  class Worker;
  explicit LiveServer(std::unique_ptr<Worker> worker);
  std::unique_ptr<Worker> worker_;
};

// The dispatcher's side. Its thread "live-client" owns the socket.
class LiveClient {
  class Worker;

 public:
  static constexpr size_t kMaxViewers = 64;

  // A view; closed by its destruction. Thread-safe. One that outlives the client is over.
  class View {
   public:
    View(std::shared_ptr<Worker> worker, uint64_t viewer)
        : worker_(std::move(worker)), viewer_(viewer) {}
    View(const View&) = delete;
    View& operator=(const View&) = delete;
    ~View();
    // The next piece; nothing when there is none yet. Taking a piece lets the node send more. An
    // error says why the view is over: UNAVAILABLE (the node is gone), ABORTED (the node's words),
    // CANCELLED (the client ends).
    absl::StatusOr<std::optional<proto::LiveToViewer>> Next();

   private:
    const std::shared_ptr<Worker> worker_;
    const uint64_t viewer_;
  };

  static absl::StatusOr<std::unique_ptr<LiveClient>> Open(const std::string& endpoint,
                                                          BusContext& context, const Clock& clock,
                                                          Metrics& metrics);
  ~LiveClient();
  const std::string& endpoint() const;  // as bound

  // `wake` is called on "live-client" whenever Next has news; it must return at once and may be
  // called once more after the view is gone. UNAVAILABLE: the node is not connected.
  // RESOURCE_EXHAUSTED: too many viewers.
  absl::StatusOr<std::unique_ptr<View>> Watch(const NodeId& node, const proto::LiveOpen& what,
                                              std::function<void()> wake);
  std::vector<NodeId> ConnectedNodes() const;

 private:
  explicit LiveClient(std::shared_ptr<Worker> worker);
  const std::shared_ptr<Worker> worker_;
};

}  // namespace cordon
