// SPDX-License-Identifier: Apache-2.0
#include "base/config_reader.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <regex>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "base/check.h"
#include "base/config_rules.h"
#include "base/file_util.h"
#include "base/limits.h"

namespace cordon {
namespace {

namespace pb = google::protobuf;
using Field = pb::FieldDescriptor;

// Aliases can make a small file unfold without end; more values than this are no configuration.
constexpr size_t kMaxValues = 1'000'000;
// std::regex recurses per character.
constexpr size_t kMaxPatternedText = 1024;
// Value texts quoted in messages.
constexpr size_t kMaxQuoted = 60;

std::string Quote(std::string_view text) {
  std::string shown(text.substr(0, kMaxQuoted));
  for (char& c : shown)
    if (static_cast<unsigned char>(c) < 0x20) c = '?';
  return fmt::format("'{}{}'", shown, text.size() > kMaxQuoted ? "..." : "");
}

bool IsQuoted(const YAML::Node& node) { return node.Tag() == "!"; }

bool HasRequired(const pb::Descriptor& type) {
  for (int i = 0; i < type.field_count(); ++i)
    if (RulesOf(*type.field(i)).required) return true;
  return false;
}

class ConfigTreeReader {
 public:
  ConfigTreeReader(std::string file, ConfigPlaces* places)
      : file_(std::move(file)), places_(places) {}

  void ReadMessage(const YAML::Node& node, const YAML::Mark& at, const std::string& path,
                   pb::Message& into);
  void Problem(const YAML::Mark& mark, std::string message) {
    problems_.push_back({file_, mark.line + 1, mark.column + 1, std::move(message)});
  }
  std::vector<ConfigProblem> TakeProblems() {
    if (values_ > kMaxValues)
      problems_.push_back(
          {file_, 1, 1, "the file unfolds to too many values; remove the aliases (*)"});
    std::stable_sort(problems_.begin(), problems_.end(), [](const auto& a, const auto& b) {
      return std::pair(a.line, a.column) < std::pair(b.line, b.column);
    });
    return std::move(problems_);
  }

 private:
  void ReadField(const YAML::Node& node, const YAML::Mark& at, const std::string& path,
                 const Field& field, pb::Message& into);
  void ReadList(const YAML::Node& node, const YAML::Mark& at, const std::string& path,
                const Field& field, const FieldRules& rules, pb::Message& into);
  void ReadScalar(const YAML::Node& node, const YAML::Mark& at, const std::string& path,
                  const Field& field, const FieldRules& rules, pb::Message& into);
  void ReadText(const std::string& text, const YAML::Mark& at, const std::string& path,
                const Field& field, const FieldRules& rules, pb::Message& into);
  void ReadEnum(const std::string& text, const YAML::Mark& at, const std::string& path,
                const Field& field, pb::Message& into);
  void ReadNumber(const std::string& text, const YAML::Mark& at, const std::string& path,
                  const Field& field, const FieldRules& rules, pb::Message& into);
  void UnknownKey(const std::string& key, const YAML::Mark& at, const std::string& path,
                  const pb::Descriptor& type);
  void FillAbsent(const std::set<std::string>& seen, const YAML::Mark& at, const std::string& path,
                  pb::Message& into);
  void CheckIdsDiffer(const YAML::Node& list, const std::string& path, const Field& field);

  void Note(const std::string& path, const YAML::Mark& mark) {
    if (places_ != nullptr) places_->Add(path, mark.line + 1, mark.column + 1);
  }

