// SPDX-License-Identifier: Apache-2.0
#include "dispatch/eta_watch.h"

#include <fmt/format.h>

#include <algorithm>

namespace cordon {
namespace {

// A second of progress could be jitter of the fix.
constexpr Milliseconds kProgress{1000};

bool IsOnItsWay(const proto::UnitEta& eta) {
  return eta.status() == proto::UNIT_STATUS_ASSIGNED ||
         eta.status() == proto::UNIT_STATUS_ACKNOWLEDGED ||
         eta.status() == proto::UNIT_STATUS_EN_ROUTE;
}

proto::Notice NoticeOf(const char* kind, const proto::Incident& incident, const std::string& unit,
                       std::string text) {
  proto::Notice notice;
  notice.set_kind(kind);
  notice.set_subject(unit);
  notice.set_incident_id(incident.id());
  notice.set_text(std::move(text));
  return notice;
}

}  // namespace

std::vector<proto::Notice> EtaWatch::Look(const proto::Incident& incident,
                                          const proto::ResponseCircles& circles, BootTime now) {
  std::vector<proto::Notice> notices;
  for (const proto::UnitEta& eta : circles.units()) {
    const auto& assigned = incident.assigned_units();
    if (std::find(assigned.begin(), assigned.end(), eta.unit_id()) == assigned.end() ||
        !IsOnItsWay(eta))
      continue;
    if (eta.eta_ms() == 0) continue;
    const Milliseconds left(eta.eta_ms());
    const auto [at, fresh] =
        watched_.try_emplace({incident.id(), eta.unit_id()}, Watched{now, left, left, now});
    Watched& watched = at->second;
    if (fresh) continue;
    if (left <= watched.least - kProgress) {
      watched.least = left;
      watched.least_at = now;
      watched.told_still = false;
    }
    const Seconds still = std::chrono::duration_cast<Seconds>(now - watched.least_at);
    if (still >= kNoProgress && !watched.told_still &&
        eta.status() != proto::UNIT_STATUS_ASSIGNED) {
      watched.told_still = true;
      notices.push_back(
          NoticeOf("eta_not_falling", incident, eta.unit_id(),
                   fmt::format("{} is not getting nearer to the scene: no progress for {} s",
                               eta.unit_id(), still.count())));
    }
    const Milliseconds total =
        std::chrono::duration_cast<Milliseconds>(now - watched.assigned) + left;
    const bool much_later = static_cast<double>(total.count()) >
                                kMuchLater * static_cast<double>(watched.promised.count()) &&
                            total - watched.promised >= kLeastDelay;
    if (much_later && !watched.told_late) {
      watched.told_late = true;
      const auto best = std::find_if(
          circles.units().begin(), circles.units().end(), [&](const proto::UnitEta& other) {
            return other.excluded().empty() && other.status() == proto::UNIT_STATUS_AVAILABLE &&
                   other.eta_ms() < eta.eta_ms();
          });
      std::string text = fmt::format("{} will need {} s in all instead of {} s", eta.unit_id(),
                                     std::chrono::duration_cast<Seconds>(total).count(),
                                     std::chrono::duration_cast<Seconds>(watched.promised).count());
      if (best != circles.units().end())
        text += fmt::format("; {} could be there in {} s", best->unit_id(), best->eta_ms() / 1000);
      notices.push_back(NoticeOf("eta_exceeded", incident, eta.unit_id(), std::move(text)));
    }
  }
  return notices;
}

void EtaWatch::Forget(const std::string& incident_id) {
  std::erase_if(watched_, [&](const auto& entry) { return entry.first.first == incident_id; });
}

}  // namespace cordon
