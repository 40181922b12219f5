// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <memory>

#include "cli/commands.h"
#include "cli/dispatch_service.h"
#include "cli/harden.h"
#include "cli/site.h"
#include "cli/stop_signal.h"

namespace cordon::cli {
namespace {

struct DispatchOptions {
  std::string site;
  bool print_alerts = false;
  bool json = false;
};

int RunDispatch(const DispatchOptions& options, const LogOptions& log) {
  InitLog(log, "dispatch");
  HardenProcess();
  StopSignal stop;
  const absl::StatusOr<proto::Site> site = LoadSite(options.site);
  if (!site.ok()) return Report(site.status());
  DispatchService::Options service_options;
  service_options.print_alerts = options.json           ? AlertStyle::kJson
                                 : options.print_alerts ? AlertStyle::kText
                                                        : AlertStyle::kNone;
  std::atomic<bool> failed{false};
  service_options.on_fatal = [&failed] {
    failed = true;
    ::kill(::getpid(), SIGTERM);
  };
  const absl::StatusOr<std::unique_ptr<DispatchService>> service =
      DispatchService::Start(*site, SystemClock(), std::move(service_options));
  if (!service.ok()) return Report(service.status());
  stop.Wait();
  return failed ? kExitFailed : 0;
}

}  // namespace

void RegisterDispatch(CLI::App& app, const LogOptions& log, Outcome& outcome) {
  auto options = std::make_shared<DispatchOptions>();
  CLI::App* command = app.add_subcommand(
      "dispatch", "Receive alerts and positions; incidents, response circles and the console");
  command->add_option("site", options->site, "SITE.yaml")->required();
  command->add_flag("--print-alerts", options->print_alerts,
                    "Print a line for every alert on standard output");
  command->add_flag("--json", options->json,
                    "The same as JSON: {alert, circles, latency_ms} for every alert");
  command->footer("Example:\n  cordon dispatch site.yaml --print-alerts");
  command->callback([options, &log, &outcome] { outcome.exit_code = RunDispatch(*options, log); });
}

}  // namespace cordon::cli
