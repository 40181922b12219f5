// SPDX-License-Identifier: Apache-2.0
#include "dispatch/unit_tracks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/file_util.h"
#include "base/limits.h"
#include "base/log.h"
#include "dispatch/eta.h"

namespace cordon {
namespace {

// Two fixes of every unit: a burst after a blind zone fits, a flood is dropped and counted.
constexpr size_t kMostNews = 2 * limits::kMaxUnits;
constexpr Milliseconds kWait{200};
constexpr Seconds kSaveEvery{60};
// Factors that differ by less are not worth building every graph anew.
constexpr float kWorthPublishing = 0.01F;
// 20,000 arrivals of some 300 bytes.
constexpr size_t kMostLearnedBytes = 64 << 20;

bool IsOnItsWay(proto::UnitStatus status) {
  return status == proto::UNIT_STATUS_ASSIGNED || status == proto::UNIT_STATUS_ACKNOWLEDGED ||
         status == proto::UNIT_STATUS_EN_ROUTE;
}

TrackFix FixOf(const proto::UnitPosition& position) {
  TrackFix fix;
  fix.time = WallFromMicros(position.fix_time_us());
  fix.place = {position.lat(), position.lon()};
  if (position.has_accuracy_m()) fix.accuracy = Metres{position.accuracy_m()};
  if (position.has_speed_mps()) fix.speed_mps = position.speed_mps();
  if (position.has_course_deg()) fix.course_deg = position.course_deg();
  return fix;
}

bool DifferMuch(const SpeedFactors& a, const SpeedFactors& b) {
  for (size_t hour = 0; hour < a.size(); ++hour)
    for (size_t c = 0; c < a[hour].size(); ++c)
      if (std::fabs(a[hour][c] - b[hour][c]) > kWorthPublishing) return true;
  return false;
}

}  // namespace

UnitTracks::UnitTracks(const Clock& clock, Metrics& metrics,
                       std::shared_ptr<RoadConditions> conditions,
                       std::shared_ptr<const TravelModel> model, Options options,
                       absl::TimeZone zone)
    : clock_(clock),
      conditions_(std::move(conditions)),
      model_(std::move(model)),
      options_(std::move(options)),
      zone_(zone),
      dropped_(metrics.Counter("cordon_track_news_dropped_total",
                               "Fixes and statuses that came faster than tracks follow")),
      journeys_(metrics.Counter("cordon_journeys_total",
                                "Ways driven from en route to on scene, broken ones included")),
      metrics_(metrics),
      news_(kMostNews) {
  for (auto& hour : published_) hour.fill(1.0F);
}

absl::StatusOr<std::unique_ptr<UnitTracks>> UnitTracks::Start(
    const Clock& clock, Metrics& metrics, std::shared_ptr<RoadConditions> conditions,
    std::shared_ptr<const TravelModel> model, Options options) {
  absl::TimeZone zone;
  if (!absl::LoadTimeZone(options.time_zone, &zone))
    return absl::InvalidArgumentError(
        fmt::format("time zone '{}' is not known; such as Europe/Lisbon", options.time_zone));
  std::unique_ptr<UnitTracks> tracks(new UnitTracks(
      clock, metrics, std::move(conditions), std::move(model), std::move(options), zone));
  tracks->Load();
  tracks->Publish(/*at_once=*/true);
  tracks->ShowErrors();
  tracks->conditions_->SetHour(tracks->HourNow());
  tracks->thread_ = std::thread([raw = tracks.get()] { raw->Loop(); });
  return tracks;
}

UnitTracks::~UnitTracks() {
  news_.Close();
  if (thread_.joinable()) thread_.join();
}

int UnitTracks::HourNow() const {
  return absl::ToCivilHour(absl::FromUnixMicros(ToMicros(clock_.Wall())), zone_).hour();
}

void UnitTracks::Load() {
  if (options_.learned_file.empty() || !std::filesystem::exists(options_.learned_file)) return;
  const absl::StatusOr<std::string> text = ReadFile(options_.learned_file, kMostLearnedBytes);
  const absl::Status loaded = text.ok() ? learning_.Load(*text) : text.status();
  if (loaded.ok()) return;
  std::error_code ignored;
  std::filesystem::rename(options_.learned_file, options_.learned_file + ".damaged", ignored);
  log::Warning("what was learned about speeds cannot be read; it is set aside, learning starts anew",
               {{"file", options_.learned_file + ".damaged"}, {"cause", MessageOf(loaded)}});
}

void UnitTracks::Save() {
  if (!unsaved_ || options_.learned_file.empty()) return;
  unsaved_ = false;
  saved_ = clock_.Boot();
  if (const absl::Status kept = WriteFileDurably(options_.learned_file, learning_.Save());
      !kept.ok())
    log::Warning("what was learned about speeds could not be kept",
                 {{"file", options_.learned_file}, {"cause", MessageOf(kept)}});
}

void UnitTracks::HandOver(News news) {
  if (news_.Push(std::move(news)) == PushResult::kFull) dropped_.Increment();
}

void UnitTracks::OnFix(const proto::UnitPosition& fix) { HandOver(fix); }

void UnitTracks::OnUnit(const proto::UnitChange& change) { HandOver(change); }

void UnitTracks::OnCircles(const proto::ResponseCircles& circles) {
  for (const proto::UnitEta& eta : circles.units())
    if (eta.has_eta() && IsOnItsWay(eta.status()))
      HandOver(Promise{eta.unit_id(), Milliseconds(eta.eta_ms()), clock_.Boot()});
}

void UnitTracks::Settle() {
  absl::Notification done;
  HandOver(Settled{&done});
  done.WaitForNotification();
}

void UnitTracks::Loop() {
  SetThreadName("tracks");
  for (;;) {
    std::optional<News> news = news_.Pop(kWait);
    if (news) std::visit([this](const auto& what) { Take(what); }, *news);
    conditions_->SetHour(HourNow());
    Publish(/*at_once=*/false);
    if (clock_.Boot() - saved_ >= kSaveEvery) Save();
    if (!news && news_.closed()) break;
  }
  Save();
}

void UnitTracks::Take(const proto::UnitPosition& fix) {
  if (fix.kind() == proto::UnitConfig::KIND_FOOT) return;
  Track& track = tracks_[fix.unit_id()];
  track.kind = TravelKindOf(fix.kind());
  auto graph = model_->Graph({track.kind, TravelMode::kUrgent});
  if (track.matcher == nullptr) {
    track.matcher = std::make_unique<MapMatcher>(std::move(graph));
  } else {
    track.matcher->SetGraph(std::move(graph));
  }
  const TrackFix one = FixOf(fix);
  MatchedFix match = track.matcher->Add(one);
  if (match.state == MatchState::kOutOfOrder) return;
  if (track.journey) track.journey->Add(match, one.time);
  track.match = match;
  track.fix_time = one.time;
  absl::MutexLock lock(&mutex_);
  matched_[fix.unit_id()] = {one.place, std::move(match)};
}

void UnitTracks::Take(const proto::UnitChange& change) {
  const auto known = tracks_.find(change.unit_id());
  if (known == tracks_.end()) return;
  Track& track = known->second;
  if (change.status() == proto::UNIT_STATUS_EN_ROUTE) {
    track.journey.emplace(conditions_->network());
    if (track.match) track.journey->Add(*track.match, track.fix_time);
    track.held = std::exchange(track.promise, std::nullopt);
  } else if (change.status() == proto::UNIT_STATUS_ON_SCENE && track.journey) {
    Learn(track);
    track.journey.reset();
  } else if (!IsOnItsWay(change.status())) {
    track.journey.reset();
    track.promise.reset();
  }
}

void UnitTracks::Take(const Promise& promise) {
  if (const auto track = tracks_.find(promise.unit_id); track != tracks_.end())
    track->second.promise = promise;
}

void UnitTracks::Learn(Track& track) {
  journeys_.Increment();
  const std::optional<DrivenWay> way = track.journey->Finish();
  absl::Status learned = absl::FailedPreconditionError("the way has a hole");
  if (way) {
    ArrivalRecord arrival =
        PredictWay(model_->network(), {track.kind, TravelMode::kUrgent}, way->edges, way->from_cm, way->to_cm);
    arrival.actual_s = way->seconds;
    arrival.hour = HourNow();
    if (track.held) {
      arrival.promised_s = std::chrono::duration<double>(track.held->eta).count();
      arrival.elapsed_s = std::chrono::duration<double>(clock_.Boot() - track.held->told).count();
    }
    learned = learning_.Add(arrival);
  }
  track.held.reset();
  {
    absl::MutexLock lock(&mutex_);
    ++report_.journeys;
    report_.broken += learned.ok() ? 0 : 1;
  }
  if (!learned.ok()) return;
  unsaved_ = true;
  unpublished_ = true;
  ShowErrors();
}

void UnitTracks::Publish(bool at_once) {
  if (!at_once && (!unpublished_ || clock_.Boot() - published_at_ < options_.publish_every)) return;
  unpublished_ = false;
  published_at_ = clock_.Boot();
  const SpeedFactors factors = learning_.Factors();
  if (!DifferMuch(factors, published_)) return;
  published_ = factors;
  conditions_->SetClassFactors(factors);
  log::Info("learned speeds are in use", {{"arrivals", learning_.arrivals()}});
}

void UnitTracks::ShowErrors() {
  LearningReport report;
  {
    absl::MutexLock lock(&mutex_);
    report_.left_out = learning_.left_out();
    report_.promised = learning_.PromisedError();
    report_.prior = learning_.PriorError();
    report_.learned = learning_.LearnedError();
    using GroupBy = SpeedLearning::GroupBy;
    report_.learned_by_class = learning_.LearnedErrors(GroupBy::kClass);
    report_.learned_by_hour = learning_.LearnedErrors(GroupBy::kHour);
    report_.learned_by_class_and_hour = learning_.LearnedErrors(GroupBy::kClassAndHour);
    report = report_;
  }
  const auto show = [&](const char* of, const char* quantile, double seconds) {
    metrics_
        .Gauge("cordon_eta_error_seconds",
               "How far arrivals were from what was predicted, by prediction and quantile",
               {{"of", of}, {"quantile", quantile}})
        .Set(seconds);
  };
  for (const auto& [of, error] : {std::pair("promised", report.promised),
                                  std::pair("prior", report.prior),
                                  std::pair("learned", report.learned)}) {
    show(of, "0.5", error.p50_s);
    show(of, "0.9", error.p90_s);
  }
}

LearningReport UnitTracks::report() const {
  absl::MutexLock lock(&mutex_);
  return report_;
}

std::optional<UnitSnap> UnitTracks::Matched(const UnitState& unit,
                                           const TravelGraph& graph) const {
  if (unit.kind == proto::UnitConfig::KIND_FOOT) return std::nullopt;
  absl::MutexLock lock(&mutex_);
  const auto at = matched_.find(unit.id.str());
  if (at == matched_.end() || !(at->second.place == unit.place) ||
      at->second.match.state != MatchState::kMatched)
    return std::nullopt;
  return SnapOfMatch(graph, at->second.match);
}

UnitSnap UnitTracks::Place(const UnitState& unit, const TravelGraph& graph) const {
  if (std::optional<UnitSnap> matched = Matched(unit, graph)) return *std::move(matched);
  return SnapUnit(graph, {unit.place, unit.accuracy.value_or(Metres{0}), unit.course_deg,
                          unit.speed_mps});
}

}  // namespace cordon
