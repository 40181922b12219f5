// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "ingest/packet_ring.h"
#include "ingest/packet_source.h"
#include "ingest/reconnect.h"
#include "ingest/stream_health.h"

namespace cordon {

// Keeps one address connected and puts its packets into a ring, for ever, on its own thread.
// Between packets it lends that thread to `work` (decoding). The reader never waits for anybody but
// the network.
class StreamReader {
 public:
  using SourceMaker = std::function<absl::StatusOr<std::unique_ptr<PacketSource>>()>;
  struct Options {
    std::string name;         // camera id, for the log
    std::string thread_name;  // at most 15 characters
    SourceMaker make_source;
    uint64_t seed = 0;  // of the back-off's jitter
  };
  // All run on the reader's thread; any may be empty.
  struct Hooks {
    std::function<absl::Status(const StreamInfo&, uint64_t first_sequence)> opened;
    std::function<void(const RingEntry&)> packet;
    std::function<bool()> work;   // true: there is more to do now
    std::function<void()> ended;  // the connection is over
  };

  StreamReader(Options options, Hooks hooks, PacketRing& ring, StreamHealth& health, OpenGate& gate,
               const Clock& clock);
  ~StreamReader();
  StreamReader(const StreamReader&) = delete;
  StreamReader& operator=(const StreamReader&) = delete;

  const PacketRing& ring() const { return ring_; }
  // As the newest connection described it; null before the first.
  std::shared_ptr<const AVCodecParameters> codec() const;

 private:
  void Run();
  // Returns why it ended.
  absl::Status RunConnection();
  absl::Status Pump(PacketSource& source);
  void Accept(Packet packet);
  void LetGo(const absl::Status& why, BootTime began);
  bool Stopping() const;
  void Rest(Milliseconds time);
  std::shared_ptr<PacketSource> Adopt(std::unique_ptr<PacketSource> source);

  const Options options_;
  const Hooks hooks_;
  PacketRing& ring_;
  StreamHealth& health_;
  OpenGate& gate_;
  const Clock& clock_;
  ReconnectPolicy policy_;

  // Only in the reader's thread.
  uint64_t runs_before_ = 0;
  uint64_t last_run_ = 0;
  BootTime last_packet_{};
  LossCause said_cause_ = LossCause::kUnreachable;
  bool said_ = false;

  mutable absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::shared_ptr<PacketSource> source_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const AVCodecParameters> codec_ ABSL_GUARDED_BY(mutex_);

  std::thread thread_;  // last: it uses everything above
};

}  // namespace cordon
