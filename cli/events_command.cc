// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "absl/time/time.h"
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/site.h"
#include "cli/stop_signal.h"
#include "console/json_view.h"
#include "dispatch/event_store.h"

namespace cordon::cli {
namespace {

struct EventsOptions {
  std::string site;
  std::string store;
  std::string camera;
  std::string kind;
  std::string incident;
  std::string since;
  std::string until;
  uint32_t limit = 50;
  bool follow = false;
  bool incidents = false;
  bool notices = false;
  bool rules = false;
  bool json = false;
};

constexpr Milliseconds kFollowEvery{300};

absl::StatusOr<WallTime> ReadTime(const std::string& text, const char* option) {
  absl::Time time;
  std::string error;
  for (const char* format : {absl::RFC3339_full, "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"})
    if (absl::ParseTime(format, text, &time, &error))
      return WallFromMicros(absl::ToUnixMicros(time));
  return absl::InvalidArgumentError(
      fmt::format("{} {}: give a time as 2026-03-01T06:00:00Z or 2026-03-01", option, text));
}

absl::StatusOr<AlertQuery> QueryOf(const EventsOptions& options) {
  AlertQuery query;
  query.camera_id = options.camera;
  query.incident_id = options.incident;
  query.limit = options.limit;
  if (!options.kind.empty()) {
    query.kind = EventKindFromName(options.kind);
    if (!query.kind)
      return absl::InvalidArgumentError(fmt::format(
          "--kind {}: no kind of event; as intrusion, line_crossing, stream_lost", options.kind));
  }
  if (!options.since.empty()) {
    ASSIGN_OR_RETURN(query.since, ReadTime(options.since, "--since"));
  }
  if (!options.until.empty()) {
    ASSIGN_OR_RETURN(query.until, ReadTime(options.until, "--until"));
  }
  return query;
}

void PrintAlert(const StoredAlert& stored, bool json) {
  if (json) {
    fmt::print("{}\n", Dump(ToJson(stored)));
    return;
  }
  const proto::Event& event = stored.alert.event();
  const std::string verdict = !stored.verdict   ? ""
                              : *stored.verdict ? "  [real]"
                                                : "  [false alarm]";
  fmt::print("{}  {:8} {:14} {:16} {}{}\n", FormatWall(WallFromMicros(stored.alert.wall_time_us())),
             SeverityName(event.severity()), EventKindName(event.kind()), event.camera_id(),
             event.detail(), verdict);
}

// Newest last, as a log is read.
absl::Status PrintAlerts(EventStore& store, const EventsOptions& options) {
  ASSIGN_OR_RETURN(AlertQuery query, QueryOf(options));
  ASSIGN_OR_RETURN(std::vector<StoredAlert> alerts, store.Alerts(query));
  std::reverse(alerts.begin(), alerts.end());
  uint64_t last = 0;
  for (const StoredAlert& alert : alerts) {
    PrintAlert(alert, options.json);
    last = alert.number;
  }
  std::fflush(stdout);
  query.newest_first = false;
  StopSignal stop;
  while (options.follow && !stop.WaitFor(kFollowEvery)) {
    query.after = last;
    ASSIGN_OR_RETURN(alerts, store.Alerts(query));
    for (const StoredAlert& alert : alerts) {
      PrintAlert(alert, options.json);
      last = alert.number;
    }
    std::fflush(stdout);
  }
  return absl::OkStatus();
}

absl::Status PrintIncidents(EventStore& store, const EventsOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<proto::Incident> incidents,
                   store.Incidents(false, options.limit));
  for (auto incident = incidents.rbegin(); incident != incidents.rend(); ++incident) {
    if (options.json) {
      fmt::print("{}\n", Dump(ToJson(*incident)));
    } else {
      fmt::print("{}  {:12} {:8} {}  ({} alerts)  {}\n",
                 FormatWall(WallFromMicros(incident->opened_us())),
                 IncidentStateName(incident->state()), SeverityName(incident->severity()),
                 incident->title(), incident->alert_ids_size(), incident->id());
    }
  }
  return absl::OkStatus();
}

absl::Status PrintChanges(EventStore& store, const EventsOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<proto::IncidentChange> changes,
                   store.IncidentChanges(options.incident));
  if (changes.empty())
    return absl::NotFoundError(fmt::format("no incident '{}' in this store", options.incident));
  for (const proto::IncidentChange& change : changes) {
    const Json json = ToJson(change);
    if (options.json) {
      fmt::print("{}\n", Dump(json));
      continue;
    }
    std::string what;
    for (const char* field : {"alert", "state", "assigned", "released", "note"})
      if (json.contains(field)) what = fmt::format("{} {}", field, json[field].get<std::string>());
    fmt::print("{}  {:3}  {:20} {}{}\n", FormatWall(WallFromMicros(change.wall_time_us())),
               change.number(), change.actor(), what,
               change.cause().empty() || change.has_alert_id()
                   ? ""
                   : fmt::format("  ({})", change.cause()));
  }
  return absl::OkStatus();
}

