// SPDX-License-Identifier: Apache-2.0
// kill -9 of either side of the alert lane under backlog, with real processes, sockets and files.
// The kill times come from a seed, which is printed. CORDON_KILLS=N and CORDON_SEED=S make it a
// soak.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include "absl/strings/str_join.h"
#include "base/clock.h"
#include "base/log.h"
#include "bus/alert_outbox.h"
#include "bus/inbox_ledger.h"
#include "tests/support/alert_store.h"
#include "tests/support/child_process.h"
#include "tests/support/lane_history.h"
#include "tests/support/test_data.h"

namespace cordon {
namespace {

using testing::AlertStore;
using testing::ChildProcess;
using testing::LaneHistory;

uint64_t NumberFrom(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

int64_t QueryNumber(const std::string& path, const std::string& sql) {
  auto db = sqlite::Connection::Open(path, sqlite::Connection::Mode::kReadOnly);
  if (!db.ok()) return -1;
  auto query = (*db)->Prepare(sql);
  if (!query.ok()) return -1;
  const auto row = query->Step();
  return row.ok() && *row ? query->Int(0) : -1;
}

class Lane {
 public:
  explicit Lane(std::string fault)
      : fault_(std::move(fault)), producer_(Producer()), consumer_(Consumer()) {}

  // One kill of one side at a random moment of its work; the other goes on.
  void KillOne(std::mt19937_64& random) {
    AwaitWork();
    testing::LetPass(Milliseconds(1 + random() % 120));
    backlog_at_kills_ += AwaitBacklog() ? 1 : 0;
    if (random() % 2 == 0) {
      producer_.Kill();
      producer_ = Producer();
    } else {
      consumer_.Kill();
      consumer_ = Consumer();
    }
  }

  void KillBoth(std::mt19937_64& random) {
    AwaitWork();
    testing::LetPass(Milliseconds(random() % 100));
    producer_.Kill();
    consumer_.Kill();
    producer_ = Producer();
    consumer_ = Consumer();
  }

  // No more alerts; what is in the outbox goes through.
  LaneHistory Finish() {
    producer_.Kill();
    ChildProcess drain({CORDON_LANE_PEER, "drain", Outbox(), Endpoint(), Log()});
    EXPECT_EQ(drain.Wait(), 0) << "the backlog went through";
    consumer_.Kill();
    LaneHistory history;
    std::ifstream log(Log());
    for (std::string line; std::getline(log, line);) {
      if (line.starts_with("try ")) history.tried.insert(line.substr(4));
      if (line.starts_with("raised ")) history.raised.insert(line.substr(7));
    }
    history.effects = AlertStore::Effects(Database());
    history.last_sequence =
        static_cast<uint64_t>(QueryNumber(Outbox(), "SELECT last_sequence FROM outbox_state"));
    history.durable_sequence =
        static_cast<uint64_t>(QueryNumber(Database(), "SELECT durable FROM inbox_producers"));
    return history;
  }

  int backlog_at_kills() const { return backlog_at_kills_; }
  int64_t epochs() const { return QueryNumber(Outbox(), "SELECT epoch FROM outbox_state"); }
  int64_t out_of_order() const {
    return QueryNumber(Database(),
                       "SELECT count(*) FROM effects a, effects b WHERE b.n = a.n + 1 AND "
                       "b.sequence <= a.sequence");
  }
  std::string integrity() const {
    for (const std::string& path : {Outbox(), Database()}) {
      auto db = sqlite::Connection::Open(path, sqlite::Connection::Mode::kReadOnly);
      if (!db.ok()) return std::string(MessageOf(db.status()));
      auto query = (*db)->Prepare("PRAGMA integrity_check");
      if (!query.ok() || !*query->Step() || query->Text(0) != "ok") return path + " is damaged";
    }
    return "ok";
  }

 private:
  std::string Outbox() const { return folder_.File("outbox.db"); }
  std::string Database() const { return folder_.File("dispatch.db"); }
  std::string Log() const { return folder_.File("history.log"); }
  std::string Endpoint() const { return "ipc://" + folder_.File("alerts.sock"); }
  ChildProcess Producer() const {
    return ChildProcess({CORDON_LANE_PEER, "producer", Outbox(), Endpoint(), Log()});
  }
  ChildProcess Consumer() const {
    return ChildProcess({CORDON_LANE_PEER, "consumer", Database(), Endpoint(), fault_});
  }
  // Until both sides have done something since the last kill: killing a process that only starts
  // proves little.
  void AwaitWork() {
    std::error_code missing;
    const auto size = [&] {
      return std::filesystem::exists(Log()) ? std::filesystem::file_size(Log(), missing) : 0;
    };
    const BootTime give_up = SystemClock().Boot() + Seconds(10);
    while ((size() <= log_size_ || Durable() <= durable_) && SystemClock().Boot() < give_up)
      testing::LetPass(Milliseconds(2));
    log_size_ = size();
    durable_ = Durable();
  }
  // A kill in a gap, with everything delivered, proves nothing.
  bool AwaitBacklog() const {
    const BootTime give_up = SystemClock().Boot() + Seconds(10);
    while (Backlog() <= 0)
      if (SystemClock().Boot() > give_up) return false;
    return true;
  }
  int64_t Durable() const {
    return QueryNumber(Database(), "SELECT max(durable) FROM inbox_producers");
  }
  int64_t Backlog() const {
    const int64_t last = QueryNumber(Outbox(), "SELECT last_sequence FROM outbox_state");
    return last - std::max<int64_t>(Durable(), 0);
  }

  const testing::TemporaryFolder folder_;
  const std::string fault_;
  ChildProcess producer_;
  ChildProcess consumer_;
  int backlog_at_kills_ = 0;
  uintmax_t log_size_ = 0;
  int64_t durable_ = 0;
};

TEST(KillTest, FiftyKillsOfEitherSideLoseNothingAndRepeatNothing) {
  const uint64_t seed = NumberFrom("CORDON_SEED", std::random_device{}());
  const uint64_t kills = NumberFrom("CORDON_KILLS", 60);
  SCOPED_TRACE("CORDON_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  Lane lane("none");
  for (uint64_t kill = 0; kill < kills; ++kill) lane.KillOne(random);
  const LaneHistory history = lane.Finish();
  const auto broken = testing::BrokenPromises(history);
  EXPECT_TRUE(broken.empty()) << absl::StrJoin(broken, "\n");
  EXPECT_EQ(lane.integrity(), "ok");
  EXPECT_EQ(lane.out_of_order(), 0) << "per producer the order is kept";
  EXPECT_GT(lane.epochs(), 5);
  EXPECT_EQ(lane.backlog_at_kills(), static_cast<int>(kills));
  std::printf(
      "seed %llu: %llu kills (%d with backlog), %zu alerts raised, %zu tried, %zu effects\n",
      static_cast<unsigned long long>(seed), static_cast<unsigned long long>(kills),
      lane.backlog_at_kills(), history.raised.size(), history.tried.size(), history.effects.size());
}

TEST(KillTest, KillingEverythingTogetherLosesNothing) {
  const uint64_t seed = NumberFrom("CORDON_SEED", std::random_device{}());
  SCOPED_TRACE("CORDON_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  Lane lane("none");
  for (int kill = 0; kill < 15; ++kill) {
    lane.KillBoth(random);
  }
  const auto broken = testing::BrokenPromises(lane.Finish());
  EXPECT_TRUE(broken.empty()) << absl::StrJoin(broken, "\n");
  EXPECT_EQ(lane.integrity(), "ok");
}

// Canaries: these lanes are broken on purpose. If they pass, the checker or the kills are worth
// nothing.
bool Caught(const std::string& fault, const std::string& word) {
  std::mt19937_64 random(7);
  for (int attempt = 0; attempt < 4; ++attempt) {
    Lane lane(fault);
    for (int kill = 0; kill < 10; ++kill) lane.KillOne(random);
    for (const std::string& sentence : testing::BrokenPromises(lane.Finish()))
      if (sentence.starts_with(word)) return true;
  }
  return false;
}

TEST(KillTest, CanaryADispatcherThatAcknowledgesBeforeItCommitsIsCaught) {
  EXPECT_TRUE(Caught("ack-before-commit", "lost"));
}

TEST(KillTest, CanaryADispatcherWithoutDedupeIsCaught) {
  EXPECT_TRUE(Caught("no-dedupe", "twice"));
}

// A stopped process keeps its sockets open and answers nothing: what a partition looks like from
// the other side.
TEST(PartitionTest, ASilentDispatcherIsNoticedWithinFourSecondsAndServedAfterwards) {
  log::Init("test", log::Format::kText, log::Level::kError);
  const testing::TemporaryFolder folder;
  const std::string endpoint = "ipc://" + folder.File("alerts.sock");
  ChildProcess consumer(
      {CORDON_LANE_PEER, "consumer", folder.File("dispatch.db"), endpoint, "none"});
  Metrics metrics;
  auto context = BusContext::Create("node-1", "", metrics);
  auto outbox = AlertOutbox::Open({.path = folder.File("outbox.db"),
                                   .site_id = "site",
                                   .producer = "node-1",
                                   .endpoint = endpoint},
                                  **context, SystemClock(), metrics);
  ASSERT_TRUE(outbox.ok()) << outbox.status();
  const auto wait_for = [&](bool connected, Milliseconds most) {
    const BootTime began = SystemClock().Boot();
    while ((*outbox)->status().connected != connected && SystemClock().Boot() - began < most)
      std::this_thread::yield();
    return SystemClock().Boot() - began;
  };
  proto::OutboxRecord record;
  record.mutable_alert()->mutable_event()->set_kind(proto::EVENT_KIND_TEST);
  ASSERT_LT(wait_for(true, Seconds(15)), Seconds(15));
  consumer.Signal(SIGSTOP);
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE((*outbox)->Raise(record).ok()) << "raising does not wait for the network";
  const auto noticed = wait_for(false, Seconds(10));
  EXPECT_LE(noticed, Milliseconds(4500));
  consumer.Signal(SIGCONT);
  EXPECT_TRUE((*outbox)->WaitUntilDelivered(Seconds(15)));
  EXPECT_EQ(AlertStore::Effects(folder.File("dispatch.db")).size(), 20u);
  std::printf("noticed after %.1f s\n", std::chrono::duration<double>(noticed).count());
}

}  // namespace
}  // namespace cordon
