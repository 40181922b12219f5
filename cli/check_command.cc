// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_split.h"
#include "base/config_reader.h"
#include "cli/commands.h"
#include "cli/site.h"

namespace cordon::cli {
namespace {

struct CheckOptions {
  std::string site;
  bool json = false;
  bool describe = false;
};

// The site, and everything it names outside its file.
absl::StatusOr<proto::Site> LoadAll(const std::string& path) {
  ConfigPlaces places;
  ASSIGN_OR_RETURN(proto::Site site, LoadSite(path, &places));
  const std::vector<ConfigProblem> problems = CheckParts(site, path, places);
  if (!problems.empty()) return ProblemsStatus(problems);
  return site;
}

int Check(const CheckOptions& options) {
  if (options.describe) {
    std::fputs(DescribeConfig(*proto::Site::descriptor()).c_str(), stdout);
    return 0;
  }
  if (options.site.empty())
    return Report(absl::InvalidArgumentError("check needs a SITE.yaml; see cordon check --help"));
  const absl::StatusOr<proto::Site> site = LoadAll(options.site);
  if (options.json) {
    nlohmann::json problems = nlohmann::json::array();
    if (!site.ok()) {
      for (absl::string_view line : absl::StrSplit(std::string(MessageOf(site.status())), '\n'))
        problems.push_back(std::string(line));
    }
    std::printf("%s\n", nlohmann::json{{"ok", site.ok()}, {"problems", problems}}.dump(2).c_str());
    return site.ok() ? 0 : kExitBadInput;
  }
  if (!site.ok()) return Report(site.status());
  int rules = 0;
  for (const proto::CameraConfig& camera : site->cameras()) rules += camera.rules_size();
  std::printf(
      "%s: in order. %d cameras with %d rules on %d nodes, %d units, %d protected places.\n",
      options.site.c_str(), site->cameras_size(), rules, site->nodes_size(),
      site->dispatch().units_size(), site->dispatch().places_size());
  return 0;
}

}  // namespace

void RegisterCheck(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* command =
      app.add_subcommand("check", "Validate a site's configuration: file:line:column and a remedy");
  command->add_option("site", options->site, "SITE.yaml");
  command->add_flag("--json", options->json, "Print {ok, problems: [text]}");
  command->add_flag("--describe", options->describe,
                    "Print every field of the configuration as Markdown");
  command->footer("Example:\n  cordon check site.yaml");
  command->callback([options, &outcome] { outcome.exit_code = Check(*options); });
}

}  // namespace cordon::cli
