// SPDX-License-Identifier: Apache-2.0
// Clips and their store.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <fstream>

#include "ingest/clip_file.h"
#include "ingest/clip_reader.h"
#include "ingest/evidence_store.h"
#include "ingest/file_source.h"
#include "ingest/live_feed.h"
#include "ingest/snapshot.h"
#include "tests/support/made_clips.h"

namespace cordon {
namespace {

using testing::MakeClip;
using testing::RunFfmpeg;
using testing::TemporaryFolder;

absl::StatusOr<ClipFacts> CutWhole(const std::string& from, const std::string& to,
                                   const Masks& masks = {}) {
  FileSource source({.location = from}, SystemClock());
  ASSIGN_OR_RETURN(StreamInfo info, source.Open());
  const std::filesystem::path path(to);
  ASSIGN_OR_RETURN(const Folder folder, Folder::Open(path.parent_path().string()));
  ASSIGN_OR_RETURN(auto clip, ClipFile::Create(folder, path.filename().string(), *info.codec, masks,
                                               SystemClock()));
  while (true) {
    absl::StatusOr<Packet> packet = source.Read(Milliseconds(1000));
    if (absl::IsOutOfRange(packet.status())) return clip->Finish();
    RETURN_IF_ERROR(packet.status());
    RETURN_IF_ERROR(clip->Append(*packet));
  }
}

std::string Output(const std::string& command) {
  std::array<char, 256> line{};
  std::string text;
  FILE* pipe = popen(command.c_str(), "r");
  while (fgets(line.data(), line.size(), pipe) != nullptr) text += line.data();
  pclose(pipe);
  return text;
}

std::vector<FramePtr> Frames(const std::string& path) {
  std::vector<FramePtr> frames;
  auto clip = ClipReader::Open(path, {}, SystemClock());
  EXPECT_TRUE(clip.ok()) << clip.status();
  while (clip.ok()) {
    auto frame = (*clip)->NextFrame();
    EXPECT_TRUE(frame.ok()) << frame.status();
    if (!frame.ok() || !frame->has_value()) break;
    frames.push_back(**frame);
  }
  return frames;
}

TEST(ClipFile, KeepsTheOriginalPacketsAndItsHashIsTheFiles) {
  TemporaryFolder folder;
  for (const char* name : {"a.mp4", "a.h264", "a.ts"}) {  // length-prefixed and Annex B
    const std::string from = MakeClip(folder, name);
    const std::string to = folder.File(std::string(name) + ".clip.mp4");
    const auto facts = CutWhole(from, to);
    ASSERT_TRUE(facts.ok()) << name << ": " << facts.status();
    EXPECT_EQ(facts->bytes, std::filesystem::file_size(to));
    EXPECT_NEAR(static_cast<double>(facts->duration.count()), 2e6, 5e4);
    std::string hex;
    for (uint8_t byte : facts->sha256) hex += fmt::format("{:02x}", byte);
    EXPECT_THAT(Output("sha256sum '" + to + "'"), ::testing::StartsWith(hex));
    const std::vector<FramePtr> before = Frames(from);
    const std::vector<FramePtr> after = Frames(to);
    ASSERT_EQ(before.size(), after.size()) << name;
    for (size_t i = 0; i < after.size(); ++i)
      ASSERT_EQ(before[i]->luma.pixels, after[i]->luma.pixels) << name << " " << i;
    EXPECT_FALSE(std::filesystem::exists(to + ".part"));
  }
}

TEST(ClipFile, IsFragmentedSoThatBrowsersPlayIt) {
  TemporaryFolder folder;
  const std::string to = folder.File("clip.mp4");
  ASSERT_TRUE(CutWhole(MakeClip(folder, "a.mp4", 320, 240, 25, 4), to).ok());
  std::ifstream file(to, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  EXPECT_LT(bytes.find("moov"), bytes.find("moof"));
  EXPECT_NE(bytes.find("mvex"), std::string::npos);
  EXPECT_NE(bytes.find("avcC"), std::string::npos);
}

TEST(ClipFile, MaskedPixelsAreNotInTheClip) {
  TemporaryFolder folder;
  const std::string from = folder.File("marker.mp4");
  // A magenta marker, found nowhere else, fully behind the mask.
  ASSERT_TRUE(RunFfmpeg(
      "-f lavfi -i testsrc2=size=640x480:rate=10:duration=2 "
      "-vf drawbox=x=200:y=160:w=100:h=100:color=magenta:t=fill -c:v libx264 -pix_fmt yuv420p",
      from));
  const std::string to = folder.File("masked.mp4");
  const Masks masks({{{0.3, 0.3}, {0.5, 0.3}, {0.5, 0.6}, {0.3, 0.6}}});
  const auto facts = CutWhole(from, to, masks);
  ASSERT_TRUE(facts.ok()) << facts.status();
  const std::vector<FramePtr> frames = Frames(to);
  ASSERT_EQ(frames.size(), 20u);
  for (const FramePtr& frame : frames) {
    const BgrPicture picture = frame->colour->Render({200, 160, 100, 100}, 100, 100);
    for (size_t i = 0; i < picture.pixels.size(); i += 3) {
      ASSERT_LT(picture.pixels[i], 60);
      ASSERT_LT(picture.pixels[i + 2], 60);
    }
  }
}

TEST(ClipFile, OtherCodecsAreEncodedForTheBrowser) {
  TemporaryFolder folder;
  const std::string from = folder.File("a.avi");
  ASSERT_TRUE(RunFfmpeg("-f lavfi -i testsrc=size=320x240:rate=10:duration=2 -c:v mjpeg", from));
  const std::string to = folder.File("a.mp4");
  ASSERT_TRUE(CutWhole(from, to).ok());
  EXPECT_EQ(Frames(to).size(), 20u);
  EXPECT_THAT(Output("ffprobe -v error -show_entries stream=codec_name -of csv=p=0 '" + to + "'"),
              ::testing::HasSubstr("h264"));
}

TEST(ClipFile, EndsWhereTheCameraChangesItsFormat) {
  TemporaryFolder folder;
  const std::string both = folder.File("both.h264");
  {
    std::ofstream all(both, std::ios::binary);
    for (const std::string& part : {MakeClip(folder, "small.h264", 320, 240, 25, 2),
                                    MakeClip(folder, "large.h264", 640, 480, 25, 2)})
      all << std::ifstream(part, std::ios::binary).rdbuf();
  }
  FileSource source({.location = both}, SystemClock());
  auto info = source.Open();
  ASSERT_TRUE(info.ok()) << info.status();
  const auto into = Folder::Open(folder.path());
  ASSERT_TRUE(into.ok());
  auto clip = ClipFile::Create(*into, "clip.mp4", *info->codec, {}, SystemClock());
  ASSERT_TRUE(clip.ok()) << clip.status();
  absl::Status status;
  while (status.ok()) {
    auto packet = source.Read(Milliseconds(1000));
    ASSERT_TRUE(packet.ok()) << "the change is noticed before the end: " << packet.status();
    status = (*clip)->Append(*packet);
  }
  EXPECT_TRUE(absl::IsOutOfRange(status)) << status;
  ASSERT_TRUE((*clip)->Finish().ok()) << "what came before is a whole clip";
  const std::vector<FramePtr> frames = Frames(folder.File("clip.mp4"));
  EXPECT_EQ(frames.size(), 50u);
  for (const FramePtr& frame : frames) ASSERT_EQ(frame->source_width, 320);
}

TEST(ClipFile, AnUnfinishedClipLeavesNothing) {
  TemporaryFolder folder;
  const std::string to = folder.File("clip.mp4");
  {
    FileSource source({.location = MakeClip(folder, "a.mkv")}, SystemClock());
    auto info = source.Open();
    ASSERT_TRUE(info.ok());
    const auto into = Folder::Open(folder.path());
    ASSERT_TRUE(into.ok());
    auto clip = ClipFile::Create(*into, "clip.mp4", *info->codec, {}, SystemClock());
    ASSERT_TRUE(clip.ok());
    EXPECT_TRUE(std::filesystem::exists(to + ".part"));
  }
  EXPECT_FALSE(std::filesystem::exists(to + ".part"));
  EXPECT_FALSE(std::filesystem::exists(to));
}

TEST(LiveFeed, PlaysFromTheNewestKeyFrameAndASlowViewerSkips) {
  TemporaryFolder folder;
  FileSource source({.location = MakeClip(folder, "a.h264", 320, 240, 25, 12)}, SystemClock());
  auto info = source.Open();
  ASSERT_TRUE(info.ok());
  auto ring = std::make_shared<PacketRing>(1 << 24);
  const auto push = [&](int packets) {
    for (int i = 0; i < packets; ++i) {
      auto packet = source.Read(Milliseconds(1000));
      ASSERT_TRUE(packet.ok());
      ring->Push(std::make_shared<const Packet>(*std::move(packet)));
    }
  };
  push(60);
  proto::CameraConfig camera;
  camera.set_id("gate");
  const std::shared_ptr<const AVCodecParameters> codec(std::move(info->codec));
  auto feed = LiveFeed::Open(camera, ring, codec);
  ASSERT_TRUE(feed.ok()) << feed.status();
  EXPECT_THAT((*feed)->mime(), ::testing::StartsWith("video/mp4; codecs=\"avc1."));
  auto begin = (*feed)->Take(1 << 20);
  ASSERT_TRUE(begin.ok());
  push(200);
  auto later = (*feed)->Take(1 << 20);
  ASSERT_TRUE(later.ok());
  EXPECT_GT((*feed)->skipped(), 100u);
  std::ofstream(folder.File("live.mp4")) << *begin << *later;
  EXPECT_EQ(Frames(folder.File("live.mp4")).size(), 10u + 10u);
  EXPECT_TRUE((*feed)->Take(1 << 20)->empty());
  camera.add_masks()->add_points("0,0");
  EXPECT_TRUE(absl::IsFailedPrecondition(LiveFeed::Open(camera, ring, codec).status()));
}

class EvidenceStoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<EvidenceStore> Open() {
    EvidenceStore::Options options;
    options.folder = folder_.File("evidence");
    options.free_bytes_floor = 1000;
    options.free_bytes = [this] { return free_bytes_; };
    auto store = EvidenceStore::Open(options, clock_);
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }
  std::string PathOf(const Ulid& id) const {
    return folder_.File("evidence/") + EvidenceStore::NameOf(id);
  }
  Ulid Put(EvidenceStore& store, Seconds keep, const std::string& content = "clip") {
    clock_.Advance(Seconds(1));
    EvidenceRow row;
    row.id = ids_.Next();
    row.camera = CameraId("gate");
    row.alert_id = "alert";
    row.facts.bytes = content.size();
    row.facts.first_wall = clock_.Wall();
    row.expires = clock_.Wall() + keep;
    std::ofstream(PathOf(row.id)) << content;
    EXPECT_TRUE(store.Add(row).ok());
    return row.id;
  }
  TemporaryFolder folder_;
  SimulatedClock clock_;
  UlidGenerator ids_{clock_, 7};
  uint64_t free_bytes_ = 1 << 20;
};

TEST_F(EvidenceStoreTest, ReadsBackInPieces) {
  auto store = Open();
  const Ulid id = Put(*store, Seconds(60), "0123456789");
  EXPECT_EQ(*store->Read(id, 0, 4), "0123");
  EXPECT_EQ(*store->Read(id, 8, 4), "89");
  EXPECT_EQ(*store->Read(id, 10, 4), "");
  EXPECT_TRUE(absl::IsOutOfRange(store->Read(id, 11, 4).status()));
  EXPECT_TRUE(absl::IsNotFound(store->Read(ids_.Next(), 0, 4).status()));
}

TEST_F(EvidenceStoreTest, DeletesWhatExpiredButNotWhatIsHeldAndKeepsTheRecord) {
  auto store = Open();
  const Ulid old = Put(*store, Seconds(10));
  const Ulid held = Put(*store, Seconds(10));
  const Ulid young = Put(*store, Seconds(10'000));
  ASSERT_TRUE(store->SetHold(held, true, "case 17").ok());
  clock_.Advance(Seconds(100));
  const auto deleted = store->Sweep();
  ASSERT_TRUE(deleted.ok());
  ASSERT_EQ(deleted->size(), 1u);
  EXPECT_EQ((*deleted)[0].id, old);
  EXPECT_TRUE(absl::IsNotFound(store->Find(old).status()));
  EXPECT_FALSE(std::filesystem::exists(PathOf(old)));
  EXPECT_TRUE(store->Find(held).ok());
  EXPECT_TRUE(store->Find(young).ok());
  EXPECT_EQ((*store->Deletions(10))[0].reason, "retention");
  ASSERT_TRUE(store->SetHold(held, false, "").ok());
  EXPECT_EQ(store->Sweep()->size(), 1u);
}

TEST_F(EvidenceStoreTest, ARetentionMadeShorterHoldsForWhatIsThereAndALongerOneDoesNot) {
  auto store = Open();
  const Ulid clip = Put(*store, Seconds(1000));
  ASSERT_TRUE(store->Limit(CameraId("yard"), Seconds(10)).ok());
  ASSERT_TRUE(store->Limit(CameraId("gate"), Seconds(5000)).ok());
  EXPECT_EQ(store->Find(clip)->expires, store->Find(clip)->facts.first_wall + Seconds(1000));
  ASSERT_TRUE(store->Limit(CameraId("gate"), Seconds(100)).ok());
  clock_.Advance(Seconds(99));
  EXPECT_EQ(store->Sweep()->size(), 0u);
  clock_.Advance(Seconds(2));
  EXPECT_EQ(store->Sweep()->size(), 1u);
}

TEST_F(EvidenceStoreTest, AFileThatCouldNotBeRemovedIsTriedAgain) {
  auto store = Open();
  const Ulid clip = Put(*store, Seconds(10));
  // A folder of the file's name is not removed as a file is.
  std::filesystem::remove(PathOf(clip));
  std::filesystem::create_directory(PathOf(clip));
  clock_.Advance(Seconds(20));
  EXPECT_EQ(store->Sweep()->size(), 1u);
  EXPECT_TRUE(std::filesystem::exists(PathOf(clip)));
  std::filesystem::remove(PathOf(clip));
  std::ofstream(PathOf(clip)) << "clip";
  ASSERT_TRUE(store->Sweep().ok());
  EXPECT_FALSE(std::filesystem::exists(PathOf(clip)));
}

TEST_F(EvidenceStoreTest, LogsOnceWhatOnlyItsHoldKeeps) {
  auto store = Open();
  const Ulid held = Put(*store, Seconds(10));
  ASSERT_TRUE(store->SetHold(held, true, "case 17").ok());
  clock_.Advance(Seconds(100));
  ASSERT_TRUE(store->Sweep().ok());
  clock_.Advance(Seconds(100));
  ASSERT_TRUE(store->Sweep().ok());
  auto log = store->Deletions(10);
  ASSERT_TRUE(log.ok()) << log.status();
  ASSERT_EQ(log->size(), 1u);
  EXPECT_TRUE((*log)[0].prevented);
  EXPECT_EQ((*log)[0].id, held);
  EXPECT_EQ((*log)[0].reason, "retention");
  EXPECT_EQ((*log)[0].hold_reason, "case 17");
  free_bytes_ = 100;
  ASSERT_TRUE(store->Sweep().ok());
  EXPECT_EQ(store->Deletions(10)->size(), 2u) << "it is also all that could make room";
  ASSERT_TRUE(store->SetHold(held, false, "").ok());
  clock_.Advance(Seconds(1));
  ASSERT_TRUE(store->Sweep().ok());
  log = EvidenceStore::ReadDeletions(folder_.File("evidence"), 1);
  ASSERT_TRUE(log.ok()) << log.status();
  ASSERT_EQ(log->size(), 1u);
  EXPECT_FALSE((*log)[0].prevented);
  EXPECT_EQ((*log)[0].alert_id, "alert");
}

TEST_F(EvidenceStoreTest, ALogThatIsNotThereIsSaid) {
  EXPECT_TRUE(absl::IsNotFound(EvidenceStore::ReadDeletions(folder_.File("none"), 1).status()));
}

TEST_F(EvidenceStoreTest, BelowTheFloorTheOldestGoesFirst) {
  auto store = Open();
  const Ulid oldest = Put(*store, Seconds(10'000));
  const Ulid newer = Put(*store, Seconds(10'000));
  free_bytes_ = 100;
  EXPECT_TRUE(store->full());
  const auto deleted = store->Sweep();
  ASSERT_EQ(deleted->size(), 2u);
  EXPECT_EQ((*deleted)[0].id, oldest);
  EXPECT_EQ((*deleted)[1].id, newer);
  EXPECT_EQ((*deleted)[0].reason, "space");
}

TEST_F(EvidenceStoreTest, RepairsWhatACrashLeft) {
  Ulid kept;
  Ulid lost;
  {
    auto store = Open();
    kept = Put(*store, Seconds(1000));
    lost = Put(*store, Seconds(1000));
    std::ofstream(PathOf(ids_.Next())) << "never announced";
    std::ofstream(PathOf(ids_.Next()) + ".part") << "cut short";
    std::filesystem::remove(PathOf(lost));
  }
  auto store = Open();
  EXPECT_TRUE(store->Find(kept).ok());
  EXPECT_TRUE(absl::IsNotFound(store->Find(lost).status()));
  EXPECT_EQ((*store->Deletions(1))[0].reason, "file missing");
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.File("evidence"))) {
    if (entry.path().string().find(".mp4") != std::string::npos) ++files;
  }
  EXPECT_EQ(files, 1u);
}

TEST(Snapshot, StaysWithinItsBytesEvenForNoise) {
  TemporaryFolder folder;
  const std::string path = folder.File("noise.mkv");
  ASSERT_TRUE(
      RunFfmpeg("-f lavfi -i nullsrc=size=1920x1080:rate=5:duration=0.4 -vf "
                "'geq=random(1)*255:128:128' -c:v libx264 "
                "-preset ultrafast -qp 10 -pix_fmt yuv420p",
                path));
  const std::vector<FramePtr> frames = Frames(path);
  ASSERT_FALSE(frames.empty());
  SnapshotOptions options;
  options.boxes = {{0.4, 0.2, 0.2, 0.6, "person 0.93"}};
  options.path = {{0.1, 0.9}, {0.3, 0.8}, {0.5, 0.8}};
  options.label = "gate | intrusion | 2026-03-01 12:00:00";
  const auto jpeg = SnapshotJpeg(*frames[0], options);
  ASSERT_TRUE(jpeg.ok());
  EXPECT_LE(jpeg->size(), limits::kMaxSnapshotBytes);
  EXPECT_EQ(jpeg->substr(0, 2), "\xFF\xD8");
}

}  // namespace
}  // namespace cordon