  const std::string file_;
  ConfigPlaces* const places_;
  std::vector<ConfigProblem> problems_;
  std::map<const Field*, std::regex> patterns_;
  size_t values_ = 0;
};

std::string Join(const std::string& path, const std::string& key) {
  return path.empty() ? key : path + "." + key;
}

std::string Named(const std::string& path) { return path.empty() ? "the file" : path; }

// yaml-cpp gives a value that was left out no place of its own.
YAML::Mark MarkOf(const YAML::Node& node, const YAML::Mark& otherwise) {
  const YAML::Mark mark = node.Mark();
  return mark.is_null() || node.IsNull() ? otherwise : mark;
}

// ---- storing, singular or repeated alike ----

void StoreText(pb::Message& into, const Field& field, const std::string& value) {
  const pb::Reflection& access = *into.GetReflection();
  field.is_repeated() ? access.AddString(&into, &field, value)
                      : access.SetString(&into, &field, value);
}

void StoreBool(pb::Message& into, const Field& field, bool value) {
  const pb::Reflection& access = *into.GetReflection();
  field.is_repeated() ? access.AddBool(&into, &field, value) : access.SetBool(&into, &field, value);
}

void StoreEnum(pb::Message& into, const Field& field, const pb::EnumValueDescriptor* value) {
  const pb::Reflection& access = *into.GetReflection();
  field.is_repeated() ? access.AddEnum(&into, &field, value) : access.SetEnum(&into, &field, value);
}

template <class N>
bool ParseNumber(const std::string& text, N& value) {
  if constexpr (std::is_floating_point_v<N>) {
    double wide = 0;
    if (text.find_first_not_of("0123456789+-.eE") != std::string::npos)
      return false;  // no hex, no inf
    if (!absl::SimpleAtod(text, &wide) || !std::isfinite(wide)) return false;
    value = static_cast<N>(wide);
    return std::isfinite(value);
  } else {
    return absl::SimpleAtoi(text, &value);
  }
}

// Parses and stores; the value as a double for the range check, or empty when the text is no such
// number.
std::optional<double> StoreNumber(pb::Message& into, const Field& field, const std::string& text) {
  const pb::Reflection& access = *into.GetReflection();
  const bool many = field.is_repeated();
  const auto store = [&](auto value, auto add, auto set) -> std::optional<double> {
    if (!ParseNumber(text, value)) return std::nullopt;
    many ? (access.*add)(&into, &field, value) : (access.*set)(&into, &field, value);
    return static_cast<double>(value);
  };
  using R = pb::Reflection;
  switch (field.cpp_type()) {
    case Field::CPPTYPE_INT32:
      return store(int32_t{}, &R::AddInt32, &R::SetInt32);
    case Field::CPPTYPE_UINT32:
      return store(uint32_t{}, &R::AddUInt32, &R::SetUInt32);
    case Field::CPPTYPE_INT64:
      return store(int64_t{}, &R::AddInt64, &R::SetInt64);
    case Field::CPPTYPE_UINT64:
      return store(uint64_t{}, &R::AddUInt64, &R::SetUInt64);
    case Field::CPPTYPE_FLOAT:
      return store(float{}, &R::AddFloat, &R::SetFloat);
    case Field::CPPTYPE_DOUBLE:
      return store(double{}, &R::AddDouble, &R::SetDouble);
    default:
      CORDON_CHECK(false, "not a number field");
      return std::nullopt;
  }
}

// ---- reading ----

void ConfigTreeReader::ReadMessage(const YAML::Node& node, const YAML::Mark& at,
                                   const std::string& path, pb::Message& into) {
  if (!node.IsMap()) {
    Problem(at, fmt::format("{} must be 'key: value' lines", Named(path)));
    return;
  }
  const pb::Descriptor& type = *into.GetDescriptor();
  std::set<std::string> seen;
  std::map<const pb::OneofDescriptor*, std::string> chosen;
  for (const auto& entry : node) {
    if (++values_ > kMaxValues) return;  // said once, by ReadConfig
    const YAML::Mark key_mark = MarkOf(entry.first, at);
    if (!entry.first.IsScalar()) {
      Problem(key_mark, fmt::format("a key of {} is not plain text", Named(path)));
      continue;
    }
    const std::string key = entry.first.Scalar();
    const Field* field = type.FindFieldByName(key);
    if (field == nullptr) {
      UnknownKey(key, key_mark, path, type);
      continue;
    }
    if (!seen.insert(key).second) {
      Problem(key_mark, fmt::format("{} is given twice; keep one", Quote(Join(path, key))));
      continue;
    }
    if (const pb::OneofDescriptor* oneof = field->real_containing_oneof()) {
      const auto [other, first] = chosen.emplace(oneof, key);
      if (!first)
        Problem(key_mark, fmt::format("give {} or {}, not both", Quote(other->second), Quote(key)));
    }
    const YAML::Mark value_mark = MarkOf(entry.second, key_mark);
    Note(Join(path, key), value_mark);
    ReadField(entry.second, value_mark, Join(path, key), *field, into);
  }
  FillAbsent(seen, at, path, into);
}

void ConfigTreeReader::UnknownKey(const std::string& key, const YAML::Mark& at,
                                  const std::string& path, const pb::Descriptor& type) {
  if (key == "<<") {
    Problem(at, "merge keys (<<) are not supported; write the values out");
    return;
  }
  std::vector<std::string> names;
  for (int i = 0; i < type.field_count(); ++i) names.push_back(type.field(i)->name());
  const std::string nearest = NearestName(key, names);
  Problem(at, fmt::format("unknown key {} in {}; {}", Quote(key), Named(path),
                          nearest.empty() ? "known keys: " + absl::StrJoin(names, ", ")
                                          : fmt::format("did you mean '{}'?", nearest)));
}

void ConfigTreeReader::ReadField(const YAML::Node& node, const YAML::Mark& at,
                                 const std::string& path, const Field& field, pb::Message& into) {
  CORDON_CHECK(!field.is_map(), "the configuration schema has no maps");
  const FieldRules rules = RulesOf(field);
  if (node.IsNull() && !IsQuoted(node)) {
    Problem(at, fmt::format("{} has no value; give one or remove the key", path));
  } else if (field.is_repeated()) {
    ReadList(node, at, path, field, rules, into);
  } else if (field.cpp_type() == Field::CPPTYPE_MESSAGE) {
    ReadMessage(node, at, path, *into.GetReflection()->MutableMessage(&into, &field));
  } else {
    ReadScalar(node, at, path, field, rules, into);
  }
}

void ConfigTreeReader::ReadList(const YAML::Node& node, const YAML::Mark& at,
                                const std::string& path, const Field& field,
                                const FieldRules& rules, pb::Message& into) {
  if (!node.IsSequence()) {
    Problem(at, fmt::format("{} must be a list: [a, b] or lines that begin with '-'", path));
    return;
  }
  if (rules.min_items && node.size() < *rules.min_items)
    Problem(at, fmt::format("{} has {} items; it needs at least {}", path, node.size(),
                            *rules.min_items));
  if (rules.max_items && node.size() > *rules.max_items) {
    Problem(at, fmt::format("{} has {} items; at most {} are allowed", path, node.size(),
                            *rules.max_items));
    return;
  }
  size_t index = 0;
  for (const auto& item : node) {
    if (++values_ > kMaxValues) return;
    const std::string item_path = fmt::format("{}[{}]", path, index++);
    const YAML::Mark mark = MarkOf(item, at);
    if (field.cpp_type() == Field::CPPTYPE_MESSAGE) Note(item_path, mark);
    if (item.IsNull() && !IsQuoted(item)) {
      Problem(mark, fmt::format("{} has no value; give one or remove the '-'", item_path));
    } else if (field.cpp_type() == Field::CPPTYPE_MESSAGE) {
      ReadMessage(item, mark, item_path, *into.GetReflection()->AddMessage(&into, &field));
    } else {
      ReadScalar(item, mark, item_path, field, rules, into);
    }
  }
  CheckIdsDiffer(node, path, field);
}

void ConfigTreeReader::CheckIdsDiffer(const YAML::Node& list, const std::string& path,
                                      const Field& field) {
  if (field.cpp_type() != Field::CPPTYPE_MESSAGE) return;
  if (field.message_type()->FindFieldByName("id") == nullptr) return;
  std::map<std::string, int> first_line;
  for (const auto& item : list) {
    if (!item.IsMap()) continue;
    const YAML::Node id = item["id"];
    if (!id || !id.IsScalar()) continue;
    const auto [earlier, is_new] = first_line.emplace(id.Scalar(), id.Mark().line + 1);
    if (!is_new)
      Problem(id.Mark(),
              fmt::format("id {} is used twice in {} (first in line {}); each needs its own",
                          Quote(id.Scalar()), path, earlier->second));
  }
}

void ConfigTreeReader::ReadScalar(const YAML::Node& node, const YAML::Mark& at,
                                  const std::string& path, const Field& field,
                                  const FieldRules& rules, pb::Message& into) {
  if (!node.IsScalar()) {
    Problem(at, fmt::format("{} must be one value, not a list or keys", path));
    return;
  }
  const std::string& text = node.Scalar();
  switch (field.cpp_type()) {
    case Field::CPPTYPE_STRING:
      return ReadText(text, at, path, field, rules, into);
    case Field::CPPTYPE_ENUM:
      return ReadEnum(text, at, path, field, into);
    case Field::CPPTYPE_BOOL:
      if (IsQuoted(node) || (text != "true" && text != "false")) {
        Problem(at, fmt::format("{} is {}; write true or false", path, Quote(text)));
      } else {
        StoreBool(into, field, text == "true");
      }
      return;
    default:
      break;
  }
  if (IsQuoted(node)) {
    Problem(at,
            fmt::format("{} is the text {}; write the number without quotes", path, Quote(text)));
  } else {
    ReadNumber(text, at, path, field, rules, into);
  }
}

void ConfigTreeReader::ReadText(const std::string& text, const YAML::Mark& at,
                                const std::string& path, const Field& field,
                                const FieldRules& rules, pb::Message& into) {
  const std::string shown = rules.secret ? "the value" : Quote(text);
  if (rules.required && text.empty()) {
    Problem(at, fmt::format("{} must not be empty: {}", path, rules.doc));
    return;
  }
  if (!rules.pattern.empty()) {
    auto [pattern, is_new] = patterns_.try_emplace(&field);
    if (is_new) pattern->second = std::regex(rules.pattern, std::regex::ECMAScript);
    if (text.size() > kMaxPatternedText || !std::regex_match(text, pattern->second)) {
      Problem(at, fmt::format("{}: {} does not fit; it must be {}", path, shown,
                              rules.pattern_hint.empty() ? rules.pattern : rules.pattern_hint));
      return;
    }
  }
  StoreText(into, field, text);
}

void ConfigTreeReader::ReadEnum(const std::string& text, const YAML::Mark& at,
                                const std::string& path, const Field& field, pb::Message& into) {
  const pb::EnumDescriptor& type = *field.enum_type();
  for (int i = 0; i < type.value_count(); ++i) {
    const std::string key = EnumKey(*type.value(i));
    if (!key.empty() && key == text) return StoreEnum(into, field, type.value(i));
  }
  const std::vector<std::string> keys = EnumKeys(type);
  const std::string nearest = NearestName(text, keys);
  Problem(at, fmt::format("{}: {} is not one of {}{}", path, Quote(text), absl::StrJoin(keys, ", "),
                          nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest)));
}

void ConfigTreeReader::ReadNumber(const std::string& text, const YAML::Mark& at,
                                  const std::string& path, const Field& field,
                                  const FieldRules& rules, pb::Message& into) {
  const std::string range = RangeText(rules);
  const std::string wanted = range.empty() ? "" : fmt::format("; it must be {}", range);
  const std::optional<double> value = StoreNumber(into, field, text);
  if (!value) {
    const bool fraction =
        field.cpp_type() == Field::CPPTYPE_DOUBLE || field.cpp_type() == Field::CPPTYPE_FLOAT;
    Problem(at, fmt::format("{} is {}, not a {}{}", path, Quote(text),
                            fraction ? "number" : "whole number that fits", wanted));
  } else if ((rules.min && *value < *rules.min) || (rules.max && *value > *rules.max)) {
    Problem(at, fmt::format("{} is {}{}", path, text, wanted));
  }
}

void ConfigTreeReader::FillAbsent(const std::set<std::string>& seen, const YAML::Mark& at,
                                  const std::string& path, pb::Message& into) {
  const pb::Descriptor& type = *into.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const Field& field = *type.field(i);
    if (seen.contains(field.name())) continue;
    const FieldRules rules = RulesOf(field);
    const std::string field_path = Join(path, field.name());
    if (rules.required) {
      Problem(at, fmt::format("{} needs '{}': {}", Named(path), field.name(), rules.doc));
    } else if (field.cpp_type() == Field::CPPTYPE_MESSAGE && !field.is_repeated()) {
      const bool usable = !HasRequired(*field.message_type()) && field.message_type() != &type;
      if (usable && field.real_containing_oneof() == nullptr)
        FillAbsent({}, at, field_path, *into.GetReflection()->MutableMessage(&into, &field));
    } else if (!rules.default_value.empty()) {
      const size_t before = problems_.size();
      const YAML::Node value =
          field.is_repeated() ? YAML::Load(rules.default_value) : YAML::Node(rules.default_value);
      ReadField(value, at, field_path, field, into);
      CORDON_CHECK(problems_.size() == before, "a default of the schema breaks its own rules");
    }
  }
}

