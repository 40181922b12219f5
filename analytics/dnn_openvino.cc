// SPDX-License-Identifier: Apache-2.0
// The second engine. Built when CMake finds OpenVINO (deploy/install-openvino); nothing else knows
// it.
#include <algorithm>
#include <openvino/openvino.hpp>
#include <utility>

#include "analytics/dnn_engine.h"

namespace cordon {
namespace {

class OpenVinoEngine final : public DnnEngine {
 public:
  explicit OpenVinoEngine(const Model& model) : model_name_(model.card.name()) {
    const std::shared_ptr<ov::Model> network = core_.read_model(model.network, ov::Tensor());
    if (model.card.resizable()) {
      network->reshape(
          ov::PartialShape{ov::Dimension(1, -1), 3, ov::Dimension(1, -1), ov::Dimension(1, -1)});
    }
    // Full precision: the same answers on every machine, whatever short numbers its processor has.
    ov::CompiledModel compiled = core_.compile_model(
        network, "CPU", ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY),
        ov::hint::inference_precision(ov::element::f32), ov::num_streams(1));
    request_ = compiled.create_infer_request();
    outputs_ = compiled.outputs().size();
  }

  absl::StatusOr<std::vector<Tensor>> Run(const Tensor& input) override {
    try {
      ov::Shape shape;
      for (const int length : input.shape) shape.push_back(static_cast<size_t>(length));
      // OpenVINO only reads its input.
      request_.set_input_tensor(
          ov::Tensor(ov::element::f32, shape, const_cast<float*>(input.values.data())));
      request_.infer();
      std::vector<Tensor> tensors;
      for (size_t i = 0; i < outputs_; ++i) {
        const ov::Tensor output = request_.get_output_tensor(i);
        Tensor tensor;
        for (const size_t length : output.get_shape())
          tensor.shape.push_back(static_cast<int>(length));
        const float* values = output.data<const float>();
        tensor.values.assign(values, values + output.get_size());
        tensors.push_back(std::move(tensor));
      }
      return tensors;
    } catch (const std::exception& error) {
      return absl::InternalError(
          fmt::format("{}: OpenVINO cannot run it: {}", model_name_, error.what()));
    }
  }

  const std::string& name() const override {
    static const std::string kName = "openvino";
    return kName;
  }

 private:
  const std::string model_name_;
  ov::Core core_;
  ov::InferRequest request_;
  size_t outputs_ = 0;
};

}  // namespace

bool HasOpenVino() { return true; }

absl::StatusOr<std::unique_ptr<DnnEngine>> MakeOpenVinoEngine(const Model& model) {
  if (model.card.format() != proto::ModelCard::FORMAT_ONNX) {
    return absl::InvalidArgumentError(
        model.card_path + ": OpenVINO reads ONNX models only; use engine: opencv or auto");
  }
  try {
    return std::make_unique<OpenVinoEngine>(model);
  } catch (const std::exception& error) {
    std::string cause = error.what();
    std::replace(cause.begin(), cause.end(), '\n', ' ');
    return absl::InvalidArgumentError(
        fmt::format("{}: OpenVINO cannot read '{}' ({}); use engine: opencv", model.card_path,
                    model.card.model(), cause));
  }
}

}  // namespace cordon
