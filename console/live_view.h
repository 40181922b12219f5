// SPDX-License-Identifier: Apache-2.0
// What the console needs of live pictures; cli/ wires it to the bus. No Boost here.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/status.h"
#include "proto/live.pb.h"

namespace cordon {

struct LiveRequest {
  std::string camera;
  bool pictures_only = false;
  std::string actor;    // "operator:NAME", as the person said
  std::string address;  // where the request came from
};

// One viewer's live picture. Any thread, one at a time.
class LiveView {
 public:
  virtual ~LiveView() = default;
  // The next piece; nothing when there is none yet. Taking it lets the node send more. An error:
  // it is over, and why.
  virtual absl::StatusOr<std::optional<proto::LiveToViewer>> Next() = 0;
  // Records the end of the view; may wait for the disk. Once, last.
  virtual void Close(uint64_t bytes, const std::string& cause) = 0;
};

// Opens a view after its record is durable: who cannot be recorded sees nothing. May wait. `wake`
// is called from another thread when Next has news, must return at once, and may come once more
// after the view is gone. NOT_FOUND: no such camera; UNAVAILABLE, RESOURCE_EXHAUSTED.
using OpenLiveView = std::function<absl::StatusOr<std::unique_ptr<LiveView>>(
    const LiveRequest&, std::function<void()> wake)>;

}  // namespace cordon
