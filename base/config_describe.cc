// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "base/config_reader.h"
#include "base/config_rules.h"

namespace cordon {
namespace {

namespace pb = google::protobuf;

std::string TypeText(const pb::FieldDescriptor& field) {
  std::string text;
  switch (field.cpp_type()) {
    case pb::FieldDescriptor::CPPTYPE_MESSAGE:
      text = fmt::format("[{}](#{})", field.message_type()->name(),
                         absl::AsciiStrToLower(field.message_type()->name()));
      break;
    case pb::FieldDescriptor::CPPTYPE_ENUM:
      text = absl::StrJoin(EnumKeys(*field.enum_type()), ", ");
      break;
    case pb::FieldDescriptor::CPPTYPE_BOOL:
      text = "true or false";
      break;
    case pb::FieldDescriptor::CPPTYPE_STRING:
      text = "text";
      break;
    case pb::FieldDescriptor::CPPTYPE_FLOAT:
    case pb::FieldDescriptor::CPPTYPE_DOUBLE:
      text = "number";
      break;
    default:
      text = "whole number";
  }
  return field.is_repeated() ? "list of " + text : text;
}

std::string Limits(const FieldRules& rules) {
  std::vector<std::string> parts;
  if (std::string range = RangeText(rules); !range.empty()) {
    parts.push_back(std::move(range));
  } else if (!rules.unit.empty()) {
    parts.push_back(rules.unit);
  }
  if (!rules.pattern_hint.empty()) parts.push_back(rules.pattern_hint);
  if (rules.min_items) parts.push_back(fmt::format("at least {} items", *rules.min_items));
  if (rules.max_items) parts.push_back(fmt::format("at most {} items", *rules.max_items));
  return absl::StrJoin(parts, "; ");
}

std::string Cell(const std::string& text) { return absl::StrReplaceAll(text, {{"|", "\\|"}}); }

void DescribeMessage(const pb::Descriptor& schema, std::set<const pb::Descriptor*>& done,
                     std::string& out) {
  if (!done.insert(&schema).second) return;
  out +=
      fmt::format("\n## {}\n\n| key | type | default | limits | meaning |\n|---|---|---|---|---|\n",
                  schema.name());
  for (int i = 0; i < schema.field_count(); ++i) {
    const pb::FieldDescriptor& field = *schema.field(i);
    const FieldRules rules = RulesOf(field);
    const std::string fallback = rules.required                ? "**required**"
                                 : rules.default_value.empty() ? ""
                                                               : "`" + rules.default_value + "`";
    out += fmt::format("| `{}` | {} | {} | {} | {} |\n", field.name(), Cell(TypeText(field)),
                       Cell(fallback), Cell(Limits(rules)), Cell(rules.doc));
  }
  for (int i = 0; i < schema.field_count(); ++i)
    if (schema.field(i)->cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE)
      DescribeMessage(*schema.field(i)->message_type(), done, out);
}

}  // namespace

std::string DescribeConfig(const pb::Descriptor& schema) {
  std::string out =
      "# Configuration reference\n\nGenerated from the schema by `cordon check --describe`; every "
      "key, its unit, "
      "default and limits.\nAn unknown key, a wrong type or a value outside its limits stops the "
      "start with "
      "`file:line:column`.\n";
  std::set<const pb::Descriptor*> done;
  DescribeMessage(schema, done, out);
  return out;
}

}  // namespace cordon
