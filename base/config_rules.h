// SPDX-License-Identifier: Apache-2.0
// What the schema says of a configuration field. Shared by the reader and the reference writer;
// nothing else needs it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/descriptor.h"

namespace cordon {

// The field option `cordon.proto.cfg` (proto/options.proto), read by name through reflection so
// that base/ needs no generated code. A field without the option has the zero value of everything.
struct FieldRules {
  std::string doc;
  std::string unit;
  bool required = false;
  std::string default_value;
  std::optional<double> min;
  std::optional<double> max;
  std::string pattern;
  std::string pattern_hint;
  std::optional<uint32_t> min_items;
  std::optional<uint32_t> max_items;
  bool secret = false;
};
FieldRules RulesOf(const google::protobuf::FieldDescriptor& field);

// "0.1..256 cores", "at least 3", or empty when anything goes.
std::string RangeText(const FieldRules& rules);

// TRANSPORT_TCP of enum Transport -> "tcp". Empty for the *_UNSPECIFIED value: it cannot be
// written.
std::string EnumKey(const google::protobuf::EnumValueDescriptor& value);
std::vector<std::string> EnumKeys(const google::protobuf::EnumDescriptor& type);

// The name that a person who typed `text` most likely meant: fewest edits (insert, delete, replace,
// swap neighbours), at most a third of the length and never more than 3. Empty: none is near.
std::string NearestName(std::string_view text, const std::vector<std::string>& names);

}  // namespace cordon
