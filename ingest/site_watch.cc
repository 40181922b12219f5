// SPDX-License-Identifier: Apache-2.0
#include "ingest/site_watch.h"

#include <algorithm>
#include <utility>

#include "base/status.h"

namespace cordon {
namespace {

constexpr Seconds kHold{3};
constexpr size_t kFewestLost = 3;
constexpr double kLostShare = 0.6;
constexpr double kRestoredShare = 0.2;

}  // namespace

proto::Event SiteWatch::Folded(proto::EventKind kind, const std::string& detail,
                               const proto::Event& like) const {
  proto::Event event = like;
  event.set_kind(kind);
  event.set_rule_id("site");
  event.set_detail(detail);
  event.set_severity(kind == proto::EVENT_KIND_SITE_LOST ? proto::RuleConfig::SEVERITY_CRITICAL
                                                         : proto::RuleConfig::SEVERITY_INFO);
  return event;
}

void SiteWatch::Take(proto::Event event, std::vector<proto::Event>& out) {
  const std::string camera = event.camera_id();
  const bool of_stream = event.rule_id() == "stream";
  if (of_stream && event.kind() == proto::EVENT_KIND_STREAM_LOST && cameras_ >= kFewestLost) {
    lost_.insert(camera);
    waiting_.push_back({clock_.Boot(), std::move(event)});
    return;
  }
  if (of_stream && event.kind() == proto::EVENT_KIND_STREAM_RESTORED && lost_.erase(camera) > 0) {
    const auto waits = [&](const Waiting& w) { return w.event.camera_id() == camera; };
    // Lost and back within the hold, or lost within a folded loss: nobody was told, so nobody needs
    // to be told now.
    const bool untold = std::erase_if(waiting_, waits) > 0 || folded_.erase(camera) > 0;
    if (!untold) out.push_back(event);
    if (site_lost_ &&
        static_cast<double>(lost_.size()) < kRestoredShare * static_cast<double>(cameras_)) {
      site_lost_ = false;
      out.push_back(Folded(proto::EVENT_KIND_STREAM_RESTORED,
                           fmt::format("site is back: {} of {} cameras have video",
                                       cameras_ - lost_.size(), cameras_),
                           event));
    }
    return;
  }
  out.push_back(std::move(event));
}

std::vector<proto::Event> SiteWatch::Pass(std::vector<proto::Event> events) {
  std::vector<proto::Event> out;
  for (proto::Event& event : events) Take(std::move(event), out);
  if (waiting_.empty()) return out;
  const bool most = lost_.size() >= kFewestLost &&
                    static_cast<double>(lost_.size()) >= kLostShare * static_cast<double>(cameras_);
  if (!site_lost_ && !most && clock_.Boot() - waiting_.front().since < kHold) return out;
  if (most && !site_lost_ && clock_.Boot() - waiting_.front().since >= kHold) {
    site_lost_ = true;
    out.push_back(Folded(
        proto::EVENT_KIND_SITE_LOST,
        fmt::format("{} of {} cameras without video at once; check power and network of the site",
                    lost_.size(), cameras_),
        waiting_.front().event));
  }
  while (!waiting_.empty() && (site_lost_ || clock_.Boot() - waiting_.front().since >= kHold)) {
    if (site_lost_) {
      folded_.insert(waiting_.front().event.camera_id());
    } else {
      out.push_back(std::move(waiting_.front().event));
    }
    waiting_.erase(waiting_.begin());
  }
  return out;
}

}  // namespace cordon
