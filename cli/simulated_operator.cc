// SPDX-License-Identifier: Apache-2.0
#include "cli/simulated_operator.h"

#include <fmt/format.h>

#include <set>

namespace cordon::cli {
namespace {

using Json = nlohmann::json;

// UNKNOWN is an answer that says no.
absl::Status OnlySilence(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnknown ? absl::OkStatus() : status;
}

}  // namespace

int SimulatedOperator::Seconds(int least, int most) {
  return std::uniform_int_distribution<int>(least, most)(random_);
}

absl::Status SimulatedOperator::Work(const Json& incidents) {
  std::set<std::string> open;
  for (const Json& incident : incidents) {
    const std::string id = incident.value("id", "");
    open.insert(id);
    const auto [known, is_new] = cases_.try_emplace(id);
    Case& mine = known->second;
    if (is_new) mine.wait_s = Seconds(10, 25);
    if (--mine.wait_s > 0) continue;
    RETURN_IF_ERROR(Decide(incident, mine));
  }
  std::erase_if(cases_, [&](const auto& entry) { return !open.contains(entry.first); });
  return absl::OkStatus();
}

absl::Status SimulatedOperator::Decide(const Json& incident, Case& mine) {
  const std::string id = incident.value("id", "");
  const std::string state = incident.value("state", "");
  if (state == "new") {
    mine.taken = true;
    mine.wait_s = Seconds(4, 8);
    return Act(id, "acknowledge", Json::object());
  }
  const bool nobody_there = state == "acknowledged" && incident.value("units", Json::array()).empty();
  if (!mine.taken || !nobody_there) return absl::OkStatus();
  if (mine.sent) return Act(id, "close", {{"reason", "the unit found nothing more to do"}});
  ASSIGN_OR_RETURN(const std::string unit, FirstUnit(id));
  if (unit.empty()) {
    mine.wait_s = Seconds(5, 10);  // all are busy or far: look again
    return absl::OkStatus();
  }
  mine.sent = true;
  return Act(id, "assign", {{"unit", unit}});
}

absl::StatusOr<std::string> SimulatedOperator::FirstUnit(const std::string& incident) {
  const absl::StatusOr<Json> alerts =
      console_.GetList(fmt::format("/api/alerts?incident={}&limit=1", incident), "alerts");
  RETURN_IF_ERROR(OnlySilence(alerts.status()));
  if (!alerts.ok() || alerts->empty()) return std::string();
  const absl::StatusOr<Json> units = console_.GetList(
      fmt::format("/api/alerts/{}/circles", (*alerts)[0].value("id", "")), "units");
  RETURN_IF_ERROR(OnlySilence(units.status()));
  if (!units.ok()) return std::string();
  // The ranking is of the alert's moment; who was sent elsewhere meanwhile is no choice any more.
  const absl::StatusOr<Json> now = console_.GetList("/api/units", "units");
  RETURN_IF_ERROR(OnlySilence(now.status()));
  if (!now.ok()) return std::string();
  std::set<std::string> available;
  for (const Json& unit : *now)
    if (unit.value("status", "") == "available") available.insert(unit.value("id", ""));
  for (const Json& unit : *units)
    if (unit.value("excluded", "").empty() && available.contains(unit.value("unit", "")))
      return unit.value("unit", "");
  return std::string();
}

absl::Status SimulatedOperator::Act(const std::string& incident, const std::string& verb,
                                    Json body) {
  body["actor"] = kName;
  return OnlySilence(console_.Post(fmt::format("/api/incidents/{}/{}", incident, verb), body));
}

}  // namespace cordon::cli
