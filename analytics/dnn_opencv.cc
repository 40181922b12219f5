// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>
#include <list>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/dnn.hpp>
#include <utility>

#include "analytics/dnn_engine.h"
#include "analytics/dnn_sigmoid.h"

namespace cordon {
namespace {

// A new input shape makes cv::dnn plan and allocate anew (2 to 5 ms for a network of 10 ms): the
// shapes in use keep a copy of the network each, up to this many.
constexpr size_t kMaxShapes = 8;

cv::dnn::Net ReadNet(const Model& model) {
  const std::vector<uchar> network(model.network.begin(), model.network.end());
  const std::vector<uchar> structure(model.structure.begin(), model.structure.end());
  switch (model.card.format()) {
    case proto::ModelCard::FORMAT_CAFFE:
      return cv::dnn::readNetFromCaffe(structure, network);
    case proto::ModelCard::FORMAT_DARKNET:
      return cv::dnn::readNetFromDarknet(structure, network);
    default:
      return cv::dnn::readNetFromONNX(network);
  }
}

// OpenCV's messages run over several lines; the first says what happened.
std::string OneLine(const std::string& text) {
  const size_t begin = text.find_first_not_of("> \n");
  return begin == std::string::npos ? text : text.substr(begin, text.find('\n', begin) - begin);
}

class OpenCvEngine final : public DnnEngine {
 public:
  explicit OpenCvEngine(const Model& model) : model_(model) {}

  // Throws cv::Exception when the network cannot be read.
  void Load() { nets_.push_front({{}, Read()}); }

  absl::StatusOr<std::vector<Tensor>> Run(const Tensor& input) override {
    try {
      cv::dnn::Net& net = NetFor(input.shape);
      // cv::dnn only reads its input.
      net.setInput(cv::Mat(input.shape, CV_32F, const_cast<float*>(input.values.data())));
      std::vector<cv::Mat> outputs;
      net.forward(outputs, net.getUnconnectedOutLayersNames());
      std::vector<Tensor> tensors;
      for (const cv::Mat& output : outputs) {
        tensors.push_back(
            {std::vector<int>(output.size.p, output.size.p + output.dims),
             std::vector<float>(output.ptr<float>(), output.ptr<float>() + output.total())});
      }
      return tensors;
    } catch (const cv::Exception& error) {
      return absl::InternalError(
          fmt::format("{}: OpenCV cannot run it: {}", model_.card.name(), error.err));
    }
  }

  const std::string& name() const override {
    static const std::string kName = "opencv";
    return kName;
  }

 private:
  struct Shaped {
    std::vector<int> shape;
    cv::dnn::Net net;
  };

  cv::dnn::Net Read() const {
    cv::dnn::Net net = ReadNet(model_);
    net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
    net.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
    return net;
  }

  // The copy for this shape: its own, an unused one, a new one, or the one unused for longest.
  cv::dnn::Net& NetFor(const std::vector<int>& shape) {
    auto copy = std::find_if(nets_.begin(), nets_.end(),
                             [&](const Shaped& s) { return s.shape.empty() || s.shape == shape; });
    if (copy == nets_.end() && nets_.size() < kMaxShapes) {
      nets_.push_front({{}, Read()});
      copy = nets_.begin();
    } else if (copy == nets_.end()) {
      copy = std::prev(nets_.end());
    }
    copy->shape = shape;
    nets_.splice(nets_.begin(), nets_, copy);
    return nets_.front().net;
  }

  const Model model_;
  std::list<Shaped> nets_;  // newest use first
};

}  // namespace

absl::StatusOr<std::unique_ptr<DnnEngine>> MakeOpenCvEngine(const Model& model) {
  UseFastSigmoid();
  // OpenCV would write its own lines to stderr beside the one that we report.
  cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  auto engine = std::make_unique<OpenCvEngine>(model);
  try {
    engine->Load();
  } catch (const cv::Exception& error) {
    return absl::InvalidArgumentError(
        fmt::format("{}: OpenCV {} cannot read '{}' ({}); try engine: openvino or export it anew",
                    model.card_path, CV_VERSION, model.card.model(), OneLine(error.err)));
  }
  return engine;
}

}  // namespace cordon
