// SPDX-License-Identifier: Apache-2.0
#include "console/coverage_feed.h"

#include <fmt/format.h>

#include <cmath>

#include "base/log.h"
#include "dispatch/snap.h"

namespace cordon {
namespace {

// How far beyond its tiers the nearest unit of a gap is looked for, and for how many gaps in one
// tick.
constexpr size_t kFarLooks = 8;
constexpr uint32_t kFarLimitMs = 900'000;

double Kilometres(uint64_t cm) { return std::round(static_cast<double>(cm) / 1e5 * 100) / 100; }

bool Counts(const UnitState& unit) {
  const bool placed = unit.freshness == Freshness::kFresh || unit.freshness == Freshness::kUsable;
  return placed && (unit.status == proto::UNIT_STATUS_AVAILABLE ||
                    unit.status == proto::UNIT_STATUS_RETURNING);
}

}  // namespace

absl::StatusOr<std::vector<ProtectedPlace>> ProtectedPlacesOf(const proto::Site& site) {
  std::vector<std::string> holidays;
  for (const proto::HolidayConfig& holiday : site.holidays()) holidays.push_back(holiday.date());
  std::vector<ProtectedPlace> places;
  for (const proto::PlaceConfig& config : site.dispatch().places()) {
    ProtectedPlace place;
    place.id = PlaceId(config.id());
    place.name = config.name().empty() ? config.id() : config.name();
    place.place = {config.lat(), config.lon()};
    for (const proto::PlaceRequirement& require : config.require()) {
      ProtectedPlace::Requirement& wanted = place.require.emplace_back();
      wanted.tier_ms = require.tier_s() * 1000;
      wanted.count = require.count();
      for (const int kind : require.kinds()) wanted.kinds.push_back(static_cast<TravelKind>(kind));
    }
    const std::vector<std::string> hours(config.hours().begin(), config.hours().end());
    absl::StatusOr<Schedule> schedule = Schedule::Parse(hours, site.time_zone(), holidays);
    if (!schedule.ok()) return Annotate(schedule.status(), fmt::format("place {}", config.id()));
    place.hours = *std::move(schedule);
    places.push_back(std::move(place));
  }
  return places;
}

CoverageFeed::CoverageFeed(const Clock& clock, Metrics& metrics, UnitBoard& units, Feed& feed,
                           std::shared_ptr<const TravelModel> model, const UnitTracks& tracks,
                           Options options, std::unique_ptr<Coverage> coverage)
    : clock_(clock),
      units_(units),
      feed_(feed),
      model_(std::move(model)),
      tracks_(tracks),
      options_(std::move(options)),
      seconds_(metrics.Latency("cordon_coverage_seconds",
                               "Bringing the coverage of the whole network up to date")),
      coverage_(std::move(coverage)) {}

absl::StatusOr<std::unique_ptr<CoverageFeed>> CoverageFeed::Start(
    const Clock& clock, Metrics& metrics, UnitBoard& units, Feed& feed,
    std::shared_ptr<const TravelModel> model, const UnitTracks& tracks, Options options) {
  CoverageOptions tiers;
  tiers.tiers_ms.clear();
  for (const uint32_t tier_s : options.tiers_s) tiers.tiers_ms.push_back(tier_s * 1000);
  ASSIGN_OR_RETURN(std::unique_ptr<Coverage> coverage,
                   Coverage::Create(model->conditions()->network(), std::move(tiers)));
  coverage->SetPlaces(options.places, *model);
  std::unique_ptr<CoverageFeed> started(new CoverageFeed(
      clock, metrics, units, feed, std::move(model), tracks, std::move(options),
      std::move(coverage)));
  started->thread_ = std::thread([raw = started.get()] { raw->Loop(); });
  return started;
}

CoverageFeed::~CoverageFeed() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

void CoverageFeed::Loop() {
  SetThreadName("coverage");
  while (!stopping_) {
    Compute();
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(
        absl::Condition(
            +[](std::atomic<bool>* stopping) { return stopping->load(); }, &stopping_),
        absl::FromChrono(options_.every));
  }
}

void CoverageFeed::Compute() {
  const BootTime began = clock_.Boot();
  std::vector<CoverageUnit> counted;
  for (const UnitState& unit : units_.Snapshot()) {
    if (!Counts(unit)) continue;
    const TravelKind kind = static_cast<TravelKind>(unit.kind);
    const std::shared_ptr<const TravelGraph> graph = model_->Graph({kind, TravelMode::kUrgent});
    counted.push_back({unit.id, kind, unit.freshness == Freshness::kFresh,
                       tracks_.Place(unit, *graph).seeds});
  }
  const absl::StatusOr<Coverage::Tick> tick = coverage_->Update(*model_, counted);
  if (!tick.ok()) {
    log::Warning("coverage could not be computed", {{"cause", MessageOf(tick.status())}});
    return;
  }
  std::shared_ptr<const CoverageDrawing> drawing =
      tick->searched > 0 || version_ == 0 ? Draw(++version_) : nullptr;
  Json json = Describe(*tick, counted.size());
  seconds_.Observe(std::chrono::duration<double>(clock_.Boot() - began).count());
  {
    absl::MutexLock lock(&mutex_);
    if (drawing != nullptr) drawing_ = std::move(drawing);
    latest_ = Dump(json);
  }
  feed_.PublishLatest("coverage", std::move(json));
}

Json CoverageFeed::Describe(const Coverage::Tick& tick, size_t counted) {
  Json json = {{"version", version_},
               {"computed_ms", ToMicros(clock_.Wall()) / 1000},
               {"units", counted},
               {"off_network", tick.off_network},
               {"road_km", Kilometres(coverage_->total_cm())},
               {"tiers", Json::array()},
               {"gaps", Json::array()},
               {"places", DescribePlaces()}};
  for (const TierCoverage& tier : coverage_->tiers())
    json["tiers"].push_back({{"tier_s", tier.tier_ms / 1000},
                             {"covered_km", Kilometres(tier.covered_cm)},
                             {"twice_km", Kilometres(tier.twice_cm)}});
  if (!coverage_->tiers().empty())
    for (const CoverageGap& gap : coverage_->Gaps(coverage_->tiers().size() - 1, options_.gaps))
      json["gaps"].push_back({{"lat", gap.middle.lat},
                              {"lon", gap.middle.lon},
                              {"road", gap.road},
                              {"uncovered_km", Kilometres(gap.uncovered_cm)}});
  return json;
}

Json CoverageFeed::DescribePlaces() {
  Json list = Json::array();
  for (const PlaceStatus& status :
       coverage_->Places(clock_.Wall(), *model_, kFarLooks, kFarLimitMs)) {
    Json place = {{"id", status.place->id.str()},          {"name", status.place->name},
                  {"lat", status.place->place.lat},        {"lon", status.place->place.lon},
                  {"state", PlaceStateName(status.state)}, {"tiers", Json::array()}};
    for (const PlaceStatus::Tier& tier : status.tiers) {
      Json one = {{"tier_s", tier.require.tier_ms / 1000},
                  {"need", tier.require.count},
                  {"have", tier.have},
                  {"state", PlaceStateName(tier.state)}};
      if (tier.unit != kNoUnit) one["unit"] = coverage_->unit_id(tier.unit).str();
      if (tier.eta_ms != kUnreached) one["eta_ms"] = tier.eta_ms;
      place["tiers"].push_back(std::move(one));
    }
    list.push_back(std::move(place));
  }
  return list;
}

std::shared_ptr<const CoverageDrawing> CoverageFeed::Draw(uint64_t version) const {
  auto drawing = std::make_shared<CoverageDrawing>();
  drawing->version = version;
  const RoadNetwork& network = coverage_->network();
  const size_t tiers = options_.tiers_s.size();
  drawing->tier_of_piece.resize(network.piece_count());
  for (uint32_t i = 0; i < network.piece_count(); ++i) {
    const PieceId piece{i};
    size_t tier = 0;
    while (tier < tiers && coverage_->CoveredCm(piece, tier) * 2 < network.piece(piece).length_cm)
      ++tier;
    drawing->tier_of_piece[i] = static_cast<uint8_t>(coverage_->Counts(piece) ? tier : tiers);
  }
  return drawing;
}

std::shared_ptr<const CoverageDrawing> CoverageFeed::drawing() const {
  absl::MutexLock lock(&mutex_);
  return drawing_;
}

HttpResponse CoverageFeed::Handle(const HttpRequest&) const {
  absl::MutexLock lock(&mutex_);
  return {200, "application/json", latest_, {}};
}

}  // namespace cordon
