// SPDX-License-Identifier: Apache-2.0
// `cordon deletions` over logs that a node and a dispatcher wrote.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "bus/outbox_pictures.h"
#include "bus/outbox_store.h"
#include "dispatch/event_store.h"
#include "ingest/evidence_store.h"
#include "tests/support/run_cordon.h"
#include "tests/support/test_data.h"

namespace cordon::testing {
namespace {

using ::testing::HasSubstr;

class DeletionsCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::getenv("CORDON_BINARY") == nullptr)
      FAIL() << "CORDON_BINARY is not set (ctest sets it)";
    std::ofstream(Site()) << "id: test\ndispatch: {roads: demo}\ndata_dir: " << folder_.File("data")
                          << "\ncameras:\n  - {id: gate, url: rtsp://192.0.2.1/, lat: 41, lon: -8, "
                             "purpose: test, retention_hours: 1}\n";
  }
  std::string Site() const { return folder_.File("site.yaml"); }

  // A clip that expired and one that its hold kept, a picture, and one that a node which is gone
  // could not deliver.
  void WriteLogs() {
    const std::string evidence = folder_.File("data/nodes/node-1/evidence");
    std::filesystem::create_directories(evidence);
    auto store = EvidenceStore::Open({.folder = evidence, .free_bytes_floor = 0}, clock_);
    ASSERT_TRUE(store.ok()) << store.status();
    UlidGenerator ids(clock_, 7);
    for (const char* alert : {"expired", "held"}) {
      EvidenceRow row{ids.Next(), CameraId("gate"), alert, {}, clock_.Wall(), false};
      row.facts.bytes = 2'500'000;
      std::ofstream(evidence + "/" + EvidenceStore::NameOf(row.id)) << alert;
      ASSERT_TRUE((*store)->Add(row).ok());
      if (row.alert_id == "held") {
        ASSERT_TRUE((*store)->SetHold(row.id, true, "case 17").ok());
      }
    }
    ASSERT_TRUE((*store)->Sweep().ok());
    auto events = EventStore::Open(folder_.File("data/dispatch.db"),
                                   sqlite::Connection::Mode::kReadWrite);
    ASSERT_TRUE(events.ok()) << events.status();
    proto::Alert alert;
    alert.set_id("picture");
    alert.set_snapshot_jpeg("jpeg");
    alert.mutable_event()->set_camera_id("yard");
    ASSERT_TRUE((*events)->AddAlert(alert, "incident", clock_.Wall(), Seconds(1)).ok());
    clock_.Advance(Seconds(1));
    ASSERT_TRUE((*events)->DropPictures(clock_.Wall()).ok());
    std::filesystem::create_directories(folder_.File("data/nodes/gone"));
    auto outbox = OutboxStore::Open(folder_.File("data/nodes/gone/outbox.db"), "test", "gone");
    ASSERT_TRUE(outbox.ok()) << outbox.status();
    (*outbox)->set_keep_picture([](const std::string&) { return Seconds(0); });
    std::vector<proto::OutboxRecord> records(1);
    *records[0].mutable_alert() = alert;
    records[0].mutable_alert()->set_id("undelivered");
    ASSERT_TRUE((*outbox)->Commit(records, 0, clock_).ok());
    ASSERT_TRUE(DropOutboxPictures((*outbox)->connection(), clock_.Wall()).ok());
  }

  TemporaryFolder folder_;
  SimulatedClock clock_;
};

TEST_F(DeletionsCommand, SaysWhatWentWhenAndWhyAndWhatAHoldKept) {
  WriteLogs();
  const Ran ran = RunCordon("deletions " + Site() + " --json");
  ASSERT_EQ(ran.exit_code, 0) << ran.out;
  std::istringstream lines(ran.out);
  std::map<std::string, nlohmann::json> by;
  int64_t last_ms = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto json = nlohmann::json::parse(line);
    EXPECT_GE(json["time_ms"].get<int64_t>(), last_ms) << "newest last";
    last_ms = json["time_ms"];
    by[json.value("alert", json["what"].get<std::string>())] = json;
  }
  ASSERT_EQ(by.size(), 4u) << ran.out;
  EXPECT_EQ(by["expired"]["deleted"], true);
  EXPECT_EQ(by["expired"]["reason"], "retention");
  EXPECT_EQ(by["expired"]["node"], "node-1");
  EXPECT_EQ(by["held"]["deleted"], false);
  EXPECT_EQ(by["held"]["hold_reason"], "case 17");
  EXPECT_EQ(by["pictures"]["pictures"], 1);
  EXPECT_EQ(by["pictures"]["camera"], "yard");
  EXPECT_EQ(by["undelivered"]["what"], "picture");
  EXPECT_EQ(by["undelivered"]["node"], "gone");

  const Ran gate = RunCordon("deletions " + Site() + " --camera gate");
  EXPECT_EQ(gate.exit_code, 0);
  EXPECT_THAT(gate.out, HasSubstr("2.5 MB; legal hold: case 17"));
  EXPECT_EQ(std::count(gate.out.begin(), gate.out.end(), '\n'), 2) << gate.out;
}

TEST_F(DeletionsCommand, AMachineWithoutLogsSaysSo) {
  const Ran ran = RunCordon("deletions " + Site());
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.out, HasSubstr("neither a node nor the dispatcher of this site has run here"));
}

}  // namespace
}  // namespace cordon::testing
