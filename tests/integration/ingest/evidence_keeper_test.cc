// SPDX-License-Identifier: Apache-2.0
// Clips cut from a real camera's packets while they come: what is in them, and that browsers play
// them.
#include "ingest/evidence_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>

#include "base/sha256.h"
#include "ingest/clip_reader.h"
#include "tests/integration/ingest/rtsp_server.h"
#include "tests/support/eventually.h"
#include "tests/support/frame_collector.h"
#include "tests/support/made_clips.h"

namespace cordon {
namespace {

using ::testing::HasSubstr;
using testing::Eventually;
using testing::MakeClip;
using testing::RtspServer;
using testing::TemporaryFolder;

std::string FirstLine(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  char line[256] = "";
  if (std::fgets(line, sizeof line, pipe) == nullptr) line[0] = '\0';
  ::pclose(pipe);
  return line;
}

class EvidenceKeeperTest : public ::testing::Test {
 protected:
  void SetUp() override {
    server_.emplace(std::vector<std::string>{"gate=" + MakeClip(folder_, "a.mp4", 320, 240, 25, 4)},
                    folder_.File("cache"));
    ASSERT_TRUE(server_->ready());
    config_.set_id("gate");
    config_.set_url(server_->url());
    config_.set_decode(proto::CameraConfig::DECODE_FULL);
    config_.set_analysis_width(320);
    config_.set_analysis_fps(10);
    config_.set_ring_mib(8);
    config_.set_retention_hours(2);
    config_.set_pre_roll_s(2);
    config_.set_post_roll_s(1);
  }
  void Start(uint64_t free_bytes = UINT64_MAX / 2) {
    auto stream = CameraStream::Make(config_, Secret(), {SystemClock(), metrics_, gate_, frames_});
    ASSERT_TRUE(stream.ok()) << stream.status();
    stream_ = *std::move(stream);
    EvidenceStore::Options options;
    options.folder = folder_.File("evidence");
    options.free_bytes = [free_bytes] { return free_bytes; };
    auto keeper = EvidenceKeeper::Open(options, SystemClock(), metrics_,
                                       [this](const proto::EvidenceReady& ready) {
                                         absl::MutexLock lock(&mutex_);
                                         answers_.push_back(ready);
                                       });
    ASSERT_TRUE(keeper.ok()) << keeper.status();
    keeper_ = *std::move(keeper);
  }
  // Waits until the ring holds the pre-roll, then cuts a clip around the present.
  proto::EvidenceReady CutOne() {
    const BootTime begin = SystemClock().Boot();
    EXPECT_TRUE(Eventually([&] {
      return stream_->evidence()->newest_key_frame() > 0 &&
             SystemClock().Boot() - begin > Seconds(4);
    }));
    clip_ = ids_.Next();
    event_ = SystemClock().Boot();
    keeper_->Cut(*stream_, clip_, "alert-1", event_);
    EXPECT_TRUE(Eventually([&] { return Answers().size() == 1; }));
    return Answers().empty() ? proto::EvidenceReady() : Answers()[0];
  }
  std::vector<proto::EvidenceReady> Answers() {
    absl::MutexLock lock(&mutex_);
    return answers_;
  }
  std::string ClipPath() const {
    return folder_.File("evidence/") + EvidenceStore::NameOf(clip_);
  }

