// SPDX-License-Identifier: Apache-2.0
#include "analytics/detector_dnn.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include "analytics/detector_canvas.h"
#include "ingest/clip_reader.h"
#include "tests/support/test_data.h"

namespace cordon {
namespace {

proto::ModelCard ResizableCard() {
  proto::ModelCard card;
  card.set_input_width(416);
  card.set_input_height(416);
  card.set_resizable(true);
  return card;
}

TEST(PlanCanvas, OneSmallRegionNeedsASmallCanvas) {
  const PixelRect person{300, 200, 40, 100};
  const Canvas canvas = PlanCanvas(ResizableCard(), 1920, 1080, std::vector{person}, 1.0);
  ASSERT_EQ(canvas.tiles.size(), 1U);
  EXPECT_LE(canvas.size.width * canvas.size.height, 128 * 224);
  EXPECT_EQ(canvas.tiles[0].width, canvas.tiles[0].source.width) << "at full resolution";
}

TEST(PlanCanvas, MovementEverywhereShowsTheWholePictureOnce) {
  const std::vector<PixelRect> regions = {{0, 0, 900, 1000}, {1000, 0, 900, 1000}};
  const Canvas canvas = PlanCanvas(ResizableCard(), 1920, 1080, regions, 1.0);
  EXPECT_TRUE(canvas.whole_picture);
  EXPECT_EQ(canvas.size.width, 416);
  EXPECT_EQ(canvas.size.height, 256);
}

TEST(PlanCanvas, TilesLieInsideApartAndShowEveryRegion) {
  const unsigned seed = 5;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 500; ++round) {
    std::vector<PixelRect> regions(1 + random() % 12);
    for (PixelRect& r : regions) {
      r = {static_cast<int>(random() % 1200), static_cast<int>(random() % 660),
           static_cast<int>(1 + random() % 200), static_cast<int>(1 + random() % 200)};
    }
    proto::ModelCard card = ResizableCard();
    card.set_resizable(round % 2 == 0);
    const Canvas canvas = PlanCanvas(card, 1280, 720, regions, 1.0);
    EXPECT_LE(canvas.size.width, 416);
    EXPECT_LE(canvas.size.height, 416);
    EXPECT_TRUE(round % 2 == 1 || (canvas.size.width % 32 == 0 && canvas.size.height % 32 == 0));
    for (size_t i = 0; i < canvas.tiles.size(); ++i) {
      const Tile& a = canvas.tiles[i];
      EXPECT_LE(a.x + a.width, canvas.size.width);
      EXPECT_LE(a.y + a.height, canvas.size.height);
      EXPECT_LE(a.source.x + a.source.width, 1280);
      EXPECT_LE(a.source.y + a.source.height, 720);
      for (size_t j = 0; j < i; ++j) {
        const Tile& b = canvas.tiles[j];
        EXPECT_TRUE(a.x >= b.x + b.width + kGutter || b.x >= a.x + a.width + kGutter ||
                    a.y >= b.y + b.height + kGutter || b.y >= a.y + a.height + kGutter);
      }
    }
    for (const PixelRect& r : regions) {
      const bool shown = std::any_of(canvas.tiles.begin(), canvas.tiles.end(), [&](const Tile& t) {
        return r.x >= t.source.x && r.y >= t.source.y &&
               std::min(r.x + r.width, 1280) <= t.source.x + t.source.width &&
               std::min(r.y + r.height, 720) <= t.source.y + t.source.height;
      });
      EXPECT_TRUE(shown);
    }
  }
}

TEST(ToSource, ABystanderCutByTheTileIsLeftOut) {
  const std::vector<PixelRect> regions = {{300, 200, 40, 100}};
  const Canvas canvas = PlanCanvas(ResizableCard(), 1280, 720, regions, 1.0);
  const Tile& tile = canvas.tiles[0];
  RawBox out;
  const RawBox object{static_cast<float>(tile.x + 300 - tile.source.x),
                      static_cast<float>(tile.y + 200 - tile.source.y),
                      40,
                      100,
                      0,
                      0.9F};
  ASSERT_TRUE(ToSource(canvas, object, 1280, 720, regions, out));
  EXPECT_NEAR(out.left, 300, 1);
  EXPECT_NEAR(out.height, 100, 1);
  const RawBox cut{
      static_cast<float>(tile.x) - 4, static_cast<float>(tile.y) + 20, 12, 60, 0, 0.9F};
  EXPECT_FALSE(ToSource(canvas, cut, 1280, 720, regions, out));
}

// An engine of the test's own: answers when it is allowed to, and notes the batches.
class GatedEngine final : public DnnEngine {
 public:
  struct Gate {
    absl::Mutex mutex;
    bool open = false;
    int waiting = 0;
    std::vector<int> batches;
  };
  explicit GatedEngine(Gate& gate) : gate_(gate) {}
  absl::StatusOr<std::vector<Tensor>> Run(const Tensor& input) override {
    absl::MutexLock lock(&gate_.mutex);
    ++gate_.waiting;
    gate_.batches.push_back(input.shape[0]);
    EXPECT_TRUE(gate_.mutex.AwaitWithTimeout(absl::Condition(&gate_.open), absl::Seconds(10)));
    return std::vector<Tensor>{input};
  }
  const std::string& name() const override { return name_; }