// Line and column of the first byte that is not UTF-8 text.
std::optional<YAML::Mark> FirstBadByte(const std::string& text) {
  YAML::Mark mark;
  mark.line = mark.column = 0;
  for (size_t i = 0; i < text.size(); ++mark.column) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const size_t length = byte < 0x80         ? 1
                          : (byte >> 5) == 6  ? 2
                          : (byte >> 4) == 14 ? 3
                          : (byte >> 3) == 30 ? 4
                                              : 0;
    if (byte == 0 || length == 0 || i + length > text.size()) return mark;
    for (size_t k = 1; k < length; ++k)
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return mark;
    if (byte == '\n') {
      ++mark.line;
      mark.column = -1;
    }
    i += length;
  }
  return std::nullopt;
}

}  // namespace

std::string ConfigProblem::str() const {
  return fmt::format("{}:{}:{}: {}", file, line, column, message);
}

ConfigProblem ConfigPlaces::ProblemAt(const std::string& file, std::string path,
                                      std::string message) const {
  for (;;) {
    if (const auto at = places_.find(path); at != places_.end())
      return {file, at->second.first, at->second.second, std::move(message)};
    if (path.empty()) return {file, 1, 1, std::move(message)};
    const size_t cut = path.find_last_of(".[");
    path.resize(cut == std::string::npos ? 0 : cut);
  }
}

