// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "bus/keys.h"
#include "cli/commands.h"

namespace cordon::cli {
namespace {

struct KeysOptions {
  std::string folder;
  std::string name;
  bool json = false;
};

int Generate(const KeysOptions& options) {
  const absl::Status status = GenerateKeyFiles(options.folder, options.name);
  if (!status.ok()) {
    Report(status);
    return kExitBadInput;
  }
  const std::string secret = options.folder + "/" + options.name + ".key";
  const std::string open = options.folder + "/" + options.name + ".pub";
  if (options.json) {
    std::printf("%s\n", nlohmann::json{{"name", options.name}, {"secret", secret}, {"public", open}}
                            .dump(2)
                            .c_str());
    return 0;
  }
  std::printf("%s  secret: stays on this machine\n%s  public: copy it into the keys folder of %s\n",
              secret.c_str(), open.c_str(),
              options.name == kDispatcherName ? "every node" : "the dispatcher");
  return 0;
}

int List(const KeysOptions& options) {
  const absl::StatusOr<std::vector<KeyFileInfo>> keys = ListKeyFiles(options.folder);
  if (!keys.ok()) return Report(keys.status());
  if (options.json) {
    nlohmann::json list = nlohmann::json::array();
    for (const KeyFileInfo& key : *keys)
      list.push_back(
          {{"name", key.name}, {"public_key", key.public_key}, {"has_secret", key.has_secret}});
    std::printf("%s\n", list.dump(2).c_str());
    return 0;
  }
  for (const KeyFileInfo& key : *keys)
    std::printf("%-32s %s  %s\n", key.name.c_str(), key.public_key.c_str(),
                key.has_secret ? "own (secret key here)" : "peer");
  if (keys->empty())
    std::printf("no keys in %s; see cordon keys generate --help\n", options.folder.c_str());
  return 0;
}

}  // namespace

void RegisterKeys(CLI::App& app, Outcome& outcome) {
  CLI::App* keys = app.add_subcommand(
      "keys", "CURVE keys of the bus: one for the dispatcher, one for each node");
  keys->require_subcommand(1);
  keys->footer("Examples:\n  cordon keys generate keys --name dispatch\n  cordon keys list keys");

  auto options = std::make_shared<KeysOptions>();
  CLI::App* generate = keys->add_subcommand(
      "generate", "Make a key pair: FOLDER/NAME.key (secret) and FOLDER/NAME.pub");
  generate
      ->add_option("folder", options->folder, "The keys folder (bus.keys_dir); made when missing")
      ->required();
  generate->add_option("--name", options->name, "A node's id, or 'dispatch'")->required();
  generate->add_flag("--json", options->json, "Print {name, secret, public}: the files' paths");
  generate->footer("Example:\n  cordon keys generate keys --name node-1");
  generate->callback([options, &outcome] { outcome.exit_code = Generate(*options); });

  CLI::App* list = keys->add_subcommand("list", "Who may connect: every NAME.pub of the folder");
  list->add_option("folder", options->folder, "The keys folder (bus.keys_dir)")->required();
  list->add_flag("--json", options->json, "Print [{name, public_key, has_secret}]");
  list->footer("Example:\n  cordon keys list keys");
  list->callback([options, &outcome] { outcome.exit_code = List(*options); });
}

}  // namespace cordon::cli