 private:
  Gate& gate_;
  const std::string name_ = "gated";
};

TEST(DetectorPool, RefusesWhatItsQueueCannotHoldAndCountsIt) {
  GatedEngine::Gate gate;
  Metrics metrics;
  {
    DetectorPool pool(std::make_unique<GatedEngine>(gate), "m",
                      {.queue = 1, .patience = Milliseconds(10'000)}, metrics, SystemClock());
    std::vector<std::thread> callers;
    std::atomic<int> answered{0};
    std::atomic<int> refused{0};
    auto call = [&] {
      const auto answer = pool.Run({{1, 1}, {7}});
      (answer.ok() ? answered : refused)++;
    };
    callers.emplace_back(call);
    gate.mutex.LockWhenWithTimeout(
        absl::Condition(
            +[](GatedEngine::Gate* g) { return g->waiting == 1; }, &gate),
        absl::Seconds(10));
    gate.mutex.Unlock();
    for (int i = 0; i < 3; ++i) callers.emplace_back(call);
    for (int spin = 0; spin < 100'000 && refused < 2; ++spin) std::this_thread::yield();
    {
      absl::MutexLock lock(&gate.mutex);
      gate.open = true;
    }
    for (std::thread& caller : callers) caller.join();
    EXPECT_EQ(answered, 2);
    EXPECT_EQ(refused, 2);
  }
  EXPECT_NE(metrics.RenderText().find(
                "cordon_detector_refused_total{model=\"m\",reason=\"queue_full\"} 2"),
            std::string::npos)
      << metrics.RenderText();
}

TEST(DetectorPool, InputsOfOneSizeThatWaitTogetherRunAsOneBatch) {
  GatedEngine::Gate gate;
  Metrics metrics;
  DetectorPool pool(std::make_unique<GatedEngine>(gate), "m",
                    {.queue = 8, .batchable = true, .patience = Milliseconds(10'000)}, metrics,
                    SystemClock());
  std::vector<std::thread> callers;
  std::atomic<int> right{0};
  auto call = [&](float value) {
    const auto answer = pool.Run({{1, 1}, {value}});
    if (answer.ok() && (*answer->outputs)[0].values[static_cast<size_t>(answer->item)] == value) {
      ++right;
    }
  };
  callers.emplace_back(call, 1.0F);
  gate.mutex.LockWhenWithTimeout(absl::Condition(
                                     +[](GatedEngine::Gate* g) { return g->waiting == 1; }, &gate),
                                 absl::Seconds(10));
  gate.mutex.Unlock();
  for (int i = 2; i <= 4; ++i) callers.emplace_back(call, static_cast<float>(i));
  const BootTime limit = SystemClock().Boot() + Seconds(10);
  while (pool.waiting() < 3 && SystemClock().Boot() < limit) std::this_thread::yield();
  {
    absl::MutexLock lock(&gate.mutex);
    gate.open = true;
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(right, 4) << "each caller gets its own picture's outputs";
  EXPECT_EQ(gate.batches, (std::vector<int>{1, 3}));
}

TEST(DetectorPool, AnAnswerThatIsTooLateIsAnOverloadNotAHang) {
  GatedEngine::Gate gate;
  Metrics metrics;
  DetectorPool pool(std::make_unique<GatedEngine>(gate), "m",
                    {.queue = 1, .patience = Milliseconds(20)}, metrics, SystemClock());
  EXPECT_EQ(pool.Run({{1, 1}, {7}}).status().code(), absl::StatusCode::kResourceExhausted);
  absl::MutexLock lock(&gate.mutex);
  gate.open = true;
}

TEST(DnnDetector, RefusesWithoutModelOrColour) {
  EXPECT_EQ(MakeDnnDetector("/nowhere/card.yaml").status().code(), absl::StatusCode::kNotFound);
}

std::string Listed(const std::vector<Detection>& found) {
  std::string text;
  for (const Detection& d : found) {
    text += fmt::format("\n{} {:.1f} {:.1f} {:.1f} {:.1f} {:.3f}", d.object_class, d.box.x * 768,
                        d.box.y * 576, d.box.width * 768, d.box.height * 576, d.score);
  }
  return text;
}

// On the whole first picture each network finds what was found with it outside of Cordon, at the
// same places.
class RealModel : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(RealModel, AgreesWithTheReferenceDetections) {
  const std::string models = testing::TestData("models");
  const std::string clip = testing::TestData("video/vtest.avi");
  const std::string reference =
      testing::TestData(std::string("gt/PETS09-S2L1/") + GetParam().second);
  SKIP_WITHOUT(models + "/README.md");
  SKIP_WITHOUT(clip);
  SKIP_WITHOUT(reference);
  ::setenv("CORDON_MODELS", models.c_str(), 1);
  const std::string card = std::string(std::getenv("CORDON_SOURCE_DIR")) + "/deploy/models/" +
                           GetParam().first + ".yaml";
  const auto detector = MakeDnnDetector(card);
  ASSERT_TRUE(detector.ok()) << detector.status();
  auto reader = ClipReader::Open(clip, {}, SystemClock());
  ASSERT_TRUE(reader.ok()) << reader.status();
  const auto frame = (*reader)->NextFrame();
  ASSERT_TRUE(frame.ok() && frame->has_value());
  const std::vector<PixelRect> everything = {{0, 0, 768, 576}};
  const auto found = (*detector)->Detect(***frame, everything);
  ASSERT_TRUE(found.ok()) << found.status();
  std::ifstream file(reference);
  std::string line;
  int expected = 0;
  while (std::getline(file, line) && line.starts_with("1,")) {
    float v[7];
    std::replace(line.begin(), line.end(), ',', ' ');
    std::istringstream numbers(line);
    for (float& value : v) numbers >> value;
    if (v[6] < 0.5F) continue;
    ++expected;
    const PictureBox box{v[2] / 768, v[3] / 576, v[4] / 768, v[5] / 576};
    const bool same = std::any_of(found->begin(), found->end(), [&](const Detection& d) {
      return d.object_class == kPerson && Iou(d.box, box) > 0.7F && std::abs(d.score - v[6]) < 0.2F;
    });
    EXPECT_TRUE(same) << line << "\nfound:" << Listed(*found);
  }
  EXPECT_GE(expected, 3);
  const auto again = (*detector)->Detect(***frame, everything);
  ASSERT_EQ(again->size(), found->size());
  for (size_t i = 0; i < found->size(); ++i) EXPECT_EQ((*again)[i].box, (*found)[i].box);
}

INSTANTIATE_TEST_SUITE_P(
    Cards, RealModel,
    ::testing::Values(std::pair{"yolox-nano-416", "det_yolox_nano_416.txt"},
                      std::pair{"picodet-s-416", "det_picodet_s_416.txt"},
                      std::pair{"yolo-fastest-xl-416", "det_yolo-fastest-1.1-xl_416.txt"},
                      std::pair{"yolo-fastest-person-320", "det_yolo-fastest-body_320.txt"}));

}  // namespace
}  // namespace cordon
