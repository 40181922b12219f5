// SPDX-License-Identifier: Apache-2.0
// One side of the alert lane as a process of its own, to be killed by kill_test.cc.
//
//   lane_peer producer OUTBOX ENDPOINT LOG       raises alerts until killed
//   lane_peer drain OUTBOX ENDPOINT LOG          raises nothing; ends when everything is delivered
//   lane_peer consumer DATABASE ENDPOINT FAULT   FAULT: none, no-dedupe, ack-before-commit
//
// LOG gets "try ID" before and "raised ID" after each alert, one write each, so that a kill cuts no
// line short unnoticed.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "absl/synchronization/mutex.h"
#include "base/ids.h"
#include "base/log.h"
#include "bus/alert_inbox.h"
#include "bus/alert_outbox.h"
#include "bus/keys.h"
#include "tests/support/alert_store.h"
#include "tests/support/child_process.h"

namespace cordon {
namespace {

using testing::AlertStore;

// Unfinished raises at once: the dispatcher's commits stay behind, so every kill meets a backlog.
constexpr int kOutstanding = 48;
// Keeps the volume of one test within seconds of replay.
constexpr Milliseconds kPace{2};

void Say(int log, const std::string& line) {
  if (::write(log, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::abort();
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "lane_peer: %s\n", std::string(MessageOf(status)).c_str());
  return 1;
}

int Produce(const std::string& path, const std::string& endpoint, const std::string& log_path,
            bool drain) {
  Metrics metrics;
  auto context = BusContext::Create("node-1", "", metrics);
  if (!context.ok()) return Fail(context.status());
  auto outbox = AlertOutbox::Open(
      {.path = path, .site_id = "site", .producer = "node-1", .endpoint = endpoint}, **context,
      SystemClock(), metrics);
  if (!outbox.ok()) return Fail(outbox.status());
  if (drain) return (*outbox)->WaitUntilDelivered(Seconds(60)) ? 0 : 1;
  const int log = ::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  UlidGenerator ids(SystemClock());
  absl::Mutex mutex;
  int outstanding = 0;  // guarded by mutex
  const auto room = [&outstanding] { return outstanding < kOutstanding; };
  for (uint64_t number = 0;; ++number) {
    const std::string id = ids.Next().str();
    Say(log, "try " + id + "\n");
    proto::OutboxRecord record;
    record.mutable_alert()->set_id(id);
    record.mutable_alert()->mutable_event()->set_detail(std::string(300, 'x'));
    {
      absl::MutexLock lock(&mutex);
      mutex.Await(absl::Condition(&room));
      ++outstanding;
    }
    (*outbox)->RaiseAsync(std::move(record), [&, id](const absl::StatusOr<Raised>& raised) {
      if (raised.ok()) Say(log, "raised " + id + "\n");
      absl::MutexLock lock(&mutex);
      --outstanding;
    });
    if (number % 8 == 0) testing::LetPass(kPace);
  }
}

int Consume(const std::string& path, const std::string& endpoint, const std::string& fault) {
  Metrics metrics;
  auto context = BusContext::Create(kDispatcherName, "", metrics);
  if (!context.ok()) return Fail(context.status());
  auto store = AlertStore::Open(path, SystemClock());
  if (!store.ok()) return Fail(store.status());
  if (fault == "no-dedupe") (*store)->fault = AlertStore::Fault::kNoDedupe;
  if (fault == "ack-before-commit") (*store)->fault = AlertStore::Fault::kAckBeforeCommit;
  auto inbox = AlertInbox::Open({.endpoint = endpoint, .max_batch = 32}, **context, **store,
                                SystemClock(), metrics);
  if (!inbox.ok()) return Fail(inbox.status());
  while (true) ::pause();
}

}  // namespace
}  // namespace cordon

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const std::string role = argv[1];
  cordon::log::Init(role, cordon::log::Format::kText, cordon::log::Level::kCritical);
  if (role == "consumer") return cordon::Consume(argv[2], argv[3], argv[4]);
  return cordon::Produce(argv[2], argv[3], argv[4], role == "drain");
}
