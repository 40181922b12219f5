// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "google/protobuf/message.h"

namespace cordon {

// One thing wrong with a configuration file, as an editor understands it.
struct ConfigProblem {
  std::string file;
  int line = 0;             // 1-based
  int column = 0;           // 1-based
  std::string message;      // what is wrong and what to do, "did you mean ...?" included
  std::string str() const;  // "file:line:column: message"
};

// Where the values of a file stand, for what can only be checked after reading: paths are written
// as in the messages, "cameras[0].rules[1].line".
class ConfigPlaces {
 public:
  void Add(std::string path, int line, int column) {
    places_[std::move(path)] = {line, column};
  }
  // A problem at `path`, or at the nearest thing around it that stands in the file.
  ConfigProblem ProblemAt(const std::string& file, std::string path, std::string message) const;

 private:
  std::map<std::string, std::pair<int, int>, std::less<>> places_;
};

// Reads YAML into `into` by its descriptor: YAML keys are field names, enums their value names in
// lower case without the type's prefix, durations plain numbers in the field's unit. Strict: an
// unknown key, a wrong type, a value outside the field's `cfg` option (proto/options.proto:
// required, min, max, pattern, items), a duplicate key, the same `id` twice in a list, or a missing
// required field is a problem. Defaults from `cfg.default_value` are filled in for absent fields;
// an absent message is present with its defaults unless one of its own fields is required. Collects
// all problems, not just the first, in the order of the file. `file` names the source in messages.
// Never throws. The result is valid only when no problem is returned. Not supported, and said so:
// merge keys (<<), several documents, maps.
// `places`, when given, is filled with the place of every value that the file gives.
std::vector<ConfigProblem> ReadConfig(const std::string& yaml, const std::string& file,
                                      google::protobuf::Message& into,
                                      ConfigPlaces* places = nullptr);

// ReadFile + ReadConfig. INVALID_ARGUMENT's message holds one problem per line.
absl::Status LoadConfig(const std::string& path, google::protobuf::Message& into,
                        ConfigPlaces* places = nullptr);

// INVALID_ARGUMENT with one problem per line.
absl::Status ProblemsStatus(const std::vector<ConfigProblem>& problems);

// Markdown reference of a schema: one section for each message, one row for each field with its
// type, unit, default, range and meaning. docs/configuration.md is this text.
std::string DescribeConfig(const google::protobuf::Descriptor& schema);

}  // namespace cordon
