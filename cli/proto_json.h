// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "google/protobuf/message.h"

namespace cordon::cli {

// One line of JSON with the field names of the schema, enums by name, defaults left out, bytes in
// base 64. The same message gives the same text: map entries are sorted by key (protobuf's own
// printer leaves their order to chance).
std::string ToJson(const google::protobuf::Message& message);

}  // namespace cordon::cli
