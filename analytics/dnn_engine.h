// SPDX-License-Identifier: Apache-2.0
// What runs a network: OpenCV's cv::dnn always, OpenVINO where it is built in.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "analytics/model_card.h"
#include "base/status.h"

namespace cordon {

// Dense numbers, row-major.
struct Tensor {
  std::vector<int> shape;
  std::vector<float> values;
};

// One loaded network. Used by one thread at a time. Same input, same output.
class DnnEngine {
 public:
  virtual ~DnnEngine() = default;

  // `input` is N x 3 x height x width, already scaled as the card says. The outputs' order is the
  // network's. INTERNAL: the network cannot run on this input; the engine stays usable.
  virtual absl::StatusOr<std::vector<Tensor>> Run(const Tensor& input) = 0;

  virtual const std::string& name() const = 0;  // "opencv" or "openvino"
};

// INVALID_ARGUMENT: the engine cannot read this network; the message names it and what to do.
absl::StatusOr<std::unique_ptr<DnnEngine>> MakeOpenCvEngine(const Model& model);

// Also UNIMPLEMENTED when Cordon was built without OpenVINO (deploy/install-openvino).
absl::StatusOr<std::unique_ptr<DnnEngine>> MakeOpenVinoEngine(const Model& model);

// Is OpenVINO built in?
bool HasOpenVino();

// `auto` takes what the card measured as faster where that is built in and reads the network, else
// OpenCV; it logs why.
absl::StatusOr<std::unique_ptr<DnnEngine>> MakeEngine(const Model& model,
                                                      proto::DetectorConfig::Engine engine);

}  // namespace cordon
