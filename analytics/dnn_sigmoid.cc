// SPDX-License-Identifier: Apache-2.0
#include "analytics/dnn_sigmoid.h"

#include <algorithm>
#include <mutex>
#include <opencv2/core/hal/hal.hpp>
#include <opencv2/core/utility.hpp>
#include <opencv2/dnn.hpp>
#include <opencv2/dnn/layer.details.hpp>
#include <vector>

namespace cordon {
namespace {

// Stays in the first-level cache between its passes.
constexpr int kBlock = 2048;

void SigmoidBlock(const float* in, float* out, int count) {
  for (int i = 0; i < count; ++i) out[i] = -std::clamp(in[i], -87.0F, 87.0F);
  cv::hal::exp32f(out, out, count);
  for (int i = 0; i < count; ++i) out[i] = 1.0F / (1.0F + out[i]);
}

class SigmoidLayer final : public cv::dnn::Layer {
 public:
  explicit SigmoidLayer(const cv::dnn::LayerParams& params) : Layer(params) {}

  static cv::Ptr<cv::dnn::Layer> create(cv::dnn::LayerParams& params) {
    return cv::makePtr<SigmoidLayer>(params);
  }

  void forward(cv::InputArrayOfArrays inputs_array, cv::OutputArrayOfArrays outputs_array,
               cv::OutputArrayOfArrays /*internals*/) override {
    std::vector<cv::Mat> inputs;
    std::vector<cv::Mat> outputs;
    inputs_array.getMatVector(inputs);
    outputs_array.getMatVector(outputs);
    for (size_t i = 0; i < inputs.size(); ++i) {
      const auto count = static_cast<int>(inputs[i].total());
      const float* in = inputs[i].ptr<float>();
      float* out = outputs[i].ptr<float>();
      cv::parallel_for_(cv::Range(0, (count + kBlock - 1) / kBlock), [&](const cv::Range& blocks) {
        for (int b = blocks.start; b < blocks.end; ++b) {
          SigmoidBlock(in + b * kBlock, out + b * kBlock, std::min(kBlock, count - b * kBlock));
        }
      });
    }
  }
};

}  // namespace

void UseFastSigmoid() {
  static std::once_flag once;
  std::call_once(once,
                 [] { cv::dnn::LayerFactory::registerLayer("Sigmoid", SigmoidLayer::create); });
}

}  // namespace cordon
