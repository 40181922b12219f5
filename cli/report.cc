// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdio>

#include "base/log.h"
#include "cli/commands.h"

namespace cordon::cli {

void AddLogOptions(CLI::App& app, LogOptions& options) {
  app.add_flag("--log-json", options.json, "Log lines as JSON");
  app.add_option("--log-level", options.level, "debug, info, warning or error")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->capture_default_str();
}

void InitLog(const LogOptions& options, std::string_view role) {
  const log::Level level = options.level == "debug"     ? log::Level::kDebug
                           : options.level == "warning" ? log::Level::kWarning
                           : options.level == "error"   ? log::Level::kError
                                                        : log::Level::kInfo;
  log::Init(role, options.json ? log::Format::kJson : log::Format::kText, level);
}

std::vector<std::string> LogArguments(const LogOptions& options) {
  std::vector<std::string> arguments{"--log-level", options.level};
  if (options.json) arguments.push_back("--log-json");
  return arguments;
}

int Report(const absl::Status& status) {
  const std::string_view message = MessageOf(status);
  std::fprintf(stderr, "cordon: %.*s\n", static_cast<int>(message.size()), message.data());
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kFailedPrecondition:
      return kExitBadInput;
    default:
      return kExitFailed;
  }
}

std::string UsageText(const CLI::App* app, const CLI::Error& error) {
  std::string command = app->get_name();
  while (!app->get_subcommands().empty()) {
    app = app->get_subcommands().front();
    command += " " + app->get_name();
  }
  return fmt::format("cordon: {}; see '{} --help'\n", error.what(), command);
}

}  // namespace cordon::cli
