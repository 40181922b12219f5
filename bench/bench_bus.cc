// SPDX-License-Identifier: Apache-2.0
// The durable alert lane with both commits at synchronous=FULL, real files and sockets, one
// process:
//
//   bench_bus [FOLDER] [--json]     FOLDER is on the disk to be measured; default: the temporary
//   folder
//
// latency: 300 alerts a second; throughput: as fast as they can be raised; catch-up: a backlog of
// 20,000.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "base/log.h"
#include "bus/alert_inbox.h"
#include "bus/alert_outbox.h"
#include "bus/keys.h"
#include "tests/support/alert_store.h"

namespace cordon {
namespace {

using testing::AlertStore;

constexpr int kLatencyAlerts = 3000;
constexpr auto kPace = Microseconds(3333);
constexpr size_t kDetailBytes = 500;

struct Quantiles {
  double p50 = 0, p95 = 0, p99 = 0, max = 0;
};

Quantiles Of(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    return values[std::min(values.size() - 1,
                           static_cast<size_t>(share * static_cast<double>(values.size())))];
  };
  return {at(0.5), at(0.95), at(0.99), values.back()};
}

double Millis(Nanoseconds duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

proto::OutboxRecord SomeAlert(size_t snapshot_bytes) {
  proto::OutboxRecord record;
  record.mutable_alert()->mutable_event()->set_camera_id("gate");
  record.mutable_alert()->mutable_event()->set_detail(std::string(kDetailBytes, 'x'));
  record.mutable_alert()->set_snapshot_jpeg(std::string(snapshot_bytes, 's'));
  return record;
}

void Require(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "bench_bus: %s\n", std::string(MessageOf(status)).c_str());
  std::exit(1);
}

template <class T>
T Must(absl::StatusOr<T> value) {
  Require(value.status());
  return *std::move(value);
}

struct Case {
  const char* name;
  bool keys;
  size_t snapshot_bytes;
  int burst;  // alerts
};

// One producer and one dispatcher, in a folder of their own.
class Lane {
 public:
  Lane(const std::string& folder, const Case& what) : folder_(folder), what_(what) {
    std::filesystem::create_directories(folder_);
    if (what.keys) {
      Require(GenerateKeyFiles(Keys(), kDispatcherName));
      Require(GenerateKeyFiles(Keys(), "node-1"));
    }
    dispatch_ = Must(BusContext::Create(kDispatcherName, Keys(), metrics_));
    node_ = Must(BusContext::Create("node-1", Keys(), metrics_));
    store_ = Must(AlertStore::Open(folder_ + "/dispatch.db", SystemClock()));
    store_->AfterCommit([this](std::span<InboxRecord> records) {
      const BootTime now = SystemClock().Boot();
      for (const InboxRecord& record : records)
        delivery_ms_.push_back(
            Millis(now - BootFromNanos(record.record.alert().stages().committed_ns())));
    });
  }

  void StartDispatcher() {
    inbox_ = Must(AlertInbox::Open({.endpoint = endpoint_.empty() ? Endpoint() : endpoint_},
                                   *dispatch_, *store_, SystemClock(), metrics_));
    endpoint_ = inbox_->endpoint();
  }
  void StopDispatcher() { inbox_.reset(); }
  void StartProducer() {
    outbox_ = Must(AlertOutbox::Open({.path = folder_ + "/outbox.db",
                                      .site_id = "site",
                                      .producer = "node-1",
                                      .endpoint = endpoint_},
                                     *node_, SystemClock(), metrics_));
  }
  AlertOutbox& outbox() { return *outbox_; }
  proto::OutboxRecord Alert() const { return SomeAlert(what_.snapshot_bytes); }
  std::vector<double> TakeDeliveries() { return std::exchange(delivery_ms_, {}); }

  // Raises so many as fast as the outbox takes them; returns when all are durable.
  void Burst(int count) {
    std::atomic<int> open = 0;
    for (int i = 0; i < count; ++i) {
      while (open >= 512) std::this_thread::yield();
      ++open;
      outbox_->RaiseAsync(Alert(), [&open](const absl::StatusOr<Raised>& raised) {
        Require(raised.status());
        --open;
      });
    }
    while (open > 0) std::this_thread::yield();
  }
  void Deliver() {
    if (!outbox_->WaitUntilDelivered(Seconds(120)))
      Require(absl::DeadlineExceededError("not delivered within 120 s"));
  }

 private:
  std::string Keys() const { return what_.keys ? folder_ + "/keys" : ""; }
  std::string Endpoint() const {
    return what_.keys ? "tcp://127.0.0.1:0" : "ipc://" + folder_ + "/alerts.sock";
  }

