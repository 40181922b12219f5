// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/console/desk.h"

#include "base/check.h"
#include "dispatch/demo_city.h"
#include "dispatch/road_draft.h"

namespace cordon::testing {
namespace {

constexpr uint32_t kTiers[] = {60, 180, 300};

}  // namespace

std::shared_ptr<const RoadNetwork> DemoRoads() {
  static const auto* const roads = [] {
    auto image = BuildRoadImage(DrawDemoCity());
    CORDON_CHECK(image.ok(), MessageOf(image.status()));
    auto network = RoadNetwork::FromImage(*std::move(image));
    CORDON_CHECK(network.ok(), MessageOf(network.status()));
    return new std::shared_ptr<const RoadNetwork>(*std::move(network));
  }();
  return *roads;
}

Desk::Desk(Options options) {
  feed_ = std::make_unique<Feed>(SystemClock(), metrics_);
  if (options.roads != nullptr) {
    conditions_ = std::make_shared<RoadConditions>(options.roads);
    model_ = std::make_shared<TravelModel>(conditions_);
    auto tracks = UnitTracks::Start(SystemClock(), metrics_, conditions_, model_, {});
    CORDON_CHECK(tracks.ok(), MessageOf(tracks.status()));
    tracks_ = *std::move(tracks);
    engine_ = std::make_unique<EtaEngine>(model_, EtaOptions{}, tracks_.get());
    maker_ = std::make_unique<CircleMaker>(model_);
  }
  if (options.site.dispatch().tiers_s().empty())
    for (const uint32_t tier : kTiers) options.site.mutable_dispatch()->add_tiers_s(tier);
  proto::DispatchConfig& config = *options.site.mutable_dispatch();
  config.set_ack_timeout_s(15);
  config.set_group_within_m(50);
  config.set_group_within_s(60);
  config.set_group_longest_s(600);
  Dispatcher::Options dispatch;
  dispatch.store_path = options.store.empty() ? folder_.File("dispatch.db") : options.store;
  dispatch.config = config;
  for (const proto::CameraConfig& camera : options.site.cameras())
    dispatch.cameras.push_back({camera.id(), camera.name(), 0});
  dispatch.listeners = {feed_.get()};
  if (tracks_ != nullptr) dispatch.listeners.push_back(tracks_.get());
  if (engine_ != nullptr) {
    dispatch.compute_circles = [this](const CirclesRequest& request) { return Rank(request); };
    dispatch.draw_areas = [this](proto::ResponseCircles& circles) {
      const LatLon scene{circles.scene().lat(), circles.scene().lon()};
      AddAreas(maker_->OfScene(scene, {TravelKind::kCar, TravelMode::kUrgent}, kTiers), circles);
    };
  }
  auto dispatcher = Dispatcher::Start(SystemClock(), metrics_, units_, std::move(dispatch));
  CORDON_CHECK(dispatcher.ok(), MessageOf(dispatcher.status()));
  dispatcher_ = *std::move(dispatcher);

  if (options.roads != nullptr) {
    auto road_desk = RoadDesk::Start(SystemClock(), metrics_, options.site, *dispatcher_, units_,
                                     *feed_, conditions_, model_, *tracks_);
    CORDON_CHECK(road_desk.ok(), MessageOf(road_desk.status()));
    road_desk_ = *std::move(road_desk);
    options.api.extensions = road_desk_->extensions();
    options.api.site_extras = road_desk_->site_extras();
  }
  options.api.site = options.site;
  options.api.units = &units_;
  options.api.dispatcher = dispatcher_.get();
  options.api.metrics = &metrics_;
  views_ = std::make_unique<ViewLog>(*dispatcher_, SystemClock());
  options.api.views = views_.get();
  if (!options.page.empty()) {
    auto page = StaticFiles::Load(options.page);
    CORDON_CHECK(page.ok(), MessageOf(page.status()));
    options.api.page = *std::move(page);
  }
  api_ = std::make_unique<Api>(SystemClock(), std::move(options.api));
  ConsoleServer::Options server;
  server.listen = options.listen;
  server.feed = feed_.get();
  server.handle = [this](const HttpRequest& request) { return api_->Handle(request); };
  server.every_second = [this] { feed_->PublishUnits(units_.Snapshot()); };
  auto started = ConsoleServer::Start(SystemClock(), metrics_, std::move(server));
  CORDON_CHECK(started.ok(), MessageOf(started.status()));
  server_ = *std::move(started);
}

absl::StatusOr<proto::ResponseCircles> Desk::Rank(const CirclesRequest& request) {
  ASSIGN_OR_RETURN(const EtaAnswer answer, engine_->ToScene({request.scene, {}, 5}, request.units));
  proto::ResponseCircles circles = ToResponseCircles(request.scene, answer, request.units);
  circles.set_computed_us(ToMicros(SystemClock().Wall()));
  return circles;
}

std::string Desk::Raise(const std::string& camera, LatLon place, const std::string& detail,
                        const std::string& jpeg, proto::RuleConfig::Severity severity,
                        proto::EventKind kind) {
  proto::OutboxRecord record;
  proto::Alert& alert = *record.mutable_alert();
  alert.set_id(ids_.Next().str());
  alert.set_producer("node-1");
  alert.set_sequence(++sequence_);
  alert.set_wall_time_us(ToMicros(SystemClock().Wall()));
  alert.set_snapshot_jpeg(jpeg);
  proto::Event& event = *alert.mutable_event();
  event.set_camera_id(camera);
  event.set_rule_id("rule");
  event.set_kind(kind);
  event.set_severity(severity);
  event.set_detail(detail);
  event.mutable_place()->set_lat(place.lat);
  event.mutable_place()->set_lon(place.lon);
  alert.mutable_stages()->set_boot_id(HostBootId());
  alert.mutable_stages()->set_received_ns(ToNanos(SystemClock().Boot()));
  const std::string id = alert.id();
  const absl::Status status = dispatcher_->Deliver(
      [record](sqlite::Connection&) -> absl::StatusOr<std::vector<proto::OutboxRecord>> {
        return std::vector<proto::OutboxRecord>{record};
      });
  CORDON_CHECK(status.ok(), MessageOf(status));
  return id;
}

void Desk::UnitAt(const std::string& id, LatLon place) {
  proto::UnitPosition fix;
  fix.set_unit_id(id);
  fix.set_source("test");
  fix.set_lat(place.lat);
  fix.set_lon(place.lon);
  CORDON_CHECK(units_.Report(fix).ok(), "a plausible fix");
}

}  // namespace cordon::testing
