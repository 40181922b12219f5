// SPDX-License-Identifier: Apache-2.0
// The telemetry lane: health, tracks, positions. Newest wins, nothing is repeated, drops are
// counted. Nothing here may be needed to be right about an alert.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/status.h"
#include "bus/bus_context.h"
#include "proto/envelope.pb.h"

namespace cordon {

// A node's side: a PUB that connects. Publish never waits: one slot per subject holds the newest;
// what it overwrote is counted (cordon_telemetry_overwritten_total). Its thread "telemetry-out"
// owns the socket. Publish is thread-safe.
class TelemetryPublisher {
 public:
  static constexpr size_t kMaxSubjects =
      16'384;  // slots; a new subject beyond is dropped and counted

  static absl::StatusOr<std::unique_ptr<TelemetryPublisher>> Open(const std::string& endpoint,
                                                                  BusContext& context,
                                                                  Metrics& metrics);
  ~TelemetryPublisher();

  // `subject`: "health", "tracks/gate", "unit/car-7". The envelope holds node_health, camera_tracks
  // or unit_position; sender and number are filled in.
  void Publish(const std::string& subject, proto::Envelope envelope);

 private:
  class Worker;
  explicit TelemetryPublisher(std::unique_ptr<Worker> worker);
  std::unique_ptr<Worker> worker_;
};

// The dispatcher's side: a SUB that binds. Its thread "telemetry-in" owns the socket and calls the
// handler, which should return within a millisecond: what does not fit the socket's queue is
// dropped and counted by the gaps in the senders' numbers (cordon_telemetry_lost_total). Frames
// that cannot be used are counted (cordon_telemetry_bad_total).
class TelemetrySubscriber {
 public:
  using Handler = std::function<void(const proto::Envelope&)>;

  static absl::StatusOr<std::unique_ptr<TelemetrySubscriber>> Open(const std::string& endpoint,
                                                                   BusContext& context,
                                                                   Handler handler,
                                                                   Metrics& metrics);
  ~TelemetrySubscriber();
  const std::string& endpoint() const;  // as bound

 private:
  class Worker;
  explicit TelemetrySubscriber(std::unique_ptr<Worker> worker);
  std::unique_ptr<Worker> worker_;
};

}  // namespace cordon
