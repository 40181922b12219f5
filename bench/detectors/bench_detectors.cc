// SPDX-License-Identifier: Apache-2.0
// Milliseconds of one run of each network, by engine and by what is looked at; and what the
// vectorised Sigmoid gives.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/dnn.hpp>
#include <optional>

#include "analytics/detector_canvas.h"
#include "analytics/dnn_engine.h"
#include "analytics/model_card.h"
#include "base/clock.h"

namespace cordon {
namespace {

struct Figures {
  double p50 = 0;
  double p95 = 0;
};

// One run of a network on an input of this size; false when it failed.
using RunOnce = std::function<bool(const Tensor&)>;

std::optional<Figures> Measure(const RunOnce& run, InputSize size, int runs) {
  Tensor input;
  input.shape = {1, 3, size.height, size.width};
  input.values.assign(static_cast<size_t>(3 * size.height * size.width), 0.4F);
  std::vector<double> times;
  for (int i = 0; i <= runs; ++i) {
    const BootTime before = SystemClock().Boot();
    if (!run(input)) return std::nullopt;
    // The first run of a shape plans it.
    if (i > 0) {
      times.push_back(
          std::chrono::duration<double, std::milli>(SystemClock().Boot() - before).count());
    }
  }
  std::sort(times.begin(), times.end());
  return Figures{times[times.size() / 2], times[times.size() * 95 / 100]};
}

struct Look {
  const char* name;
  std::vector<PixelRect> regions;
};

const std::vector<Look>& Looks() {
  static const std::vector<Look> kLooks = {
      {"whole picture", {{0, 0, 1920, 1080}}},
      {"one walker", {{600, 400, 60, 150}}},
      {"four walkers",
       {{600, 400, 60, 150}, {100, 200, 50, 120}, {1200, 700, 90, 200}, {300, 800, 80, 180}}},
  };
  return kLooks;
}

class Bench {
 public:
  Bench(int runs, bool json) : runs_(runs), json_(json) {}

  void Add(const Model& model, const std::string& engine, const RunOnce& run) {
    for (const Look& look : Looks()) {
      const Canvas canvas = PlanCanvas(model.card, 1920, 1080, look.regions, 1);
      const auto figures = Measure(run, canvas.size, runs_);
      if (!figures) continue;
      if (!json_) {
        std::printf("%-26s %-28s %-14s %3dx%-3d  p50 %7.1f ms  p95 %7.1f ms\n",
                    model.card.name().c_str(), engine.c_str(), look.name, canvas.size.width,
                    canvas.size.height, figures->p50, figures->p95);
        std::fflush(stdout);
      }
      rows_.push_back({{"model", model.card.name()},
                       {"engine", engine},
                       {"look", look.name},
                       {"width", canvas.size.width},
                       {"height", canvas.size.height},
                       {"p50_ms", figures->p50},
                       {"p95_ms", figures->p95}});
    }
  }

  void Finish() const {
    if (json_) std::printf("%s\n", rows_.dump(2).c_str());
  }

 private:
  const int runs_;
  const bool json_;
  nlohmann::ordered_json rows_ = nlohmann::ordered_json::array();
};

// Must come before any engine of ours is made: the vectorised layer is registered for the whole
// process.
void AddPlainOpenCv(Bench& bench, const Model& model) {
  if (model.card.format() != proto::ModelCard::FORMAT_ONNX) return;
  try {
    cv::dnn::Net net =
        cv::dnn::readNetFromONNX(std::vector<uchar>(model.network.begin(), model.network.end()));
    bench.Add(model, "opencv, its own Sigmoid", [&net](const Tensor& input) {
      net.setInput(cv::Mat(input.shape, CV_32F, const_cast<float*>(input.values.data())));
      std::vector<cv::Mat> outputs;
      net.forward(outputs, net.getUnconnectedOutLayersNames());
      return true;
    });
  } catch (const cv::Exception&) {
    // The engines below say what cannot be read.
  }
}

int Run(const std::string& folder, int runs, bool json) {
  cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  std::vector<Model> models;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".yaml") continue;
    auto model = LoadModel(entry.path().string());
    if (model.ok()) {
      models.push_back(*std::move(model));
    } else {
      std::fprintf(stderr, "left out: %s\n", std::string(MessageOf(model.status())).c_str());
    }
  }
  std::sort(models.begin(), models.end(),
            [](const Model& a, const Model& b) { return a.card.name() < b.card.name(); });
  Bench bench(runs, json);
  for (const Model& model : models) AddPlainOpenCv(bench, model);
  for (const Model& model : models) {
    for (const auto kind :
         {proto::DetectorConfig::ENGINE_OPENCV, proto::DetectorConfig::ENGINE_OPENVINO}) {
      const auto engine = MakeEngine(model, kind);
      if (!engine.ok()) continue;
      bench.Add(model, (*engine)->name(),
                [&](const Tensor& input) { return (*engine)->Run(input).ok(); });
    }
  }
  bench.Finish();
  return 0;
}

}  // namespace
}  // namespace cordon

int main(int argc, char** argv) {
  CLI::App app{
      "One run of each detection network, by engine\nExample: CORDON_MODELS=../shared/models "
      "bench_detectors deploy/models"};
  std::string folder = "deploy/models";
  int runs = 20;
  bool json = false;
  app.add_option("cards", folder, "folder of model cards")->check(CLI::ExistingDirectory);
  app.add_option("--runs", runs, "runs of each")->check(CLI::Range(1, 10000));
  app.add_flag("--json", json, "print JSON");
  CLI11_PARSE(app, argc, argv);
  return cordon::Run(folder, runs, json);
}
