// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "cli/commands.h"

namespace cordon::cli {

int Report(const absl::Status& status) {
  const std::string_view message = MessageOf(status);
  std::fprintf(stderr, "cordon: %.*s\n", static_cast<int>(message.size()), message.data());
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kFailedPrecondition: return kExitBadInput;
    default: return kExitFailed;
  }
}

}  // namespace cordon::cli

int main(int argc, char** argv) {
  CLI::App app{"Cordon: video events in, patrol response circles out"};
  app.name("cordon");
  app.require_subcommand(1);
  cordon::cli::Outcome outcome;
  // One line for each command, in the order of --help.
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : cordon::cli::kExitBadInput;
  }
  return outcome.exit_code;
}
