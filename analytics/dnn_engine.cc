// SPDX-License-Identifier: Apache-2.0
#include "analytics/dnn_engine.h"

#include "base/log.h"

namespace cordon {

absl::StatusOr<std::unique_ptr<DnnEngine>> MakeEngine(const Model& model,
                                                      proto::DetectorConfig::Engine engine) {
  if (engine == proto::DetectorConfig::ENGINE_OPENCV) return MakeOpenCvEngine(model);
  if (engine == proto::DetectorConfig::ENGINE_OPENVINO) return MakeOpenVinoEngine(model);
  if (model.card.fastest() == proto::DetectorConfig::ENGINE_OPENVINO && HasOpenVino()) {
    auto made = MakeOpenVinoEngine(model);
    if (made.ok()) return made;
    log::Warning("OpenVINO cannot run this model, OpenCV takes it",
                 {{"model", model.card.name()}, {"cause", std::string(MessageOf(made.status()))}});
  }
  return MakeOpenCvEngine(model);
}

}  // namespace cordon
