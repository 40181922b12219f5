// SPDX-License-Identifier: Apache-2.0
// What was deleted, when and why, and what a legal hold kept: the logs of the nodes' clips and
// undelivered pictures and of the dispatcher's pictures, as one.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "base/clock.h"
#include "bus/outbox_pictures.h"
#include "cli/commands.h"
#include "cli/site.h"
#include "console/json_view.h"
#include "dispatch/event_store.h"
#include "ingest/evidence_store.h"

namespace cordon::cli {
namespace {

struct DeletionsOptions {
  std::string site;
  std::string camera;
  uint32_t limit = 50;
  bool json = false;
};

struct Entry {
  WallTime at;
  std::string camera;
  Json json;
  std::string text;  // what follows time and camera
};

std::string Size(uint64_t bytes) {
  return bytes < 1'000'000 ? fmt::format("{} kB", (bytes + 999) / 1000)
                           : fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

Entry EntryOf(const DeletionRow& row, const std::string& node) {
  Entry entry{row.at, row.camera.str(), {}, {}};
  entry.json = {{"what", "clip"},
                {"deleted", !row.prevented},
                {"reason", row.reason},
                {"clip", row.id.str()},
                {"alert", row.alert_id},
                {"node", node},
                {"size_bytes", row.bytes}};
  if (row.prevented) entry.json["hold_reason"] = row.hold_reason;
  entry.text = fmt::format("{}  {:12} clip {} of {}, {}{}", row.prevented ? "kept   " : "deleted",
                           row.reason, row.id.str(), node, Size(row.bytes),
                           row.prevented ? fmt::format("; legal hold: {}", row.hold_reason) : "");
  return entry;
}

Entry EntryOf(const PictureDeletion& row) {
  Entry entry{row.at, row.camera_id, {}, {}};
  entry.json = {{"what", "pictures"},
                {"deleted", row.pictures > 0},
                {"reason", "retention"},
                {"pictures", row.pictures},
                {"held", row.held},
                {"before_ms", ToMicros(row.before) / 1000}};
  entry.text = fmt::format("{}  {:12} {} pictures of before {}{}",
                           row.pictures > 0 ? "deleted" : "kept   ", "retention", row.pictures,
                           FormatWall(row.before),
                           row.held > 0 ? fmt::format("; legal hold: {} more", row.held) : "");
  return entry;
}

Entry EntryOf(const OutboxPictureDeletion& row, const std::string& node) {
  Entry entry{row.at, row.camera_id, {}, {}};
  entry.json = {{"what", "picture"},     {"deleted", true}, {"reason", "retention"},
                {"alert", row.alert_id}, {"node", node},    {"size_bytes", row.bytes}};
  entry.text = fmt::format("deleted  {:12} picture of an undelivered alert, {} of {}, {}",
                           "retention", row.alert_id, node, Size(row.bytes));
  return entry;
}

// The nodes that have or had a folder here, whatever the configuration says now.
std::vector<std::string> NodesOnDisk(const proto::Site& site) {
  std::vector<std::string> nodes;
  std::error_code error;
  for (std::filesystem::directory_iterator it(site.data_dir() + "/nodes", error), end;
       !error && it != end; it.increment(error))
    nodes.push_back(it->path().filename().string());
  return nodes;
}

template <class Row>
absl::StatusOr<size_t> AddLog(const absl::StatusOr<std::vector<Row>>& rows, const std::string& node,
                              std::vector<Entry>& entries) {
  if (absl::IsNotFound(rows.status())) return 0;
  RETURN_IF_ERROR(rows.status());
  for (const Row& row : *rows) entries.push_back(EntryOf(row, node));
  return 1;
}

// A machine has the logs of what runs on it: what is absent belongs to another one.
absl::StatusOr<std::vector<Entry>> ReadLogs(const proto::Site& site, uint32_t limit) {
  std::vector<Entry> entries;
  size_t logs = 0;
  for (const std::string& node : NodesOnDisk(site)) {
    const std::string folder = fmt::format("{}/nodes/{}", site.data_dir(), node);
    ASSIGN_OR_RETURN(
        const size_t clips,
        AddLog(EvidenceStore::ReadDeletions(folder + "/evidence", limit), node, entries));
    ASSIGN_OR_RETURN(
        const size_t alerts,
        AddLog(ReadOutboxPictureDeletions(folder + "/outbox.db", limit), node, entries));
    logs += clips + alerts;
  }
  auto store = EventStore::Open(site.data_dir() + "/dispatch.db",
                                sqlite::Connection::Mode::kReadOnly);
  if (store.ok()) {
    ++logs;
    ASSIGN_OR_RETURN(const std::vector<PictureDeletion> rows, (*store)->PictureDeletions(limit));
    for (const PictureDeletion& row : rows) entries.push_back(EntryOf(row));
  } else if (!absl::IsNotFound(store.status())) {
    return store.status();
  }
  if (logs == 0)
    return absl::NotFoundError(fmt::format(
        "{}: neither a node nor the dispatcher of this site has run here; read the log on the "
        "machine that has its data_dir",
        site.data_dir()));
  return entries;
}

absl::Status Print(const DeletionsOptions& options) {
  ASSIGN_OR_RETURN(const proto::Site site, LoadSite(options.site));
  // Each log may hold the newest of all, and of the camera that was asked for.
  constexpr uint32_t kAll = 1'000'000;
  ASSIGN_OR_RETURN(std::vector<Entry> entries,
                   ReadLogs(site, options.camera.empty() ? options.limit : kAll));
  if (!options.camera.empty())
    std::erase_if(entries, [&](const Entry& entry) { return entry.camera != options.camera; });
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.at > b.at; });
  if (entries.size() > options.limit) entries.resize(options.limit);
  // Newest last, as a log is read.
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    if (options.json) {
      entry->json["time_ms"] = ToMicros(entry->at) / 1000;
      entry->json["camera"] = entry->camera;
      fmt::print("{}\n", Dump(entry->json));
    } else {
      fmt::print("{}  {:12} {}\n", FormatWall(entry->at), entry->camera, entry->text);
    }
  }
  if (entries.empty() && !options.json) fmt::print("nothing has been deleted\n");
  return absl::OkStatus();
}

}  // namespace

void RegisterDeletions(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<DeletionsOptions>();
  CLI::App* command = app.add_subcommand(
      "deletions", "Read the deletion log: clips and pictures, why they went, what a hold kept");
  command->add_option("site", options->site, "SITE.yaml; its data_dir holds the logs")->required();
  command->add_option("--camera", options->camera, "Only this camera");
  command->add_option("--limit", options->limit, "The newest so many")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command->add_flag(
      "--json", options->json,
      "One JSON object a line: time_ms, camera, what (clip; picture: of an alert that was "
      "not delivered; pictures), deleted (false: kept), reason (retention, space, file "
      "missing); of a clip and a picture alert, node, size_bytes; of a clip clip, "
      "hold_reason; of pictures pictures, held, before_ms");
  command->footer("Example:\n  cordon deletions site.yaml --camera gate --json");
  command->callback([options, &outcome] {
    const absl::Status status = Print(*options);
    outcome.exit_code = status.ok() ? 0 : Report(status);
  });
}

}  // namespace cordon::cli
