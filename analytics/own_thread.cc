// SPDX-License-Identifier: Apache-2.0
#include "analytics/own_thread.h"

#include <opencv2/core/utility.hpp>

namespace cordon {

void KeepToCallingThread() { cv::setNumThreads(1); }

}  // namespace cordon
