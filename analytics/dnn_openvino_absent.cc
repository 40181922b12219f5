// SPDX-License-Identifier: Apache-2.0
// Built in place of dnn_openvino.cc when CMake finds no OpenVINO.
#include "analytics/dnn_engine.h"

namespace cordon {

bool HasOpenVino() { return false; }

absl::StatusOr<std::unique_ptr<DnnEngine>> MakeOpenVinoEngine(const Model& model) {
  return absl::UnimplementedError(
      fmt::format("{}: this build has no OpenVINO; run deploy/install-openvino and build with the "
                  "flag it prints, or use engine: auto",
                  model.card_path));
}

}  // namespace cordon
