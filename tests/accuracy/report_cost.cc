// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>

#include "analytics/classifier.h"
#include "analytics/detector_canvas.h"
#include "analytics/dnn_engine.h"
#include "analytics/model_card.h"
#include "base/clock.h"
#include "tests/accuracy/clip_runner.h"
#include "tests/accuracy/report.h"
#include "tests/accuracy/staging.h"

namespace cordon::accuracy {
namespace {

constexpr int kRuns = 15;

// Median milliseconds of a run; negative when it failed.
double Milliseconds50(DnnEngine& engine, InputSize size) {
  Tensor input;
  input.shape = {1, 3, size.height, size.width};
  input.values.assign(static_cast<size_t>(3 * size.height * size.width), 0.4F);
  std::vector<double> times;
  for (int i = 0; i <= kRuns; ++i) {
    const BootTime before = SystemClock().Boot();
    if (!engine.Run(input).ok()) return -1;
    // The first run plans the shape.
    if (i > 0)
      times.push_back(
          std::chrono::duration<double, std::milli>(SystemClock().Boot() - before).count());
  }
  std::nth_element(times.begin(), times.begin() + kRuns / 2, times.end());
  return times[kRuns / 2];
}

std::string Text(double ms) { return ms < 0 ? "-" : fmt::format("{:.1f}", ms); }

void AddCard(Section& section, const std::string& path) {
  const auto model = LoadModel(path);
  if (!model.ok()) return;
  for (const auto engine_kind :
       {proto::DetectorConfig::ENGINE_OPENCV, proto::DetectorConfig::ENGINE_OPENVINO}) {
    const auto engine = MakeEngine(*model, engine_kind);
    if (!engine.ok()) continue;
    const std::vector<PixelRect> one = {{600, 400, 60, 150}};
    const std::vector<PixelRect> four = {
        {600, 400, 60, 150}, {100, 200, 50, 120}, {1200, 700, 90, 200}, {300, 800, 80, 180}};
    const std::vector<PixelRect> all = {{0, 0, 1920, 1080}};
    const double whole = Milliseconds50(**engine, PlanCanvas(model->card, 1920, 1080, all, 1).size);
    const double single =
        Milliseconds50(**engine, PlanCanvas(model->card, 1920, 1080, one, 1).size);
    const double several =
        Milliseconds50(**engine, PlanCanvas(model->card, 1920, 1080, four, 1).size);
    section.rows.push_back({model->card.name(), (*engine)->name(), Text(whole), Text(single),
                            Text(several), Text(several < 0 ? -1 : several / 4), "-"});
  }
}

constexpr double kAnalysedFps = 10;

// Share of one core that analysing `kAnalysedFps` pictures a second takes.
double Share(double cpu_seconds, int frames) { return kAnalysedFps * cpu_seconds / frames; }

void AddBuiltinRow(Section& section, const std::string& name, double share, double bound) {
  section.rows.push_back({name, "-", fmt::format("{:.2f}", 1e3 * share / kAnalysedFps), "-", "-",
                          "-", fmt::format("{:.1f} %", 100 * share)});
  section.checks.push_back({name + ": share of a core at 10 pictures/s", share, bound, false});
}

// A clip whose pictures move all the time.
void AddBusy(Section& section, const Data& data) {
  ClipRun run;
  run.clip = data.Clip("vtest.avi");
  run.camera = PlainCamera("vtest");
  run.classifier = MakeShapeClassifier();
  const auto result = RunClip(run);
  if (!result.ok()) return;
  AddBuiltinRow(section, "built-in, busy (vtest.avi)",
                Share(result->analysis_cpu_seconds, result->frames), 0.12);
}

// The empty picture of a 1920x1080 camera with its sensor's noise.
void AddQuiet(Section& section, const Data& data) {
  const auto empty = PictureOf({"dark yard", "lowlight-person.mp4", 6, false}, data.Clip("lowlight-person.mp4"));
  if (!empty.ok()) return;
  CameraAnalyzerOptions options;
  options.camera = PlainCamera("quiet");
  options.classifier = MakeShapeClassifier();
  const auto analyzer = CameraAnalyzer::Create(std::move(options));
  if (!analyzer.ok()) return;
  constexpr int kFrames = 600;
  constexpr int kLearning = 100;  // not counted
  double cpu = 0;
  for (int i = 0; i < kFrames; ++i) {
    LumaPicture picture = *empty;
    AddNoise(picture, 2, i);
    const FramePtr frame = FrameOf(std::move(picture), i / kAnalysedFps, i + 1);
    const double before = ThreadCpuSeconds();
    (*analyzer)->Analyze(*frame);
    if (i >= kLearning) cpu += ThreadCpuSeconds() - before;
  }
  AddBuiltinRow(section, "built-in, quiet (1920x1080, empty, noise)",
                Share(cpu, kFrames - kLearning), 0.03);
}

}  // namespace

Section CostSection(const Data& data) {
  Section section;
  section.title = "Cost of detection";
  section.text = fmt::format(
      "Milliseconds of one run of the network (median of {}), all cores of this machine: the whole "
      "picture of 1920x1080, one "
      "moving region of 60x150, four regions of one frame on one canvas, and that per region. "
      "Built-in: processor time of the "
      "whole analysis of a frame (480 pixels wide) beside decode, and the share of one core at 10 "
      "pictures a second.",
      kRuns);
  section.columns = {"model",      "engine",       "whole picture",
                     "one region", "four regions", "per region",   "of a core"};
  const std::string folder = data.source + "/deploy/models";
  if (!std::filesystem::exists(folder)) {
    section.missing = "deploy/models";
    return section;
  }
  std::vector<std::string> cards;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml") cards.push_back(entry.path().string());
  }
  std::sort(cards.begin(), cards.end());
  for (const std::string& card : cards) AddCard(section, card);
  AddBusy(section, data);
  AddQuiet(section, data);
  if (section.rows.empty()) section.missing = "models/*";
  return section;
}

}  // namespace cordon::accuracy
