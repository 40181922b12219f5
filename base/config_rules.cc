// SPDX-License-Identifier: Apache-2.0
#include "base/config_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "absl/strings/ascii.h"
#include "base/check.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/message.h"

namespace cordon {
namespace {

namespace pb = google::protobuf;

// One field of the option message by its name.
class OptionReader {
 public:
  explicit OptionReader(const pb::Message& option) : option_(option) {}
  std::string Text(const char* name) const {
    return option_.GetReflection()->GetString(option_, Field(name));
  }
  bool Flag(const char* name) const {
    return option_.GetReflection()->GetBool(option_, Field(name));
  }
  std::optional<double> Number(const char* name) const {
    if (!option_.GetReflection()->HasField(option_, Field(name))) return std::nullopt;
    return option_.GetReflection()->GetDouble(option_, Field(name));
  }
  std::optional<uint32_t> Count(const char* name) const {
    if (!option_.GetReflection()->HasField(option_, Field(name))) return std::nullopt;
    return option_.GetReflection()->GetUInt32(option_, Field(name));
  }

 private:
  const pb::FieldDescriptor* Field(const char* name) const {
    const pb::FieldDescriptor* field = option_.GetDescriptor()->FindFieldByName(name);
    CORDON_CHECK(field != nullptr,
                 "proto/options.proto and base/config_rules.cc name the same fields");
    return field;
  }
  const pb::Message& option_;
};

std::string UpperSnake(std::string_view camel) {
  std::string text;
  for (const char c : camel) {
    if (std::isupper(static_cast<unsigned char>(c)) && !text.empty()) text += '_';
    text += absl::ascii_toupper(static_cast<unsigned char>(c));
  }
  return text;
}

// Optimal string alignment distance.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] =
          std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

FieldRules RulesOf(const pb::FieldDescriptor& field) {
  FieldRules rules;
  const pb::FieldDescriptor* extension =
      pb::DescriptorPool::generated_pool()->FindExtensionByName("cordon.proto.cfg");
  if (extension == nullptr) return rules;
  const pb::FieldOptions& options = field.options();
  if (!options.GetReflection()->HasField(options, extension)) return rules;
  const OptionReader option(options.GetReflection()->GetMessage(options, extension));
  rules.doc = option.Text("doc");
  rules.unit = option.Text("unit");
  rules.required = option.Flag("required");
  rules.default_value = option.Text("default_value");
  rules.min = option.Number("min");
  rules.max = option.Number("max");
  rules.pattern = option.Text("pattern");
  rules.pattern_hint = option.Text("pattern_hint");
  rules.min_items = option.Count("min_items");
  rules.max_items = option.Count("max_items");
  rules.secret = option.Flag("secret");
  return rules;
}

std::string RangeText(const FieldRules& rules) {
  const std::string unit = rules.unit.empty() ? "" : " " + rules.unit;
  if (rules.min && rules.max) return fmt::format("{}..{}{}", *rules.min, *rules.max, unit);
  if (rules.min) return fmt::format("at least {}{}", *rules.min, unit);
  if (rules.max) return fmt::format("at most {}{}", *rules.max, unit);
  return "";
}

std::string EnumKey(const pb::EnumValueDescriptor& value) {
  std::string_view name = value.name();
  const std::string prefix = UpperSnake(value.type()->name()) + "_";
  if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  if (name == "UNSPECIFIED") return "";
  return absl::AsciiStrToLower(absl::string_view(name.data(), name.size()));
}

std::vector<std::string> EnumKeys(const pb::EnumDescriptor& type) {
  std::vector<std::string> keys;
  for (int i = 0; i < type.value_count(); ++i)
    if (std::string key = EnumKey(*type.value(i)); !key.empty()) keys.push_back(std::move(key));
  return keys;
}

std::string NearestName(std::string_view text, const std::vector<std::string>& names) {
  constexpr size_t kLongestName = 64;  // beyond that nobody mistyped a key
  if (text.size() > kLongestName) return "";
  std::string nearest;
  size_t least = std::min<size_t>(3, std::max<size_t>(1, text.size() / 3)) + 1;
  for (const std::string& name : names) {
    const size_t distance = EditDistance(text, name);
    if (distance >= least) continue;
    least = distance;
    nearest = name;
  }
  return nearest;
}

}  // namespace cordon
