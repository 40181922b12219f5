// SPDX-License-Identifier: Apache-2.0
// Intrusion: an object stands or walks in the zone for the dwell. Loitering: it stays for the
// dwell, short steps outside included. Motion: anything moves in the zone; one event until it has
// been quiet for the re-arm time.
#include <utility>

#include "analytics/rule.h"

namespace cordon {
namespace {

// After a jump an object must be seen for this long where it landed before its stay begins.
constexpr Microseconds kSettle = Milliseconds(700);
// Loitering forgives absences up to this.
constexpr Microseconds kShortExit = Seconds(3);

struct Stay {
  PicturePoint foot;
  MediaTime seen{};
  float height = 0;
  bool known = false;
  bool inside = false;
  bool raised = false;
  MediaTime since{};
  MediaTime left{};
  MediaTime settled{};
  MediaTime raised_at{};
};

class ZoneRule final : public Rule {
 public:
  using Rule::Rule;

  void Evaluate(const RuleInput& input, bool armed, std::vector<proto::Event>& events) override {
    pending_ = false;
    for (const Track& track : input.tracks) {
      Stay& stay = stays_[track.id];
      if (!settings_.Wants(track)) continue;
      if (!std::exchange(stay.known, true)) Begin(stay, track, input);
      if (track.measured) Move(stay, track, input);
      if (!stay.inside) continue;
      if (!stay.raised) pending_ = true;
      if (armed && track.measured && !stay.raised && input.now - stay.since >= settings_.dwell) {
        Raise(stay, track, input, events);
      }
    }
    stays_.Sweep([&](const Stay& stay) {
      if (stay.inside || stay.raised) lost_.Add(stay);
    });
  }

  bool pending() const override { return pending_; }

  void Reset() override {
    stays_.clear();
    lost_.clear();
    pending_ = false;
  }

 private:
  bool loitering() const { return settings_.config.kind() == proto::RuleConfig::KIND_LOITERING; }
  bool motion() const { return settings_.config.kind() == proto::RuleConfig::KIND_MOTION; }

  void Begin(Stay& stay, const Track& track, const RuleInput& input) {
    if (const auto before = lost_.Take(track, input.aspect)) {
      stay = *before;
      stay.known = true;
    } else if (settings_.zone.Contains(track.path.empty() ? track.box.foot()
                                                          : track.path.front().foot)) {
      // It appeared inside: its stay began with it.
      stay.inside = true;
      stay.since = track.began;
    }
  }

  void Move(Stay& stay, const Track& track, const RuleInput& input) {
    stay.foot = track.box.foot();
    stay.seen = input.now;
    stay.height = track.box.height;
    if (track.jumped) stay.settled = input.now + kSettle;
    const float depth = settings_.zone.DepthInside(stay.foot, input.aspect);
    if (stay.inside && depth < -ClearMargin(stay.height)) {
      stay.inside = false;
      stay.left = input.now;
    } else if (!stay.inside && depth > 0 && input.now >= stay.settled) {
      stay.inside = true;
      const bool goes_on =
          loitering() && stay.since != MediaTime{} && input.now - stay.left <= kShortExit;
      if (!goes_on) stay.since = input.now;
      if (stay.raised && input.now - stay.raised_at >= settings_.rearm && !goes_on)
        stay.raised = false;
    }
  }

  void Raise(Stay& stay, const Track& track, const RuleInput& input,
             std::vector<proto::Event>& events) {
    stay.raised = true;
    stay.raised_at = input.now;
    if (motion()) {
      const bool quiet = !last_motion_ || input.now - *last_motion_ >= settings_.rearm;
      last_motion_ = input.now;
      if (!quiet) return;
    }
    const double stayed = ToSeconds(input.now - stay.since);
    proto::EventKind kind = proto::EVENT_KIND_INTRUSION;
    if (loitering()) kind = proto::EVENT_KIND_LOITERING;
    if (motion()) kind = proto::EVENT_KIND_MOTION;
    proto::Event event = MakeEvent(kind, input, &track, stay.since);
    const std::string where = settings_.zone.whole_picture() ? "in the picture" : "in the zone";
    event.set_detail(fmt::format("{} {} for {:.1f} s", track.object_class, where, stayed));
    event.mutable_explanation()->set_rule_text(fmt::format("{} (rule {}, dwell {:g} s)",
                                                           event.detail(), settings_.config.id(),
                                                           settings_.config.dwell_s()));
    (*event.mutable_explanation()->mutable_measured())["stayed_s"] = stayed;
    events.push_back(std::move(event));
  }

  PerTrack<Stay> stays_;
  RecentlyLost<Stay> lost_;
  std::optional<MediaTime> last_motion_;
  bool pending_ = false;
};

}  // namespace

std::unique_ptr<Rule> MakeZoneRule(RuleSettings settings) {
  return std::make_unique<ZoneRule>(std::move(settings));
}

}  // namespace cordon