absl::Status PrintNotices(EventStore& store, const EventsOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<proto::Notice> notices, store.Notices(false, options.limit));
  for (auto notice = notices.rbegin(); notice != notices.rend(); ++notice) {
    if (options.json) {
      fmt::print("{}\n", Dump(ToJson(*notice)));
    } else {
      fmt::print("{}  {:16} {}{}\n", FormatWall(WallFromMicros(notice->raised_us())),
                 notice->kind(), notice->text(), notice->cleared_us() > 0 ? "  [over]" : "");
    }
  }
  return absl::OkStatus();
}

absl::Status PrintRules(EventStore& store, const EventsOptions& options) {
  WallTime since{};
  if (!options.since.empty()) {
    ASSIGN_OR_RETURN(since, ReadTime(options.since, "--since"));
  }
  ASSIGN_OR_RETURN(const std::vector<RuleScore> scores,
                   store.RuleScores(since, SystemClock().Wall()));
  if (!options.json)
    fmt::print("{:16} {:16} {:>7} {:>6} {:>6} {:>13} {:>20}\n", "camera", "rule", "alerts", "real",
               "false", "days watched", "false per camera-day");
  for (const RuleScore& score : scores) {
    if (options.json) {
      fmt::print("{}\n", Dump(ToJson(score)));
    } else {
      const std::optional<double> rate = score.false_per_day();
      fmt::print("{:16} {:16} {:>7} {:>6} {:>6} {:>13.2f} {:>20}\n", score.camera_id, score.rule_id,
                 score.alerts, score.judged_true, score.judged_false, score.days,
                 rate ? fmt::format("{:.2f}", *rate) : "-");
    }
  }
  return absl::OkStatus();
}

absl::Status Print(const EventsOptions& options) {
  std::string path = options.store;
  if (path.empty()) {
    if (options.site.empty())
      return absl::InvalidArgumentError(
          "events needs a SITE.yaml or --store FILE; see cordon events --help");
    ASSIGN_OR_RETURN(const proto::Site site, LoadSite(options.site));
    path = site.data_dir() + "/dispatch.db";
  }
  absl::StatusOr<std::unique_ptr<EventStore>> store =
      EventStore::Open(path, sqlite::Connection::Mode::kReadOnly);
  if (!store.ok()) return Annotate(store.status(), "the event store (has the dispatcher run yet?)");
  if (options.rules) return PrintRules(**store, options);
  if (options.notices) return PrintNotices(**store, options);
  if (options.incidents)
    return options.incident.empty() ? PrintIncidents(**store, options)
                                    : PrintChanges(**store, options);
  return PrintAlerts(**store, options);
}

int Events(const EventsOptions& options) {
  const absl::Status status = Print(options);
  return status.ok() ? 0 : Report(status);
}

}  // namespace

void RegisterEvents(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<EventsOptions>();
  CLI::App* command = app.add_subcommand(
      "events", "Read the dispatcher's record: alerts, incidents, notices, rule scores");
  command->add_option("site", options->site, "SITE.yaml; its data_dir holds the record");
  command->add_option("--store", options->store, "The record itself (dispatch.db)");
  command->add_option("--camera", options->camera, "Only this camera");
  command->add_option("--kind", options->kind,
                      "Only this kind: intrusion, line_crossing, test, ...");
  command->add_option("--incident", options->incident,
                      "Only this incident; with --incidents, its every step");
  command->add_option("--since", options->since, "From this time on, as 2026-03-01T06:00:00Z");
  command->add_option("--until", options->until, "Before this time");
  command->add_option("--limit", options->limit, "The newest so many")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command->add_flag("--follow", options->follow, "Go on with what comes, until stopped");
  command->add_flag("--incidents", options->incidents, "Incidents instead of alerts");
  command->add_flag("--notices", options->notices, "Notices: unanswered assignments, silent nodes");
  command->add_flag("--rules", options->rules,
                    "Alerts, verdicts and false alarms per camera-day of each rule");
  command->add_flag("--json", options->json, "One JSON object a line, fields as in docs/api.md");
  command->footer(
      "Examples:\n  cordon events site.yaml --since 2026-03-01 --kind intrusion --json\n  cordon "
      "events site.yaml --follow");
  command->callback([options, &outcome] { outcome.exit_code = Events(*options); });
}

}  // namespace cordon::cli
