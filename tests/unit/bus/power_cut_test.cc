// SPDX-License-Identifier: Apache-2.0
// Power cuts at every kind of moment: what the outbox called raised, and what the dispatcher
// acknowledged, is there when the power is back. Un-synced writes survive at random, in part, out
// of order. CORDON_SEEDS=N runs more.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "base/clock.h"
#include "base/ids.h"
#include "bus/outbox_store.h"
#include "bus/wire.h"
#include "tests/support/alert_store.h"
#include "tests/support/power_cut_vfs.h"
#include "tests/support/test_data.h"

namespace cordon {
namespace {

using testing::AlertStore;
using testing::PowerCutVfs;

uint64_t Seeds() {
  const char* text = std::getenv("CORDON_SEEDS");
  return text == nullptr ? 60 : std::strtoull(text, nullptr, 10);
}

std::string Integrity(const std::string& path) {
  auto db = sqlite::Connection::Open(path, sqlite::Connection::Mode::kReadWrite);
  if (!db.ok()) return std::string(MessageOf(db.status()));
  auto query = (*db)->Prepare("PRAGMA integrity_check");
  if (!query.ok()) return std::string(MessageOf(query.status()));
  const auto row = query->Step();
  return row.ok() && *row ? std::string(query->Text(0)) : "no answer";
}

TEST(PowerCut, WhatWasRaisedIsInTheOutboxWhenThePowerIsBack) {
  for (uint64_t seed = 1; seed <= Seeds(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const testing::TemporaryFolder folder;
    std::mt19937_64 random(seed);
    PowerCutVfs vfs(seed);
    SimulatedClock clock;
    uint64_t raised = 0, acknowledged = 0;
    for (int life = 0; life < 4; ++life) {
      {
        auto store = OutboxStore::Open(folder.File("o.db"), "site", "node-1");
        ASSERT_TRUE(store.ok()) << store.status();
        ASSERT_GE((*store)->last_sequence(), raised) << "a number that was given is given again";
        auto reader = OutboxReader::Open(folder.File("o.db"));
        ASSERT_TRUE(reader.ok()) << reader.status();
        const auto rows = (*reader)->ReadAfter(acknowledged, 100'000);
        ASSERT_TRUE(rows.ok()) << rows.status();
        uint64_t expected = acknowledged;
        for (const OutboxRow& row : *rows) {
          ASSERT_EQ(row.sequence, ++expected);
          ASSERT_EQ(wire::Crc32c(row.bytes), row.crc32c);
        }
        ASSERT_GE(expected, raised) << "a raised alert is gone";
        vfs.CutAfter(random() % 120);
        while (!vfs.is_cut()) {
          std::vector<proto::OutboxRecord> records(1 + random() % 5);
          for (auto& record : records)
            record.mutable_alert()->mutable_event()->set_detail(std::string(random() % 9000, 'x'));
          if (random() % 4 == 0) acknowledged = raised;
          const absl::Status status = (*store)->Commit(records, acknowledged, clock);
          if (!status.ok()) break;
          raised = (*store)->last_sequence();
        }
      }
      vfs.SwitchOn();
    }
    EXPECT_EQ(Integrity(folder.File("o.db")), "ok");
  }
}

TEST(PowerCut, WhatWasAcknowledgedIsInTheDispatcherWhenThePowerIsBack) {
  for (uint64_t seed = 1; seed <= Seeds(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const testing::TemporaryFolder folder;
    const std::string path = folder.File("d.db");
    std::mt19937_64 random(seed);
    PowerCutVfs vfs(seed);
    SimulatedClock clock;
    UlidGenerator ids(clock, seed);
    std::set<std::string> acknowledged;
    const ProducerKey key{"site", "node-1", std::string(16, 'L')};
    for (int life = 0; life < 4; ++life) {
      {
        auto store = AlertStore::Open(path, clock);
        ASSERT_TRUE(store.ok()) << store.status();
        const auto greeting = (*store)->Greet({key, 1, std::string(16, 'u'), 1, 1'000'000});
        ASSERT_TRUE(greeting.ok()) << greeting.status();
        const auto effects = AlertStore::Effects(path);
        const std::set<std::string> present(effects.begin(), effects.end());
        EXPECT_EQ(present.size(), effects.size()) << "twice";
        EXPECT_EQ(greeting->durable_sequence, effects.size()) << "effect and cursor are one commit";
        for (const std::string& id : acknowledged)
          ASSERT_TRUE(present.contains(id)) << id << " was acknowledged";
        vfs.CutAfter(random() % 120);
        uint64_t sequence = greeting->durable_sequence;
        while (!vfs.is_cut()) {
          std::vector<InboxRecord> batch(1 + random() % 6);
          for (InboxRecord& record : batch) {
            record.producer = key;
            record.sequence = ++sequence;
            record.record.mutable_alert()->set_id(ids.Next().str());
            record.bytes = record.record.SerializeAsString();
          }
          if (!(*store)->Commit(batch).ok()) break;
          for (const InboxRecord& record : batch) acknowledged.insert(record.record.alert().id());
        }
      }
      vfs.SwitchOn();
    }
    EXPECT_EQ(Integrity(path), "ok");
  }
}

// The shim must be able to find what it looks for: without syncs, acknowledged rows do get lost.
TEST(PowerCut, CanaryWithoutSyncsAcknowledgedAlertsAreLost) {
  int lost = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const testing::TemporaryFolder folder;
    PowerCutVfs vfs(seed);
    SimulatedClock clock;
    uint64_t raised = 0;
    {
      auto store = OutboxStore::Open(folder.File("o.db"), "site", "node-1");
      ASSERT_TRUE(store.ok());
      ASSERT_TRUE((*store)->connection().Execute("PRAGMA synchronous=OFF").ok());
      vfs.CutAfter(60);
      while (!vfs.is_cut()) {
        std::vector<proto::OutboxRecord> records(1);
        records[0].mutable_alert()->set_site_id("site");
        if (!(*store)->Commit(records, 0, clock).ok()) break;
        raised = (*store)->last_sequence();
      }
    }
    vfs.SwitchOn();
    auto store = OutboxStore::Open(folder.File("o.db"), "site", "node-1");
    if (!store.ok() || (*store)->last_sequence() < raised) ++lost;
  }
  EXPECT_GT(lost, 5);
}

TEST(PowerCut, AFailedSyncFailsTheCommitAndTheRowsAreNotPromised) {
  const testing::TemporaryFolder folder;
  PowerCutVfs vfs(1);
  SimulatedClock clock;
  auto store = OutboxStore::Open(folder.File("o.db"), "site", "node-1");
  ASSERT_TRUE(store.ok());
  std::vector<proto::OutboxRecord> records(1);
  records[0].mutable_alert()->set_site_id("site");
  ASSERT_TRUE((*store)->Commit(records, 0, clock).ok());
  vfs.FailNextSync();
  const absl::Status status = (*store)->Commit(records, 0, clock);
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal) << status;
  EXPECT_EQ((*store)->last_sequence(), 1u);
  EXPECT_EQ(vfs.syncs_after_failure(), 0u) << "a failed sync is not tried again";
}

}  // namespace
}  // namespace cordon
