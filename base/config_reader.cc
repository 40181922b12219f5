// SPDX-License-Identifier: Apache-2.0
#include "base/config_reader.h"