std::vector<ConfigProblem> ReadConfig(const std::string& yaml, const std::string& file,
                                      pb::Message& into, ConfigPlaces* places) {
  into.Clear();
  ConfigTreeReader reader(file, places);
  YAML::Mark start;
  start.line = start.column = 0;
  if (const std::optional<YAML::Mark> bad = FirstBadByte(yaml)) {
    reader.Problem(*bad, "this is not UTF-8 text; save the file as UTF-8");
    return reader.TakeProblems();
  }
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(yaml);
    if (documents.size() > 1)
      reader.Problem(documents[1].Mark(), "a second YAML document begins here; keep one per file");
    if (documents.empty() || documents[0].IsNull()) {
      reader.Problem(start, "the file has no content");
    } else {
      reader.ReadMessage(documents[0], MarkOf(documents[0], start), "", into);
    }
  } catch (const YAML::Exception& error) {
    reader.Problem(error.mark.is_null() ? start : error.mark,
                   fmt::format("this is not YAML: {}", error.msg));
  }
  return reader.TakeProblems();
}

absl::Status ProblemsStatus(const std::vector<ConfigProblem>& problems) {
  return absl::InvalidArgumentError(absl::StrJoin(
      problems, "\n",
      [](std::string* out, const ConfigProblem& problem) { out->append(problem.str()); }));
}

absl::Status LoadConfig(const std::string& path, pb::Message& into, ConfigPlaces* places) {
  ASSIGN_OR_RETURN(const std::string yaml, ReadFile(path, limits::kMaxConfigBytes));
  const std::vector<ConfigProblem> problems = ReadConfig(yaml, path, into, places);
  return problems.empty() ? absl::OkStatus() : ProblemsStatus(problems);
}

}  // namespace cordon
