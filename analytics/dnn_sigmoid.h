// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace cordon {

// Puts a vectorised Sigmoid layer in place of OpenCV 4.6's, which calls the scalar exp() for each
// value: networks with SiLU activations (YOLOX, YOLOv5, YOLOv8) spend most of their time there.
// Process-wide, for networks loaded afterwards; may be called again. Within 1e-6 of the original.
// bench/detectors measures what it gives.
void UseFastSigmoid();

}  // namespace cordon
