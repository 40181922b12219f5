// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "cli/commands.h"
#include "cli/harden.h"
#include "cli/node_service.h"
#include "cli/process_usage.h"
#include "cli/site.h"
#include "cli/stop_signal.h"

namespace cordon::cli {
namespace {

struct NodeOptions {
  std::string site;
  std::string id;
  bool json = false;
};

int RunNode(const NodeOptions& options, LogOptions log) {
  log.json = log.json || options.json;
  InitLog(log, options.id.empty() ? "node" : options.id);
  HardenProcess();
  ReturnFreedPictures();
  StopSignal stop;
  const absl::StatusOr<proto::Site> site = LoadSite(options.site);
  if (!site.ok()) return Report(site.status());
  const proto::NodeConfig* node = options.id.empty() ? &site->nodes(0) : nullptr;
  for (const proto::NodeConfig& candidate : site->nodes()) {
    if (candidate.id() == options.id) node = &candidate;
  }
  if (node == nullptr)
    return Report(absl::NotFoundError(fmt::format("{} has no node {}", options.site, options.id)));
  const absl::StatusOr<std::unique_ptr<NodeService>> service =
      NodeService::Start(*site, *node, SystemClock());
  if (!service.ok()) return Report(service.status());
  stop.Wait();
  return 0;
}

}  // namespace

void RegisterNode(CLI::App& app, const LogOptions& log, Outcome& outcome) {
  auto options = std::make_shared<NodeOptions>();
  CLI::App* command = app.add_subcommand(
      "node", "Ingest and analyse a node's cameras; alerts go to the dispatcher");
  command->add_option("site", options->site, "SITE.yaml")->required();
  command->add_option("--id", options->id, "Which of the site's nodes this is; default: the first");
  command->add_flag("--json", options->json, "Log lines as JSON, as --log-json before the command");
  command->footer("Example:\n  cordon node site.yaml --id node-1");
  command->callback([options, &log, &outcome] { outcome.exit_code = RunNode(*options, log); });
}

}  // namespace cordon::cli
