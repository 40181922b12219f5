// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <memory>

#include "absl/time/time.h"
#include "base/file_util.h"
#include "cli/backtest.h"
#include "cli/commands.h"
#include "cli/site.h"

namespace cordon::cli {
namespace {

struct BacktestOptions {
  std::string config;
  std::string rules;
  std::string camera;
  std::vector<std::string> clips;
  std::string report;
  std::string begins = "2026-01-05T12:00:00Z";
  bool json = false;
};

absl::StatusOr<WallTime> ParseWall(const std::string& text) {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error)) {
    return absl::InvalidArgumentError(
        fmt::format("--begins {}: {}; write it as 2026-01-05T12:00:00Z", text, error));
  }
  return WallFromMicros(absl::ToUnixMicros(time));
}

void Print(const std::vector<BacktestClip>& clips) {
  for (const BacktestClip& clip : clips) {
    std::printf("%s: %d added, %d gone, %d kept\n", clip.clip.c_str(),
                clip.Count(BacktestVerdict::kAdded), clip.Count(BacktestVerdict::kGone),
                clip.Count(BacktestVerdict::kKept));
    for (const BacktestAlert& alert : clip.alerts) {
      std::printf("  %8.2f s  %-5s  %-16s %s\n", alert.seconds, VerdictName(alert.verdict),
                  alert.event.rule_id().c_str(), alert.event.detail().c_str());
    }
  }
}

absl::Status Run(const BacktestOptions& options) {
  BacktestInput input;
  ASSIGN_OR_RETURN(input.before, LoadSite(options.config));
  ASSIGN_OR_RETURN(input.after, LoadSite(options.rules));
  ASSIGN_OR_RETURN(input.begins, ParseWall(options.begins));
  input.camera = options.camera;
  input.clips = options.clips;
  ASSIGN_OR_RETURN(const std::vector<BacktestClip> clips, Backtest(input));
  if (!options.report.empty()) {
    RETURN_IF_ERROR(WriteFileDurably(options.report, BacktestHtml(input, clips)));
  }
  if (options.json) {
    std::printf("%s\n", BacktestJson(input, clips).c_str());
  } else {
    Print(clips);
    if (!options.report.empty()) std::printf("report: %s\n", options.report.c_str());
  }
  return absl::OkStatus();
}

}  // namespace

void RegisterBacktest(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<BacktestOptions>();
  CLI::App* command = app.add_subcommand(
      "backtest", "Show which alerts a change of the rules would have added or taken away");
  command->add_option("--config", options->config, "SITE.yaml with the rules in force")->required();
  command->add_option("--rules", options->rules, "The changed SITE.yaml")->required();
  command->add_option("--camera", options->camera, "Camera whose rules are compared")->required();
  command->add_option("--clips", options->clips, "Recordings of that camera")->required();
  command->add_option("--report", options->report,
                      "Write a page with pictures (one HTML file, nothing outside of it)");
  command->add_option("--begins", options->begins,
                      "When each clip was recorded, for schedules (default 2026-01-05T12:00:00Z)");
  command->add_flag(
      "--json", options->json,
      "Print JSON: clips[].alerts[] with verdict (added, gone, kept), seconds, event; "
      "totals");
  command->footer(
      "Example:\n  cordon backtest --config site.yaml --rules changed.yaml --camera yard --clips "
      "a.mp4 b.mp4 "
      "--report change.html");
  command->callback([options, &outcome] {
    const absl::Status status = Run(*options);
    if (!status.ok()) outcome.exit_code = Report(status);
  });
}

}  // namespace cordon::cli
