// SPDX-License-Identifier: Apache-2.0
// Both state machines of the alert lane against a hostile network in one thread: everything follows
// from the seed, which is printed when a promise breaks. CORDON_SEEDS=N runs more; CORDON_SEED=S
// runs one.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <random>

#include "absl/strings/str_join.h"
#include "base/ids.h"
#include "base/log.h"
#include "bus/inbox_session.h"
#include "bus/outbox_session.h"
#include "bus/wire.h"
#include "tests/support/alert_store.h"
#include "tests/support/lane_history.h"
#include "tests/support/test_data.h"

namespace cordon {
namespace {

using testing::AlertStore;
using testing::LaneHistory;

// What a producer's disk holds; survives its crashes.
class MemoryOutbox final : public OutboxRows {
 public:
  absl::StatusOr<std::vector<OutboxRow>> ReadAfter(uint64_t sequence, size_t most) override {
    std::vector<OutboxRow> found;
    for (const OutboxRow& row : rows)
      if (row.sequence > sequence && found.size() < most) found.push_back(row);
    return found;
  }
  std::deque<OutboxRow> rows;
  uint64_t last = 0;
  uint64_t acknowledged = 0;  // as pruned; may be behind what the session knew
  uint64_t epoch = 0;
};

// How likely each misfortune is, of 1000.
struct Weather {
  int drop = 30, repeat = 40, corrupt = 10, late = 150, disk_full = 20;
  int break_link = 8, crash_producer = 6, crash_dispatcher = 6, crash_between_commit_and_ack = 15,
      partition = 4;
};

class Lane {
 public:
  Lane(uint64_t seed, const std::string& folder, AlertStore::Fault fault)
      : random_(seed), ids_(clock_, seed), path_(folder + "/lane.db"), fault_(fault) {
    OpenStore();
    StartProducer();
    StartDispatcher();
  }

