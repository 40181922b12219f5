// SPDX-License-Identifier: Apache-2.0
// Internal to bus/: the outbox's socket, the session on it, and their thread.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "bus/bus_context.h"
#include "bus/outbox_progress.h"
#include "bus/outbox_session.h"
#include "bus/sockets.h"

namespace cordon {

// Sends what is committed until it is acknowledged. Thread: "outbox-send".
class OutboxSender {
 public:
  OutboxSender(std::string endpoint, OutboxIdentity identity, std::unique_ptr<OutboxRows> rows,
               Socket socket, OutboxProgress& progress, BusContext& context, const Clock& clock,
               Metrics& metrics);
  ~OutboxSender();

  // Something was committed. Any thread.
  void Wake() { wake_.Signal(); }

 private:
  void Run();
  void Wait(BootTime now);
  void ReadLinkEvents(BootTime now);
  void ReadSocket(BootTime now);
  void PumpSession(BootTime now);
  void PublishProgress();
  void Reconnect();

  const std::string endpoint_;
  BusContext& context_;
  const Clock& clock_;
  prometheus::Counter& resent_total_;
  prometheus::Gauge& pending_gauge_;
  prometheus::Gauge& connected_gauge_;

  // Both.
  OutboxProgress& progress_;
  WakeEvent wake_;
  std::atomic<bool> stopping_ = false;

  // Only in the thread.
  const std::unique_ptr<OutboxRows> rows_;
  Socket socket_;
  OutboxSession session_;
  bool socket_full_ = false;
  BootTime connect_again_ = BootTime::max();
  std::string said_fault_;
  uint64_t counted_resent_ = 0;
  log::OncePerSecond trouble_;

  std::thread thread_;
};

}  // namespace cordon
