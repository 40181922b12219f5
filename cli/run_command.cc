// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "base/clock.h"
#include "base/file_util.h"
#include "cli/commands.h"
#include "cli/site.h"
#include "cli/supervisor.h"

namespace cordon::cli {
namespace {

struct RunOptions {
  std::string site;
  bool print_alerts = false;
  bool json = false;
};

// Everything of a site on this machine: its dispatcher and its nodes, each a process of this
// program.
int Run(const RunOptions& options, const LogOptions& log) {
  const absl::StatusOr<proto::Site> site = LoadSite(options.site);
  if (!site.ok()) return Report(site.status());
  if (absl::Status status = MakeDirectories(site->data_dir()); !status.ok()) return Report(status);
  InitLog(log, "run");
  const std::vector<std::string> common = LogArguments(log);
  std::vector<ChildSpec> children;
  ChildSpec dispatcher{"dispatch", common};
  dispatcher.arguments.insert(dispatcher.arguments.end(), {"dispatch", options.site});
  if (options.json) dispatcher.arguments.push_back("--json");
  if (options.print_alerts) dispatcher.arguments.push_back("--print-alerts");
  children.push_back(std::move(dispatcher));
  for (const proto::NodeConfig& node : site->nodes()) {
    ChildSpec child{node.id(), common};
    child.arguments.insert(child.arguments.end(), {"node", options.site, "--id", node.id()});
    children.push_back(std::move(child));
  }
  Supervisor supervisor(ThisProgram(), std::move(children), SystemClock());
  const absl::Status status = supervisor.Run();
  return status.ok() ? 0 : Report(status);
}

}  // namespace

void RegisterRun(CLI::App& app, const LogOptions& log, Outcome& outcome) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* command = app.add_subcommand(
      "run", "Run a whole site on this machine: dispatcher and nodes, supervised");
  command->add_option("site", options->site, "SITE.yaml")->required();
  command->add_flag("--print-alerts", options->print_alerts,
                    "Print a line for every alert on standard output");
  command->add_flag("--json", options->json,
                    "The same as JSON: {alert, circles, latency_ms} for every alert");
  command->footer("Example:\n  cordon run site.yaml --print-alerts");
  command->callback([options, &log, &outcome] { outcome.exit_code = Run(*options, log); });
}

}  // namespace cordon::cli
