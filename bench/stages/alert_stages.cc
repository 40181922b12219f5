// SPDX-License-Identifier: Apache-2.0
// From the event to the record: outbox commit, wire, the dispatcher's commit with its incident.
// The lane as a whole, with sockets and both commits, is bench_bus.
#include <filesystem>

#include "base/clock.h"
#include "base/metrics.h"
#include "bench/stages/stage.h"
#include "bus/wire.h"
#include "dispatch/dispatcher.h"
#include "tests/support/test_data.h"

namespace cordon::bench {
namespace {

using std::chrono::microseconds;

constexpr size_t kPictureBytes = 60'000;

proto::Alert SomeAlert(UlidGenerator& ids) {
  proto::Alert alert;
  alert.set_id(ids.Next().str());
  alert.set_site_id("site");
  alert.set_producer("node-1");
  alert.set_wall_time_us(ToMicros(SystemClock().Wall()));
  alert.mutable_event()->set_camera_id("yard");
  alert.mutable_event()->set_rule_id("line");
  alert.mutable_event()->set_kind(proto::EVENT_KIND_LINE_CROSSING);
  alert.mutable_event()->set_detail("person crossed from left to right");
  alert.mutable_event()->mutable_place()->set_lat(34);
  alert.mutable_event()->mutable_place()->set_lon(113);
  alert.set_snapshot_jpeg(std::string(kPictureBytes, 's'));
  return alert;
}

void EncodeAndDecodeAnAlertWithItsPicture(benchmark::State& state) {
  UlidGenerator ids(SystemClock());
  proto::OutboxRecord record;
  *record.mutable_alert() = SomeAlert(ids);
  proto::Envelope envelope;
  RunStage(state, microseconds(300), [&] {
    const std::string bytes = record.SerializeAsString();
    proto::Data& data = *envelope.mutable_data();
    data.set_record(bytes);
    data.set_crc32c(wire::Crc32c(bytes));
    const absl::StatusOr<std::string> frame = wire::EncodeFrame(envelope);
    const absl::StatusOr<proto::Envelope> back = wire::DecodeFrame(*frame);
    benchmark::DoNotOptimize(
        wire::DecodeRecord(back->data().record(), back->data().crc32c()));
  });
}
BENCHMARK(EncodeAndDecodeAnAlertWithItsPicture)->Unit(benchmark::kMicrosecond);

// Alert, picture, incident and its step in one transaction, synced.
void CommitAnAlertAtTheDispatcher(benchmark::State& state) {
  const testing::TemporaryFolder folder;
  Metrics metrics;
  UnitBoard board(SystemClock(), metrics, {});
  Dispatcher::Options options;
  options.store_path = folder.File("dispatch.db");
  options.config.set_group_within_m(50);
  options.config.set_group_within_s(60);
  options.config.set_group_longest_s(600);
  const auto dispatcher =
      Need(state, Dispatcher::Start(SystemClock(), metrics, board, std::move(options)));
  if (!dispatcher) return;
  UlidGenerator ids(SystemClock());
  RunStage(state, microseconds(10'000), [&] {
    proto::OutboxRecord record;
    *record.mutable_alert() = SomeAlert(ids);
    const absl::Status status = (*dispatcher)->Deliver([&](sqlite::Connection&) {
      return absl::StatusOr<std::vector<proto::OutboxRecord>>(
          std::vector<proto::OutboxRecord>{record});
    });
    if (!status.ok()) state.SkipWithError("the dispatcher did not commit");
  });
}
BENCHMARK(CommitAnAlertAtTheDispatcher)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace cordon::bench
