// SPDX-License-Identifier: Apache-2.0
#include "analytics/detector_dnn.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "analytics/detector_canvas.h"
#include "analytics/dnn_decode.h"
#include "analytics/model_card.h"

namespace cordon {
namespace {

// A source picture that reports no size, or a hostile one.
constexpr int kMaxSource = 16384;

class DnnDetector final : public Detector {
 public:
  DnnDetector(const Model& model, std::unique_ptr<DnnEngine> engine,
              const DnnDetectorOptions& options)
      : card_(model.card),
        most_scale_(options.most_scale),
        own_metrics_(options.metrics == nullptr ? std::make_unique<Metrics>() : nullptr),
        pool_(std::move(engine), model.card.name(), PoolOptions(model, options),
              options.metrics != nullptr ? *options.metrics : *own_metrics_,
              options.clock != nullptr ? *options.clock : SystemClock()) {
    for (const std::string& name : card_.classes()) {
      reported_.push_back(card_.report().empty() ||
                          std::find(card_.report().begin(), card_.report().end(), name) !=
                              card_.report().end());
    }
  }

  absl::StatusOr<std::vector<Detection>> Detect(const Frame& frame,
                                                std::span<const PixelRect> regions) override {
    if (regions.empty()) return std::vector<Detection>{};
    if (frame.colour == nullptr) {
      return absl::FailedPreconditionError("the frame has no colour picture for the detector");
    }
    const int width = frame.colour->width();
    const int height = frame.colour->height();
    if (width <= 0 || height <= 0 || width > kMaxSource || height > kMaxSource) {
      return absl::FailedPreconditionError(
          fmt::format("a picture of {}x{} cannot be looked at", width, height));
    }
    const Canvas canvas = PlanCanvas(card_, width, height, regions, most_scale_);
    ASSIGN_OR_RETURN(const PoolAnswer answer, pool_.Run(Fill(canvas, *frame.colour)));
    ASSIGN_OR_RETURN(std::vector<RawBox> boxes,
                     DecodeOutputs(card_, *answer.outputs, canvas.size, answer.item, answer.batch));
    std::erase_if(
        boxes, [this](const RawBox& b) { return !reported_[static_cast<size_t>(b.class_index)]; });
    std::vector<RawBox> placed;
    for (const RawBox& box : boxes) {
      RawBox out;
      if (ToSource(canvas, box, width, height, regions, out)) placed.push_back(out);
    }
    return Named(SuppressDuplicates(std::move(placed), static_cast<float>(card_.most_overlap())),
                 width, height);
  }

  float confident_score() const override { return static_cast<float>(card_.confident_score()); }
  const std::string& name() const override { return card_.name(); }
  const std::string& sha256() const override { return card_.sha256(); }

 private:
  static DetectorPoolOptions PoolOptions(const Model& model, const DnnDetectorOptions& options) {
    DetectorPoolOptions pool = options.pool;
    pool.batchable = model.card.resizable();
    return pool;
  }

  // The canvas as the network wants it: planes of scaled numbers.
  Tensor Fill(const Canvas& canvas, const ColourSource& colour) const {
    Tensor input;
    input.shape = {1, 3, canvas.size.height, canvas.size.width};
    const auto columns = static_cast<size_t>(canvas.size.width);
    const size_t plane = columns * static_cast<size_t>(canvas.size.height);
    input.values.resize(3 * plane);
    for (int c = 0; c < 3; ++c) {
      const auto first = static_cast<std::ptrdiff_t>(plane) * c;
      std::fill_n(input.values.begin() + first, plane,
                  (static_cast<float>(card_.padding()) - Mean(c)) / Deviation(c));
    }
    for (const Tile& tile : canvas.tiles) {
      const BgrPicture picture = colour.Render(tile.source, tile.width, tile.height);
      for (int c = 0; c < 3; ++c) {
        const int from = card_.channels() == proto::ModelCard::CHANNELS_RGB ? 2 - c : c;
        CopyPlane(picture, from, Mean(c), 1 / Deviation(c),
                  input.values.data() + plane * static_cast<size_t>(c) +
                      static_cast<size_t>(tile.y) * columns + static_cast<size_t>(tile.x),
                  columns);
      }
    }
    return input;
  }

  static void CopyPlane(const BgrPicture& picture, int channel, float mean, float factor,
                        float* out, size_t row_step) {
    const uint8_t* in = picture.pixels.data() + channel;
    for (int y = 0; y < picture.height; ++y, out += row_step) {
      for (int x = 0; x < picture.width; ++x, in += 3) {
        out[x] = (static_cast<float>(*in) - mean) * factor;
      }
    }
  }

  float Mean(int channel) const { return static_cast<float>(card_.mean(channel)); }
  float Deviation(int channel) const { return static_cast<float>(card_.deviation(channel)); }

  std::vector<Detection> Named(const std::vector<RawBox>& boxes, int width, int height) const {
    const auto w = static_cast<float>(width);
    const auto h = static_cast<float>(height);
    std::vector<Detection> detections;
    for (const RawBox& box : boxes) {
      detections.push_back(
          {ClampToPicture({box.left / w, box.top / h, box.width / w, box.height / h}),
           card_.classes(box.class_index), box.score});
    }
    return detections;
  }

  const proto::ModelCard card_;
  const double most_scale_;
  std::vector<bool> reported_;  // by class index
  const std::unique_ptr<Metrics> own_metrics_;
  DetectorPool pool_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<Detector>> MakeDnnDetector(const std::string& card_path,
                                                          const DnnDetectorOptions& options) {
  ASSIGN_OR_RETURN(const Model model, LoadModel(card_path));
  ASSIGN_OR_RETURN(std::unique_ptr<DnnEngine> engine, MakeEngine(model, options.engine));
  return std::make_shared<DnnDetector>(model, std::move(engine), options);
}

absl::StatusOr<std::shared_ptr<Detector>> MakeDnnDetector(const proto::DetectorConfig& config,
                                                          const std::string& folder,
                                                          DnnDetectorOptions options) {
  const std::filesystem::path card(config.model_card());
  options.engine = config.engine();
  return MakeDnnDetector(
      card.is_absolute() ? card.string() : (std::filesystem::path(folder) / card).string(),
      options);
}

}  // namespace cordon
