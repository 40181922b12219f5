// SPDX-License-Identifier: Apache-2.0
// Internal to bus/: who may connect (ZeroMQ RFC 27, ZAP). Without a running handler libzmq admits
// ANY key, so it runs before the first bind and every bind is tried with a stranger's key.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/status.h"
#include "bus/keys.h"
#include "bus/sockets.h"

namespace cordon {

// Answers the context's authentication requests from the key folder. A new or removed .pub file
// counts from the next handshake on (looked at most once a second); connections that stand are not
// cut. Thread: "zap".
class ZapHandler {
 public:
  static absl::StatusOr<std::unique_ptr<ZapHandler>> Start(void* context, KeyRing keys,
                                                           std::string keys_dir, Metrics& metrics);
  ~ZapHandler();

  // A key that will be tried on purpose: its rejection is neither logged nor counted.
  void ExpectStranger(const std::string& public_key);

 private:
  ZapHandler(Socket socket, KeyRing keys, std::string keys_dir, Metrics& metrics);
  void Run();
  void Answer();
  std::string NameOf(const std::string& public_key);
  void ReloadKeys();

  Socket socket_;  // only in the thread, as the next three
  KeyRing keys_;
  const std::string keys_dir_;
  BootTime looked_{};
  prometheus::Counter& admitted_;
  prometheus::Counter& rejected_;
  log::OncePerSecond turned_away_;
  WakeEvent stop_;
  std::atomic<bool> stopping_ = false;
  absl::Mutex mutex_;
  std::string expected_stranger_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace cordon
