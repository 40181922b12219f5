// SPDX-License-Identifier: Apache-2.0
// Abandoned and removed object: something came to rest in the zone, or is gone from it, for the
// dwell. Tamper: the picture as a whole no longer shows what it should.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "analytics/rule.h"

namespace cordon {
namespace {

class StillRule final : public Rule {
 public:
  using Rule::Rule;

  void Evaluate(const RuleInput& input, bool armed, std::vector<proto::Event>& events) override {
    const bool removed = settings_.config.kind() == proto::RuleConfig::KIND_REMOVED_OBJECT;
    std::set<uint64_t> there;
    pending_ = false;
    for (const StillObject& object : input.still_objects) {
      there.insert(object.id);
      if (object.removed != removed || raised_.contains(object.id)) continue;
      const bool fits = object.box.height >= settings_.config.min_height() &&
                        (settings_.config.max_height() <= 0 ||
                         object.box.height <= settings_.config.max_height());
      if (!fits || !settings_.zone.Contains(object.box.centre())) continue;
      pending_ = true;
      if (!armed || input.now - object.since < settings_.dwell) continue;
      raised_.insert(object.id);
      events.push_back(Describe(object, removed, input));
    }
    std::erase_if(raised_, [&](uint64_t id) { return !there.contains(id); });
  }

  bool pending() const override { return pending_; }
  void Reset() override { raised_.clear(); }

 private:
  proto::Event Describe(const StillObject& object, bool removed, const RuleInput& input) const {
    proto::Event event =
        MakeEvent(removed ? proto::EVENT_KIND_REMOVED_OBJECT : proto::EVENT_KIND_ABANDONED_OBJECT,
                  input, nullptr, object.since);
    event.mutable_box()->set_x(object.box.x);
    event.mutable_box()->set_y(object.box.y);
    event.mutable_box()->set_width(object.box.width);
    event.mutable_box()->set_height(object.box.height);
    const double rested = ToSeconds(input.now - object.since);
    event.set_detail(removed ? fmt::format("something has been gone for {:.0f} s", rested)
                             : fmt::format("something has lain there for {:.0f} s", rested));
    proto::Explanation& why = *event.mutable_explanation();
    why.set_rule_text(fmt::format("{} (rule {}, dwell {:g} s)", event.detail(),
                                  settings_.config.id(), settings_.config.dwell_s()));
    (*why.mutable_measured())["rested_s"] = rested;
    why.set_score(1);
    return event;
  }

  std::set<uint64_t> raised_;
  bool pending_ = false;
};

class TamperRule final : public Rule {
 public:
  using Rule::Rule;

  void Evaluate(const RuleInput& input, bool armed, std::vector<proto::Event>& events) override {
    pending_ = false;
    for (const TamperFinding& finding : input.tamper) {
      State& state = states_[finding.kind];
      // It was gone for the re-arm time: this is a new one.
      if (state.raised && input.now - state.seen >= settings_.rearm) state.raised = false;
      state.seen = input.now;
      if (state.raised) continue;
      pending_ = true;
      if (!armed || input.now - finding.began < settings_.dwell) continue;
      state.raised = true;
      proto::Event event = MakeEvent(finding.kind, input, nullptr, finding.began);
      event.set_detail(finding.detail);
      proto::Explanation& why = *event.mutable_explanation();
      why.set_rule_text(fmt::format("{} (rule {}, dwell {:g} s)", finding.detail,
                                    settings_.config.id(), settings_.config.dwell_s()));
      (*why.mutable_thresholds())["share"] = finding.threshold;
      (*why.mutable_measured())["share"] = finding.measured;
      why.set_score(1);
      events.push_back(std::move(event));
    }
  }

  bool pending() const override { return pending_; }
  void Reset() override { states_.clear(); }

 private:
  struct State {
    bool raised = false;
    MediaTime seen{};
  };
  std::map<proto::EventKind, State> states_;
  bool pending_ = false;
};

}  // namespace

std::unique_ptr<Rule> MakeSceneRule(RuleSettings settings) {
  if (settings.config.kind() == proto::RuleConfig::KIND_TAMPER) {
    return std::make_unique<TamperRule>(std::move(settings));
  }
  return std::make_unique<StillRule>(std::move(settings));
}

}  // namespace cordon
