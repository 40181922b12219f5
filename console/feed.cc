// SPDX-License-Identifier: Apache-2.0
#include "console/feed.h"

#include <algorithm>

#include "base/ids.h"

namespace cordon {
namespace {

// The ring keeps more than a client may lag, so that "behind" is decided by lag and not by chance.
constexpr size_t kRingBytes = Feed::kMaxLagBytes + 1024 * 1024;
constexpr size_t kNoticesShown = 100;

int64_t NowMs(const Clock& clock) { return ToMicros(clock.Wall()) / 1000; }

std::string ListOf(const std::map<std::string, std::string>& texts) {
  std::string list = "[";
  for (const auto& [key, text] : texts) list += (list.size() > 1 ? "," : "") + text;
  return list + "]";
}

std::string AreasOf(const proto::ResponseCircles& circles) {
  return WithMember(Dump({{"incident", circles.incident_id()}}), "tiers", AreasText(circles));
}

Json Values(const std::map<std::string, Json>& map) {
  Json list = Json::array();
  for (const auto& [key, value] : map) list.push_back(value);
  return list;
}

}  // namespace

Feed::Feed(const Clock& clock, Metrics& metrics)
    : clock_(clock),
      run_(UlidGenerator(clock).Next().str()),
      updates_total_(metrics.Counter("cordon_feed_updates_total", "Updates offered to consoles")),
      clients_gauge_(metrics.Gauge("cordon_feed_clients", "Consoles connected to the feed")) {}

absl::Status Feed::Load(EventStore& store) {
  AlertQuery query;
  query.limit = kAlertsShown;
  ASSIGN_OR_RETURN(const std::vector<StoredAlert> alerts, store.Alerts(query));
  ASSIGN_OR_RETURN(const std::vector<proto::Incident> incidents,
                   store.Incidents(false, kIncidentsShown));
  ASSIGN_OR_RETURN(const std::vector<proto::Incident> open, store.Incidents(true, kIncidentsShown));
  ASSIGN_OR_RETURN(const std::vector<proto::Notice> notices, store.Notices(true, kNoticesShown));
  absl::MutexLock lock(&mutex_);
  for (auto alert = alerts.rbegin(); alert != alerts.rend(); ++alert) {
    if (alert->incident_id.empty()) {
      last_test_ = ToJson(*alert);
    } else {
      alerts_.push_back(ToJson(*alert));
    }
  }
  for (const auto* list : {&incidents, &open})
    for (const proto::Incident& incident : *list) incidents_[incident.id()] = ToJson(incident);
  for (const proto::Incident& incident : open) {
    if (incident.alert_ids().empty()) continue;
    const auto circles = store.Circles(incident.alert_ids(incident.alert_ids_size() - 1));
    if (!circles.ok()) continue;
    circles_[incident.id()] = Dump(ToJson(*circles, true));
    areas_[incident.id()] = AreasOf(*circles);
  }
  for (const proto::Notice& notice : notices) notices_[notice.number()] = ToJson(notice);
  return absl::OkStatus();
}

void Feed::Publish(const char* type, const Json& body) { PublishText(type, Dump(body)); }

void Feed::PublishText(const char* type, std::string_view body) {
  const Json head = {{"n", ++number_}, {"t", NowMs(clock_)}, {"type", type}};
  auto message = std::make_shared<const std::string>(WithMember(Dump(head), type, body));
  end_byte_ += message->size();
  ring_.push_back({number_, end_byte_, std::move(message)});
  while (end_byte_ - ring_.front().end_byte > kRingBytes) ring_.pop_front();
  updates_total_.Increment();
  for (const auto& [id, wake] : clients_) wake();
}

Feed::Start Feed::Snapshot() const {
  absl::MutexLock lock(&mutex_);
  Json alerts = Json::array();
  for (const Json& alert : alerts_) alerts.push_back(alert);
  Json notices = Json::array();
  for (const auto& [number, notice] : notices_) notices.push_back(notice);
  Json units = Json::array();
  for (const auto& [id, unit] : units_) {
    Json now = unit;
    const auto fixed = fixed_at_.find(id);
    if (fixed != fixed_at_.end())
      now["age_ms"] =
          std::chrono::duration_cast<Milliseconds>(clock_.Boot() - fixed->second).count();
    units.push_back(std::move(now));
  }
  Json latest = Json::object();
  for (const auto& [type, value] : latest_) latest[type] = value;
  const Json snapshot = {{"n", number_},
                         {"t", NowMs(clock_)},
                         {"type", "snapshot"},
                         {"run", run_},
                         {"alerts", std::move(alerts)},
                         {"incidents", Values(incidents_)},
                         {"notices", std::move(notices)},
                         {"cameras", Values(cameras_)},
                         {"nodes", Values(nodes_)},
                         {"units", std::move(units)},
                         {"latest", std::move(latest)},
                         {"last_test", last_test_}};
  std::string text = WithMember(Dump(snapshot), "circles", ListOf(circles_));
  text = WithMember(std::move(text), "areas", ListOf(areas_));
  return {std::make_shared<const std::string>(std::move(text)), number_};
}

absl::StatusOr<std::optional<Feed::Message>> Feed::After(uint64_t number) const {
  absl::MutexLock lock(&mutex_);
  if (number >= number_) return std::optional<Message>();
  const uint64_t oldest = ring_.front().number;
  if (number + 1 < oldest) return absl::OutOfRangeError("the console fell behind; resync");
  const Update& next = ring_[number + 1 - oldest];
  if (end_byte_ - next.end_byte > kMaxLagBytes)
    return absl::OutOfRangeError("the console fell behind; resync");
  return std::optional<Message>(next.message);
}

uint64_t Feed::Join(std::function<void()> wake) {
  absl::MutexLock lock(&mutex_);
  clients_[next_client_] = std::move(wake);
  clients_gauge_.Set(static_cast<double>(clients_.size()));
  return next_client_++;
}

void Feed::Leave(uint64_t client) {
  absl::MutexLock lock(&mutex_);
  clients_.erase(client);
  clients_gauge_.Set(static_cast<double>(clients_.size()));
}

Json* Feed::FindAlert(const std::string& id) {
  const auto found = std::find_if(alerts_.rbegin(), alerts_.rend(),
                                  [&](const Json& alert) { return alert["id"] == id; });
  return found == alerts_.rend() ? nullptr : &*found;
}

bool Feed::IsOpenHere(const std::string& id) const {
  const auto incident = incidents_.find(id);
  return incident != incidents_.end() && incident->second["open"].get<bool>();
}

void Feed::ForgetCircles(const std::string& incident) {
  circles_.erase(incident);
  areas_.erase(incident);
}

void Feed::KeepIncident(const proto::Incident& incident) {
  incidents_[incident.id()] = ToJson(incident);
  if (!IsOpen(incident.state())) ForgetCircles(incident.id());
  while (incidents_.size() > kIncidentsShown) {
    auto victim = std::find_if(incidents_.begin(), incidents_.end(), [](const auto& entry) {
      return !entry.second["open"].template get<bool>();
    });
    if (victim == incidents_.end()) victim = incidents_.begin();
    ForgetCircles(victim->first);
    incidents_.erase(victim);
  }
}

void Feed::OnAlert(const StoredAlert& alert, const proto::Incident* incident) {
  Json json = ToJson(alert);
  absl::MutexLock lock(&mutex_);
  if (incident == nullptr) {
    last_test_ = json;
    Publish("test", json);
    return;
  }
  alerts_.push_back(json);
  if (alerts_.size() > kAlertsShown) alerts_.pop_front();
  Publish("alert", json);
}

void Feed::OnCircles(const proto::ResponseCircles& circles) {
  std::string text = Dump(ToJson(circles, true));
  absl::MutexLock lock(&mutex_);
  // A refresh may be on its way while the incident is closed.
  if (!IsOpenHere(circles.incident_id())) return;
  PublishText("circles", text);
  circles_[circles.incident_id()] = std::move(text);
}

void Feed::OnAreas(const proto::ResponseCircles& circles) {
  std::string text = AreasOf(circles);
  absl::MutexLock lock(&mutex_);
  if (!IsOpenHere(circles.incident_id())) return;
  std::string& kept = areas_[circles.incident_id()];
  if (kept == text) return;  // a later alert at the same place: consoles have them
  PublishText("areas", text);
  kept = std::move(text);
}

void Feed::OnIncident(const IncidentStep& step) {
  absl::MutexLock lock(&mutex_);
  KeepIncident(step.incident);
  Publish("incident", {{"incident", ToJson(step.incident)}, {"change", ToJson(step.change)}});
}

void Feed::OnEvidence(const proto::EvidenceReady& evidence) {
  Json json = ToJson(evidence);
  absl::MutexLock lock(&mutex_);
  if (Json* alert = FindAlert(evidence.alert_id())) (*alert)["evidence"] = json;
  Publish("evidence", json);
}

void Feed::OnVerdict(const proto::AlertVerdict& verdict) {
  absl::MutexLock lock(&mutex_);
  if (Json* alert = FindAlert(verdict.alert_id())) (*alert)["verdict"] = verdict.true_alarm();
  Publish("verdict", {{"alert", verdict.alert_id()},
                      {"verdict", verdict.true_alarm()},
                      {"actor", verdict.actor()}});
}

void Feed::OnUnit(const proto::UnitChange& change) {
  absl::MutexLock lock(&mutex_);
  const auto unit = units_.find(change.unit_id());
  if (unit != units_.end()) {
    unit->second["status"] = UnitStatusName(change.status());
    unit->second["incident"] = change.incident_id();
  }
  Publish("unit", ToJson(change));
}

void Feed::OnNotice(const proto::Notice& notice) {
  Json json = ToJson(notice);
  absl::MutexLock lock(&mutex_);
  if (notice.cleared_us() > 0) {
    notices_.erase(notice.number());
  } else {
    notices_[notice.number()] = json;
    if (notices_.size() > kNoticesShown) notices_.erase(notices_.begin());
  }
  Publish("notice", json);
}

void Feed::OnHealth(const proto::NodeHealth& health) {
  Json cameras = Json::array();
  for (const proto::CameraHealth& camera : health.cameras()) cameras.push_back(ToJson(camera));
  Json node = {{"id", health.node_id()},
               {"time_ms", health.wall_time_us() / 1000},
               {"cpu_cores", health.cpu_cores()},
               {"rss_bytes", health.rss_bytes()},
               {"outbox_pending", health.outbox_pending()},
               {"outbox_limit", health.outbox_limit()}};
  absl::MutexLock lock(&mutex_);
  for (Json& camera : cameras) {
    camera["node"] = health.node_id();
    camera["heard_ms"] = NowMs(clock_);
    cameras_[camera["id"].get<std::string>()] = camera;
  }
  nodes_[health.node_id()] = node;
  node["cameras"] = std::move(cameras);
  Publish("health", node);
}

void Feed::PublishUnits(const std::vector<UnitState>& units) {
  Json changed = Json::array();
  const BootTime now = clock_.Boot();
  absl::MutexLock lock(&mutex_);
  for (const UnitState& unit : units) {
    const BootTime fixed = now - unit.age;
    Json json = ToJson(unit);
    Json bare = json;
    bare.erase("age_ms");
    Json& known = units_[unit.id.str()];
    // A repeated fix at the same place is news too: the unit is there now. Ages alone are not:
    // clients count them on.
    BootTime& known_fix = fixed_at_[unit.id.str()];
    const bool same_fix =
        unit.freshness == Freshness::kNever || fixed - known_fix < Milliseconds(50);
    if (same_fix && bare == known) continue;
    known = std::move(bare);
    if (unit.freshness != Freshness::kNever) known_fix = fixed;
    changed.push_back(std::move(json));
  }
  Publish("units", changed);
}

void Feed::PublishLatest(const std::string& type, Json value) {
  absl::MutexLock lock(&mutex_);
  latest_[type] = value;
  Publish(type.c_str(), value);
}

}  // namespace cordon
