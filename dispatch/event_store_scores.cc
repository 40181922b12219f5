// SPDX-License-Identifier: Apache-2.0
// How often rules are wrong, by the time their cameras were watched.
#include <map>

#include "dispatch/event_store.h"

namespace cordon {
namespace {

constexpr double kDayMicros = 86400e6;

// Days that each camera was watched between the two.
absl::StatusOr<std::map<std::string, double>> DaysWatched(sqlite::Connection& connection,
                                                          WallTime since, WallTime now) {
  ASSIGN_OR_RETURN(
      sqlite::Statement select,
      connection.Prepare("SELECT camera_id, sum(min(until_us, ?2) - max(from_us, ?1)) FROM "
                         "watched WHERE until_us > ?1 AND from_us < ?2 GROUP BY "
                         "camera_id"));
  select.Bind(1, ToMicros(since)).Bind(2, ToMicros(now));
  std::map<std::string, double> days;
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return days;
    days[std::string(select.Text(0))] = static_cast<double>(select.Int(1)) / kDayMicros;
  }
}

}  // namespace

absl::Status EventStore::AddWatched(const std::string& camera_id, WallTime now,
                                    Microseconds within) {
  ASSIGN_OR_RETURN(sqlite::Statement * extend,
                   Use("UPDATE watched SET until_us = max(until_us, ?2) WHERE camera_id = ?1 AND "
                       "from_us = (SELECT max(from_us) FROM watched WHERE camera_id = ?1) AND "
                       "until_us >= ?3"));
  extend->Bind(1, camera_id).Bind(2, ToMicros(now)).Bind(3, ToMicros(now - within));
  RETURN_IF_ERROR(extend->Run());
  if (connection_->Changes() > 0) return absl::OkStatus();
  ASSIGN_OR_RETURN(sqlite::Statement * begin, Use("INSERT INTO watched VALUES(?1, ?2, ?2)"));
  return begin->Bind(1, camera_id).Bind(2, ToMicros(now)).Run();
}

absl::StatusOr<std::vector<RuleScore>> EventStore::RuleScores(WallTime since, WallTime now) {
  RETURN_IF_ERROR(connection_->RequireFormat(kFormat));
  ASSIGN_OR_RETURN(const auto days, DaysWatched(*connection_, since, now));
  ASSIGN_OR_RETURN(
      sqlite::Statement select,
      connection_->Prepare(
          "SELECT camera_id, rule_id, count(*), sum(v = 1), sum(v = 0) FROM (SELECT camera_id, "
          "rule_id, (SELECT true_alarm FROM verdict WHERE alert_id = alert.id ORDER BY number "
          "DESC LIMIT 1) AS v FROM alert WHERE wall_us >= ? AND incident_id <> '') GROUP BY "
          "camera_id, rule_id"));
  select.Bind(1, ToMicros(since));
  std::vector<RuleScore> scores;
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return scores;
    scores.push_back({std::string(select.Text(0)), std::string(select.Text(1)),
                      static_cast<uint64_t>(select.Int(2)), static_cast<uint64_t>(select.Int(3)),
                      static_cast<uint64_t>(select.Int(4))});
    const auto watched = days.find(scores.back().camera_id);
    if (watched != days.end()) scores.back().days = watched->second;
  }
}

}  // namespace cordon