  // A stretch of work in bad weather, then calm until everything is through.
  std::vector<std::string> Run() {
    for (int step = 0; step < 400; ++step) {
      Misfortune();
      if (Chance(200)) Raise();
      Step(Milliseconds(random_() % 40));
    }
    weather_ = Weather{0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    partitioned_until_ = clock_.Boot();
    if (!linked_) Link();
    // A minute of calm is far more than three reconnects and a resend.
    for (int step = 0; step < 6000 && session_->acknowledged() < outbox_.last; ++step)
      Step(Milliseconds(10));
    return testing::BrokenPromises(History());
  }
  uint64_t raised() const { return outbox_.last; }

 private:
  struct Letter {
    BootTime due;
    std::string frame;
  };

  bool Chance(int of_thousand) { return static_cast<int>(random_() % 1000) < of_thousand; }

  void OpenStore() {
    auto store = AlertStore::Open(path_, clock_);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
    store_->fault = fault_;
  }

  void StartProducer() {
    ++outbox_.epoch;
    uuid_.assign(16, 'u');
    uuid_.back() = static_cast<char>('a' + outbox_.epoch % 26);
    session_ = std::make_unique<OutboxSession>(
        OutboxIdentity{"site", "node-1", std::string(16, 'L'), outbox_.epoch, uuid_}, outbox_,
        outbox_.acknowledged, outbox_.last);
    Unlink();
  }

  void StartDispatcher() {
    inbox_ = std::make_unique<InboxSession>(*store_, clock_, metrics_);
    Unlink();
  }

  void Unlink() {
    linked_ = false;
    to_dispatcher_.clear();
    to_producer_.clear();
    session_->OnDisconnected();
  }

  void Link() {
    linked_ = true;
    peer_ = "peer-" + std::to_string(++connections_);
    session_->OnConnected(clock_.Boot());
  }

  void Misfortune() {
    if (Chance(weather_.break_link)) Unlink();
    if (Chance(weather_.crash_producer)) StartProducer();
    if (Chance(weather_.crash_dispatcher)) CrashDispatcher();
    if (Chance(weather_.partition))
      partitioned_until_ = clock_.Boot() + Milliseconds(random_() % 8000);
    if (!linked_ && Chance(300)) Link();
  }

  // The file stays; what a broken dispatcher only held in memory goes.
  void CrashDispatcher() {
    if (fault_ == AlertStore::Fault::kAckBeforeCommit) {
      store_.reset();
      OpenStore();
    }
    StartDispatcher();
  }

  void Raise() {
    for (uint64_t count = 1 + random_() % 5; count > 0; --count) {
      proto::OutboxRecord record;
      proto::Alert& alert = *record.mutable_alert();
      alert.set_id(ids_.Next().str());
      alert.set_site_id("site");
      alert.set_producer("node-1");
      alert.set_epoch(outbox_.epoch);
      alert.set_sequence(++outbox_.last);
      const std::string bytes = record.SerializeAsString();
      outbox_.rows.push_back({outbox_.last, outbox_.epoch, wire::Crc32c(bytes), 0, bytes});
      raised_.insert(alert.id());
    }
    session_->OnCommitted(outbox_.last);
  }

  void Post(std::deque<Letter>& box, const proto::Envelope& envelope) {
    if (Chance(weather_.drop) || clock_.Boot() < partitioned_until_) return;
    std::string frame = *wire::EncodeFrame(envelope);
    if (Chance(weather_.corrupt))
      frame[random_() % frame.size()] ^= static_cast<char>(1 << (random_() % 8));
    const auto due = [&] {
      return clock_.Boot() + Milliseconds(1 + (Chance(weather_.late) ? random_() % 500 : 0));
    };
    box.push_back({due(), frame});
    if (Chance(weather_.repeat)) box.push_back({due(), std::move(frame)});
  }

  std::vector<std::string> Arrived(std::deque<Letter>& box) {
    std::vector<std::string> frames;
    for (Letter& letter : box)
      if (letter.due <= clock_.Boot()) frames.push_back(std::move(letter.frame));
    std::erase_if(box, [&](const Letter& letter) { return letter.due <= clock_.Boot(); });
    return frames;
  }

  void Step(Milliseconds by) {
    clock_.Advance(by);
    const BootTime now = clock_.Boot();
    for (const std::string& frame : Arrived(to_producer_))
      if (const auto envelope = wire::DecodeFrame(frame); envelope.ok())
        session_->OnEnvelope(*envelope, now);
    const absl::Status pumped = session_->Pump(now, [&](const proto::Envelope& envelope) {
      if (linked_) Post(to_dispatcher_, envelope);
      return linked_;
    });
    ASSERT_TRUE(pumped.ok()) << pumped;
    if (session_->lost(now)) Unlink();
    if (!linked_ && weather_.break_link == 0) Link();
    Prune();
    Dispatch();
  }

  void Prune() {
    if (!Chance(100)) return;
    outbox_.acknowledged = session_->acknowledged();
    while (!outbox_.rows.empty() && outbox_.rows.front().sequence <= outbox_.acknowledged)
      outbox_.rows.pop_front();
  }

  void Dispatch() {
    const bool full = Chance(weather_.disk_full);
    ASSERT_TRUE(store_->connection()
                    .Execute(full ? "PRAGMA max_page_count=1" : "PRAGMA max_page_count=1000000")
                    .ok());
    for (const std::string& frame : Arrived(to_dispatcher_)) {
      const absl::Status status = inbox_->OnFrame(peer_, "", frame);
      ASSERT_TRUE(status.ok()) << status;
    }
    const absl::Status flushed = inbox_->Flush();
    ASSERT_TRUE(flushed.ok()) << flushed;
    if (Chance(weather_.crash_between_commit_and_ack)) return CrashDispatcher();
    for (const InboxSession::Outgoing& answer : inbox_->TakeOutgoing())
      if (linked_ && answer.peer == peer_) Post(to_producer_, answer.envelope);
  }

  LaneHistory History() {
    return {raised_, raised_, AlertStore::Effects(path_), outbox_.last,
            *store_->ledger().DurableSequence({"site", "node-1", std::string(16, 'L')})};
  }

  std::mt19937_64 random_;
  SimulatedClock clock_;
  UlidGenerator ids_;
  Metrics metrics_;
  const std::string path_;
  const AlertStore::Fault fault_;
  Weather weather_;
  MemoryOutbox outbox_;
  std::string uuid_;
  std::set<std::string> raised_;
  std::unique_ptr<AlertStore> store_;
  std::unique_ptr<OutboxSession> session_;
  std::unique_ptr<InboxSession> inbox_;
  bool linked_ = false;
  int connections_ = 0;
  std::string peer_;
  BootTime partitioned_until_{};
  std::deque<Letter> to_dispatcher_, to_producer_;
};

// On memory where there is such a folder: thousands of databases are made.
std::string FastFolder() { return ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"; }

std::vector<std::string> RunSeed(uint64_t seed, AlertStore::Fault fault,
                                 uint64_t* raised = nullptr) {
  std::string pattern = FastFolder() + "/cordon-lane-XXXXXX";
  const std::string folder = ::mkdtemp(pattern.data());
  std::vector<std::string> broken;
  {
    Lane lane(seed, folder, fault);
    broken = lane.Run();
    if (raised != nullptr) *raised += lane.raised();
  }
  std::filesystem::remove_all(folder);
  return broken;
}

uint64_t NumberFrom(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class LaneSimulation : public ::testing::Test {
 protected:
  void SetUp() override { log::Init("simulation", log::Format::kText, log::Level::kCritical); }
};

TEST_F(LaneSimulation, EveryPromiseHoldsInEveryWeather) {
  const uint64_t only = NumberFrom("CORDON_SEED", 0);
  const uint64_t first = only != 0 ? only : 1;
  const uint64_t last = only != 0 ? only : NumberFrom("CORDON_SEEDS", 300);
  uint64_t raised = 0;
  for (uint64_t seed = first; seed <= last; ++seed) {
    const auto broken = RunSeed(seed, AlertStore::Fault::kNone, &raised);
    ASSERT_TRUE(broken.empty()) << "CORDON_SEED=" << seed << "\n" << absl::StrJoin(broken, "\n");
  }
  std::printf("%llu seeds, %llu alerts\n", static_cast<unsigned long long>(last - first + 1),
              static_cast<unsigned long long>(raised));
}

// Canaries: a lane that is broken on purpose must be caught, or the test above proves nothing.
size_t SeedsThatCatch(AlertStore::Fault fault, const std::string& word) {
  size_t caught = 0;
  for (uint64_t seed = 1; seed <= 30; ++seed)
    for (const std::string& sentence : RunSeed(seed, fault))
      if (sentence.starts_with(word)) {
        ++caught;
        break;
      }
  return caught;
}

TEST_F(LaneSimulation, CanaryALaneThatAcknowledgesBeforeItCommitsIsCaught) {
  EXPECT_GT(SeedsThatCatch(AlertStore::Fault::kAckBeforeCommit, "lost"), 5u);
}

TEST_F(LaneSimulation, CanaryALaneWithoutDedupeIsCaught) {
  EXPECT_GT(SeedsThatCatch(AlertStore::Fault::kNoDedupe, "twice"), 5u);
}

}  // namespace
}  // namespace cordon
