// SPDX-License-Identifier: Apache-2.0
// The subcommands of `cordon`. Each registers itself with its --help and example; its callback does
// the work and stores the exit code: 0 fine, 1 failed at run time, 2 the input is wrong (and the
// one line that says so is on stderr).
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace cordon::cli {

struct Outcome {
  int exit_code = 0;
};

inline constexpr int kExitFailed = 1;
inline constexpr int kExitBadInput = 2;

// --log-json and --log-level, common to the commands that run for long.
struct LogOptions {
  bool json = false;
  std::string level = "info";
};
void AddLogOptions(CLI::App& app, LogOptions& options);
void InitLog(const LogOptions& options, std::string_view role);
// The same options as arguments, for child processes.
std::vector<std::string> LogArguments(const LogOptions& options);

// Prints "cordon: message" to stderr (each line of a multi-line message as it is) and maps the
// code: INVALID_ARGUMENT, NOT_FOUND, OUT_OF_RANGE, DATA_LOSS and FAILED_PRECONDITION are bad input
// (2), anything else failed (1).
int Report(const absl::Status& status);

// One line on words that the command line does not know, and where its help is.
std::string UsageText(const CLI::App* app, const CLI::Error& error);

void RegisterCameras(CLI::App& app, Outcome& outcome);
void RegisterBacktest(CLI::App& app, Outcome& outcome);
void RegisterCalibrate(CLI::App& app, Outcome& outcome);
void RegisterCheck(CLI::App& app, Outcome& outcome);
void RegisterCircles(CLI::App& app, Outcome& outcome);
void RegisterEvents(CLI::App& app, Outcome& outcome);
void RegisterKeys(CLI::App& app, Outcome& outcome);
void RegisterDoctor(CLI::App& app, Outcome& outcome);
void RegisterDeletions(CLI::App& app, Outcome& outcome);
void RegisterDispatch(CLI::App& app, const LogOptions& log, Outcome& outcome);
void RegisterNode(CLI::App& app, const LogOptions& log, Outcome& outcome);
void RegisterContain(CLI::App& app, Outcome& outcome);
void RegisterCoverage(CLI::App& app, Outcome& outcome);
void RegisterMatch(CLI::App& app, Outcome& outcome);
void RegisterPlaceUnits(CLI::App& app, Outcome& outcome);
void RegisterReplay(CLI::App& app, Outcome& outcome);
void RegisterRoads(CLI::App& app, Outcome& outcome);
void RegisterRun(CLI::App& app, const LogOptions& log, Outcome& outcome);
void RegisterSimulate(CLI::App& app, Outcome& outcome);

}  // namespace cordon::cli
