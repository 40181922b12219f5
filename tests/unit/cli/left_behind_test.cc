// SPDX-License-Identifier: Apache-2.0
// What nodes leave behind when they are renamed, removed or moved, in their real stores.
#include "cli/left_behind.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "bus/outbox_pictures.h"
#include "bus/outbox_store.h"
#include "ingest/evidence_store.h"
#include "tests/support/test_data.h"

namespace cordon::cli {
namespace {

namespace fs = std::filesystem;

class LeftBehindTest : public ::testing::Test {
 protected:
  void SetUp() override {
    site_.set_data_dir(folder_.path());
    site_.add_nodes()->set_id("node-1");
    AddCamera("gate", 5);
  }
  void AddCamera(const std::string& id, double hours) {
    proto::CameraConfig& camera = *site_.add_cameras();
    camera.set_id(id);
    camera.set_retention_hours(hours);
  }
  std::string Evidence(const std::string& node) const {
    return folder_.path() + "/nodes/" + node + "/evidence";
  }
  std::unique_ptr<EvidenceStore> OpenStore(const std::string& node) {
    fs::create_directories(Evidence(node));
    auto store = EvidenceStore::Open({.folder = Evidence(node), .free_bytes_floor = 0}, clock_);
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }
  // A clip of a camera that is kept for two hours.
  Ulid AddClip(EvidenceStore& store, const std::string& node, const std::string& camera) {
    EvidenceRow row{
        ids_.Next(), CameraId(camera), "alert", {}, clock_.Wall() + std::chrono::hours(2)};
    row.facts.first_wall = clock_.Wall();
    std::ofstream(Evidence(node) + "/" + EvidenceStore::NameOf(row.id)) << "clip";
    EXPECT_TRUE(store.Add(row).ok());
    return row.id;
  }
  size_t ClipsOf(const std::string& node) const {
    size_t clips = 0;
    for (const auto& file : fs::directory_iterator(Evidence(node)))
      clips += file.path().extension() == ".mp4";
    return clips;
  }
  void AddUndelivered(const std::string& node) {
    auto store = OutboxStore::Open(folder_.path() + "/nodes/" + node + "/outbox.db", "site", node);
    ASSERT_TRUE(store.ok()) << store.status();
    (*store)->set_keep_picture([](const std::string&) { return std::chrono::hours(2); });
    std::vector<proto::OutboxRecord> records(1);
    records[0].mutable_alert()->set_id("alert");
    records[0].mutable_alert()->set_snapshot_jpeg("jpeg");
    ASSERT_TRUE((*store)->Commit(records, 0, clock_).ok());
  }

  testing::TemporaryFolder folder_;
  proto::Site site_;
  SimulatedClock clock_;
  UlidGenerator ids_{clock_, 7};
};

TEST_F(LeftBehindTest, PicturesOfANodeThatWasRenamedGoWhenTheyWouldHave) {
  AddClip(*OpenStore("old"), "old", "removed");
  AddUndelivered("old");
  clock_.Advance(std::chrono::minutes(119));
  LeftBehind found = TendLeftBehind(site_, false, clock_);
  EXPECT_EQ(found.clips, 0u);
  EXPECT_EQ(found.pictures, 0u);
  EXPECT_EQ(found.undelivered, 1u);
  EXPECT_EQ(ClipsOf("old"), 1u);
  clock_.Advance(std::chrono::minutes(2));
  found = TendLeftBehind(site_, false, clock_);
  EXPECT_EQ(found.clips, 1u);
  EXPECT_EQ(found.pictures, 1u);
  EXPECT_EQ(found.undelivered, 1u) << "the alert stays";
  EXPECT_EQ(ClipsOf("old"), 0u);
  const auto log = EvidenceStore::ReadDeletions(Evidence("old"), 10);
  ASSERT_TRUE(log.ok() && log->size() == 1u) << log.status();
  EXPECT_EQ((*log)[0].camera.str(), "removed");
  EXPECT_EQ((*log)[0].reason, "retention");
}

TEST_F(LeftBehindTest, AShorterRetentionOfTheCameraNowHoldsThereToo) {
  AddCamera("moved", 1);
  AddClip(*OpenStore("old"), "old", "moved");
  clock_.Advance(std::chrono::minutes(61));
  EXPECT_EQ(TendLeftBehind(site_, false, clock_).clips, 1u);
}

TEST_F(LeftBehindTest, AHeldClipOutlivesItsNode) {
  {
    auto store = OpenStore("old");
    ASSERT_TRUE(store->SetHold(AddClip(*store, "old", "gate"), true, "case 17").ok());
  }
  clock_.Advance(std::chrono::hours(48));
  EXPECT_EQ(TendLeftBehind(site_, false, clock_).clips, 0u);
  EXPECT_EQ(ClipsOf("old"), 1u);
  const auto log = EvidenceStore::ReadDeletions(Evidence("old"), 10);
  ASSERT_TRUE(log.ok() && log->size() == 1u) << log.status();
  EXPECT_TRUE((*log)[0].prevented);
}

TEST_F(LeftBehindTest, ManyClipsGoInOneLookAndFilesWithoutARowToo) {
  {
    auto store = OpenStore("old");
    for (int i = 0; i < 150; ++i) AddClip(*store, "old", "gate");
  }
  std::ofstream(Evidence("old") + "/" + EvidenceStore::NameOf(ids_.Next())) << "no row";
  clock_.Advance(std::chrono::hours(3));
  EXPECT_EQ(TendLeftBehind(site_, false, clock_).clips, 150u);
  EXPECT_EQ(ClipsOf("old"), 0u);
}

TEST_F(LeftBehindTest, AFolderThatANodeHasOpenIsItsOwn) {
  auto open = OpenStore("node-1");
  AddClip(*open, "node-1", "gate");
  AddClip(*OpenStore("node-2"), "node-2", "gate");
  site_.add_nodes()->set_id("node-2");  // which runs on another machine now
  clock_.Advance(std::chrono::hours(3));
  EXPECT_EQ(TendLeftBehind(site_, false, clock_).clips, 0u) << "it may be about to start";
  EXPECT_EQ(TendLeftBehind(site_, true, clock_).clips, 1u);
  EXPECT_EQ(ClipsOf("node-1"), 1u);
  EXPECT_EQ(ClipsOf("node-2"), 0u);
}

TEST_F(LeftBehindTest, TheKeeperLooksAtItsStart) {
  AddClip(*OpenStore("old"), "old", "gate");
  clock_.Advance(std::chrono::hours(3));
  { const LeftBehindKeeper keeper(site_, clock_); }
  EXPECT_EQ(ClipsOf("old"), 0u);
}

}  // namespace
}  // namespace cordon::cli