  const std::string folder_;
  const Case what_;
  Metrics metrics_;
  std::string endpoint_;
  std::vector<double> delivery_ms_;  // only on the inbox's thread while it runs
  std::unique_ptr<BusContext> dispatch_, node_;
  std::unique_ptr<AlertStore> store_;
  std::unique_ptr<AlertInbox> inbox_;
  std::unique_ptr<AlertOutbox> outbox_;
};

struct Result {
  Quantiles raise_ms, delivery_ms;
  double raised_per_s = 0, delivered_per_s = 0, catch_up_per_s = 0;
};

Result Measure(const std::string& folder, const Case& what) {
  Result result;
  Lane lane(folder, what);
  lane.StartDispatcher();
  lane.StartProducer();
  Require(lane.outbox().Raise(lane.Alert()).status());
  lane.Deliver();

  std::vector<double> raise_ms;
  for (int i = 0; i < kLatencyAlerts; ++i) {
    const BootTime began = SystemClock().Boot();
    Require(lane.outbox().Raise(lane.Alert()).status());
    const auto took = SystemClock().Boot() - began;
    raise_ms.push_back(Millis(took));
    if (took < kPace) std::this_thread::sleep_for(kPace - took);
  }
  lane.Deliver();
  lane.StopDispatcher();  // joins: the deliveries are ours to read
  result.raise_ms = Of(raise_ms);
  result.delivery_ms = Of(lane.TakeDeliveries());

  lane.StartDispatcher();
  const BootTime burst = SystemClock().Boot();
  lane.Burst(what.burst);
  result.raised_per_s = what.burst / (Millis(SystemClock().Boot() - burst) / 1000);
  lane.Deliver();
  result.delivered_per_s = what.burst / (Millis(SystemClock().Boot() - burst) / 1000);

  lane.StopDispatcher();
  lane.Burst(what.burst);
  const BootTime back = SystemClock().Boot();
  lane.StartDispatcher();
  lane.Deliver();
  result.catch_up_per_s = what.burst / (Millis(SystemClock().Boot() - back) / 1000);
  return result;
}

void Print(const Case& what, const Result& r, bool json) {
  if (json) {
    std::printf(
        "{\"case\": \"%s\", \"raise_ms\": {\"p50\": %.3f, \"p95\": %.3f, \"p99\": %.3f, \"max\": "
        "%.3f}, "
        "\"delivery_ms\": {\"p50\": %.3f, \"p95\": %.3f, \"p99\": %.3f, \"max\": %.3f}, "
        "\"raised_per_s\": %.0f, "
        "\"delivered_per_s\": %.0f, \"catch_up_per_s\": %.0f}\n",
        what.name, r.raise_ms.p50, r.raise_ms.p95, r.raise_ms.p99, r.raise_ms.max,
        r.delivery_ms.p50, r.delivery_ms.p95, r.delivery_ms.p99, r.delivery_ms.max, r.raised_per_s,
        r.delivered_per_s, r.catch_up_per_s);
    return;
  }
  std::printf("%s\n", what.name);
  std::printf("  raise until durable         p50 %7.2f  p95 %7.2f  p99 %7.2f  max %7.2f ms\n",
              r.raise_ms.p50, r.raise_ms.p95, r.raise_ms.p99, r.raise_ms.max);
  std::printf(
      "  commit to delivered         p50 %7.2f  p95 %7.2f  p99 %7.2f  max %7.2f ms   budget: p50 "
      "5, p99 25\n",
      r.delivery_ms.p50, r.delivery_ms.p95, r.delivery_ms.p99, r.delivery_ms.max);
  std::printf("  raised                      %8.0f /s\n", r.raised_per_s);
  std::printf(
      "  raised and delivered        %8.0f /s                                    budget: 1000 "
      "(burst 5000)\n",
      r.delivered_per_s);
  std::printf(
      "  catch-up of a backlog        %8.0f /s                                    budget: 5000\n",
      r.catch_up_per_s);
}

}  // namespace
}  // namespace cordon

int main(int argc, char** argv) {
  using namespace cordon;
  std::string folder;
  bool json = false;
  for (int i = 1; i < argc; ++i)
    std::strcmp(argv[i], "--json") == 0 ? void(json = true) : void(folder = argv[i]);
  log::Init("bench", log::Format::kText, log::Level::kError);
  if (folder.empty()) folder = std::filesystem::temp_directory_path().string();
  const Case cases[] = {{"ipc, 0.6 kB", false, 0, 20'000},
                        {"ipc, 40 kB snapshot", false, 40'000, 4000},
                        {"tcp with keys, 0.6 kB", true, 0, 20'000}};
  int number = 0;
  for (const Case& what : cases) {
    const std::string own =
        folder + "/cordon-bench-" + std::to_string(::getpid()) + "-" + std::to_string(++number);
    Print(what, Measure(own, what), json);
    std::filesystem::remove_all(own);
  }
}
