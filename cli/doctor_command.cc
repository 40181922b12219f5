// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/doctor.h"
#include "cli/site.h"

namespace cordon::cli {
namespace {

using Level = Finding::Level;

struct DoctorArguments {
  std::string site;
  double watch_s = 2.5;
  bool no_cameras = false;
  bool json = false;
};

const char* NameOf(Level level) {
  if (level == Level::kOk) return "ok";
  return level == Level::kWarning ? "warning" : "failed";
}

void PrintJson(const std::vector<Finding>& findings, bool failed) {
  nlohmann::json list = nlohmann::json::array();
  for (const Finding& finding : findings)
    list.push_back({{"level", NameOf(finding.level)},
                    {"subject", finding.subject},
                    {"text", finding.text},
                    {"remedy", finding.remedy}});
  const nlohmann::json all = {{"ok", !failed}, {"findings", list}};
  std::printf("%s\n",
              all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

void PrintText(const std::vector<Finding>& findings) {
  for (const Finding& finding : findings) {
    std::printf("%-7s  %s: %s%s%s\n", NameOf(finding.level), finding.subject.c_str(),
                finding.text.c_str(), finding.remedy.empty() ? "" : " -> ",
                finding.remedy.c_str());
  }
}

int Doctor(const DoctorArguments& arguments) {
  const absl::StatusOr<proto::Site> site = LoadSite(arguments.site);
  if (!site.ok()) return Report(site.status());
  DoctorOptions options;
  options.watch = Milliseconds(static_cast<int64_t>(arguments.watch_s * 1000));
  options.cameras = !arguments.no_cameras;
  const std::vector<Finding> findings = Examine(*site, options, SystemClock());
  const bool failed = std::any_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.level == Level::kFailed;
  });
  if (arguments.json) {
    PrintJson(findings, failed);
  } else {
    PrintText(findings);
  }
  return failed ? kExitFailed : 0;
}

}  // namespace

void RegisterDoctor(CLI::App& app, Outcome& outcome) {
  auto arguments = std::make_shared<DoctorArguments>();
  CLI::App* command = app.add_subcommand(
      "doctor", "Live checks of a site: disk, keys, clock, ports, files, every camera's stream");
  command->add_option("site", arguments->site, "SITE.yaml")->required();
  command->add_option("--watch", arguments->watch_s, "Seconds to watch each camera")
      ->check(CLI::Range(0.5, 60.0))
      ->capture_default_str();
  command->add_flag("--no-cameras", arguments->no_cameras, "Leave the cameras alone");
  command->add_flag("--json", arguments->json,
                    "Print {ok, findings: [{level, subject, text, remedy}]}");
  command->footer(
      "One line for each check; what is not in order says what to do. Exit code 0: nothing failed\n"
      "(warnings may be there), 1: something failed, 2: the site file is wrong.\n"
      "Example:\n  cordon doctor site.yaml");
  command->callback([arguments, &outcome] { outcome.exit_code = Doctor(*arguments); });
}

}  // namespace cordon::cli