  TemporaryFolder folder_;
  std::optional<RtspServer> server_;
  proto::CameraConfig config_;
  Metrics metrics_;
  OpenGate gate_;
  testing::FrameCollector frames_;
  UlidGenerator ids_{SystemClock()};
  Ulid clip_;
  BootTime event_{};
  absl::Mutex mutex_;
  std::vector<proto::EvidenceReady> answers_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<CameraStream> stream_;
  std::unique_ptr<EvidenceKeeper> keeper_;
};

TEST_F(EvidenceKeeperTest, AClipHoldsPreAndPostRollOfTheOriginalPacketsAndPlaysInABrowser) {
  Start();
  const proto::EvidenceReady ready = CutOne();
  ASSERT_EQ(ready.failure(), "");
  EXPECT_EQ(ready.alert_id(), "alert-1");
  EXPECT_EQ(ready.clip_id(), clip_.str());
  // Pre-roll 2 s from the key frame before it (at most one GOP of 1 s earlier), post-roll 1 s.
  EXPECT_GE(ready.duration_s(), 2.9);
  EXPECT_LE(ready.duration_s(), 4.2);
  std::string bytes;
  while (bytes.size() < ready.size_bytes()) {
    const auto part = keeper_->store().Read(clip_, bytes.size(), 64 * 1024);
    ASSERT_TRUE(part.ok() && !part->empty()) << part.status();
    bytes += *part;
  }
  std::string announced;
  for (const char byte : ready.sha256())
    announced += fmt::format("{:02x}", static_cast<uint8_t>(byte));
  EXPECT_EQ(Sha256Hex(bytes), announced) << "what is read is what was announced";
  const auto row = keeper_->store().Find(clip_);
  ASSERT_TRUE(row.ok());
  const auto kept = std::chrono::duration_cast<Seconds>(row->expires - SystemClock().Wall());
  EXPECT_NEAR(static_cast<double>(kept.count()), 2 * 3600, 60) << "retention_hours of the camera";
  const char* source = std::getenv("CORDON_SOURCE_DIR");
  const std::string web = std::string(source == nullptr ? "." : source) + "/console/web";
  if (!std::filesystem::exists(web + "/node_modules/playwright-core")) return;
  const std::string played = FirstLine("node " + web + "/plays.mjs " + ClipPath());
  if (!played.starts_with("SKIP")) {
    EXPECT_THAT(played, ::testing::StartsWith("320x240 ")) << played;
  }
}

TEST_F(EvidenceKeeperTest, TheClipOfAMaskedCameraHasItsMasksBurnedIn) {
  proto::MaskConfig& mask = *config_.add_masks();
  for (const char* point : {"0,0", "0.5,0", "0.5,1", "0,1"}) mask.add_points(point);
  Start();
  const proto::EvidenceReady ready = CutOne();
  ASSERT_EQ(ready.failure(), "");
  auto clip = ClipReader::Open(ClipPath(), {}, SystemClock());
  ASSERT_TRUE(clip.ok()) << clip.status();
  int frames = 0;
  while (true) {
    const auto frame = (*clip)->NextFrame();
    ASSERT_TRUE(frame.ok()) << frame.status();
    if (!frame->has_value()) break;
    ++frames;
    const BgrPicture left = (**frame)->colour->Render({8, 8, 140, 220}, 140, 220);
    for (size_t i = 0; i < left.pixels.size(); i += 97) ASSERT_LT(left.pixels[i], 60) << frames;
  }
  EXPECT_GT(frames, 60);
}

TEST_F(EvidenceKeeperTest, AFullDiskIsAnsweredInWords) {
  Start(1000);
  const proto::EvidenceReady ready = CutOne();
  EXPECT_THAT(ready.failure(), HasSubstr("disk is full"));
  EXPECT_FALSE(std::filesystem::exists(ClipPath()));
}

TEST_F(EvidenceKeeperTest, StoppingFinishesTheClipWithWhatHasCome) {
  config_.set_post_roll_s(60);
  Start();
  Eventually([&] { return stream_->evidence()->newest_key_frame() > 0; });
  clip_ = ids_.Next();
  keeper_->Cut(*stream_, clip_, "alert-1", SystemClock().Boot());
  Eventually([&] { return std::filesystem::exists(ClipPath() + ".part"); });
  keeper_.reset();
  ASSERT_EQ(Answers().size(), 1u) << "answered exactly once";
  EXPECT_EQ(Answers()[0].failure(), "");
  EXPECT_TRUE(std::filesystem::exists(ClipPath()));
}

}  // namespace
}  // namespace cordon
