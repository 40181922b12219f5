// SPDX-License-Identifier: Apache-2.0
#include "cli/dispatch_service.h"

#include <filesystem>
#include <map>
#include <optional>

#include "base/file_util.h"
#include "base/log.h"
#include "bus/keys.h"
#include "cli/site.h"
#include "cli/supervisor.h"
#include "dispatch/demo_city.h"

namespace cordon::cli {
namespace {

constexpr Milliseconds kCommandDeadline{3000};
constexpr size_t kMaxTokenBytes = 1024;

// The road file of a site; "demo" draws the embedded city into the data folder once.
absl::StatusOr<std::string> RoadFileOf(const proto::Site& site) {
  if (site.dispatch().roads() != "demo") return site.dispatch().roads();
  const std::string path = site.data_dir() + "/demo.roads";
  ASSIGN_OR_RETURN(const std::string image, BuildRoadImage(DrawDemoCity()));
  const absl::StatusOr<std::string> present = ReadFile(path, image.size());
  if (!present.ok() || *present != image) RETURN_IF_ERROR(WriteFileDurably(path, image));
  return path;
}

// The built page: where the configuration says, beside the program, or in the source tree the
// program was built in.
std::optional<StaticFiles> LoadPage(const proto::ConsoleConfig& config) {
  const std::filesystem::path program = std::filesystem::path(ThisProgram()).parent_path();
  std::vector<std::string> roots = {program / "web", program / "../../../console/web/dist"};
  if (!config.web_root().empty()) roots = {config.web_root()};
  absl::Status last;
  for (const std::string& root : roots) {
    absl::StatusOr<StaticFiles> page = StaticFiles::Load(root);
    if (page.ok()) return *std::move(page);
    last = page.status();
  }
  log::Warning("the console has no page", {{"cause", MessageOf(last)}});
  return std::nullopt;
}

// A view through the bus, on record.
class RecordedView final : public LiveView {
 public:
  RecordedView(std::unique_ptr<LiveClient::View> view, proto::ViewRecord record, ViewLog& log)
      : view_(std::move(view)), record_(std::move(record)), log_(log) {}

  absl::StatusOr<std::optional<proto::LiveToViewer>> Next() override { return view_->Next(); }
  void Close(uint64_t bytes, const std::string& cause) override {
    view_.reset();
    record_.set_bytes(bytes);
    record_.set_cause(cause);
    if (const absl::Status status = log_.Write(record_).status(); !status.ok())
      log::Error("the end of a view could not be recorded",
                 {{"camera", record_.camera_id()}, {"cause", MessageOf(status)}});
  }

 private:
  std::unique_ptr<LiveClient::View> view_;
  proto::ViewRecord record_;
  ViewLog& log_;
};

}  // namespace

DispatchService::DispatchService(const proto::Site& site, const Clock& clock, Options options)
    : site_(site),
      clock_(clock),
      options_(std::move(options)),
      node_metrics_(clock_, metrics_),
      sink_(clock) {
  metrics_.AddSource([this] { return node_metrics_.Collect(); });
}

absl::StatusOr<std::unique_ptr<DispatchService>> DispatchService::Start(const proto::Site& site,
                                                                        const Clock& clock,
                                                                        Options options) {
  std::unique_ptr<DispatchService> service(new DispatchService(site, clock, std::move(options)));
  RETURN_IF_ERROR(service->Open());
  return service;
}

// In the reverse order of the hops: nothing new comes in, then what is there is finished.
DispatchService::~DispatchService() {
  console_.reset();
  api_.reset();
  road_desk_.reset();
  live_.reset();
  commands_.reset();
  telemetry_.reset();
  inbox_.reset();
  sink_.Close();
  dispatcher_.reset();
}

absl::Status DispatchService::Open() {
  RETURN_IF_ERROR(MakeDirectories(site_.data_dir()));
  RETURN_IF_ERROR(OpenRoads());
  RETURN_IF_ERROR(OpenDispatcher());
  RETURN_IF_ERROR(OpenBus());
  RETURN_IF_ERROR(OpenConsole());
  log::Info("dispatcher is running", {{"console", url_}, {"road_edges", roads_->edge_count()}});
  return WriteFileDurably(site_.data_dir() + "/console.url", url_ + "\n");
}

absl::Status DispatchService::OpenRoads() {
  ASSIGN_OR_RETURN(const std::string path, RoadFileOf(site_));
  ASSIGN_OR_RETURN(roads_, RoadNetwork::Open(path));
  conditions_ = std::make_shared<RoadConditions>(roads_);
  travel_ = std::make_shared<const TravelModel>(conditions_);
  ASSIGN_OR_RETURN(tracks_,
                   UnitTracks::Start(clock_, metrics_, conditions_, travel_,
                                     {.learned_file = site_.data_dir() + "/learned_speeds.json",
                                      .time_zone = site_.time_zone()}));
  circles_ = std::make_unique<ResponseCirclesSource>(travel_, site_.dispatch(), *tracks_, clock_);
  return absl::OkStatus();
}

absl::Status DispatchService::OpenDispatcher() {
  UnitBoard::Options board;
  board.fresh = Seconds(site_.dispatch().fresh_s());
  board.stale = Seconds(site_.dispatch().stale_s());
  board.on_taken = [this](const proto::UnitPosition& fix) { tracks_->OnFix(fix); };
  units_ = std::make_unique<UnitBoard>(clock_, metrics_, board);
  feed_ = std::make_unique<Feed>(clock_, metrics_);
  Dispatcher::Options options;
  options.store_path = site_.data_dir() + "/dispatch.db";
  options.config = site_.dispatch();
  for (const proto::CameraConfig& camera : site_.cameras())
    options.cameras.push_back({camera.id(), camera.name(), camera.retention_hours()});
  for (const proto::NodeConfig& node : site_.nodes()) options.producers.push_back(node.id());
  options.compute_circles = [this](const CirclesRequest& request) {
    return circles_->Rank(request);
  };
  options.draw_areas = [this](proto::ResponseCircles& circles) { circles_->Draw(circles); };
  options.prepare_circles = [this] { circles_->Prepare(); };
  options.prepare = [this](sqlite::Connection& connection) { return sink_.Prepare(connection); };
  options.listeners.push_back(feed_.get());
  options.listeners.push_back(tracks_.get());
  if (options_.print_alerts != AlertStyle::kNone) {
    std::map<std::string, std::string> names;
    for (const proto::CameraConfig& camera : site_.cameras())
      names[camera.id()] = camera.name().empty() ? camera.id() : camera.name();
    printer_ =
        std::make_unique<AlertPrinter>(std::move(names), clock_.Boot(), options_.print_alerts);
    options.listeners.push_back(printer_.get());
  }
  ASSIGN_OR_RETURN(dispatcher_, Dispatcher::Start(clock_, metrics_, *units_, std::move(options)));
  sink_.Attach(*dispatcher_);
  left_behind_ = std::make_unique<LeftBehindKeeper>(site_, clock_);
  return dispatcher_->Read([this](EventStore& store) { return feed_->Load(store); });
}

absl::Status DispatchService::OpenBus() {
  ASSIGN_OR_RETURN(bus_, BusContext::Create(kDispatcherName, site_.bus().keys_dir(), metrics_));
  ASSIGN_OR_RETURN(
      telemetry_,
      TelemetrySubscriber::Open(
          site_.bus().telemetry(), *bus_,
          [this](const proto::Envelope& envelope) { OnTelemetry(envelope); }, metrics_));
  ASSIGN_OR_RETURN(commands_, CommandClient::Open(site_.bus().commands(), *bus_, clock_, metrics_));
  ASSIGN_OR_RETURN(live_, LiveClient::Open(site_.bus().live(), *bus_, clock_, metrics_));
  AlertInboxOptions options;
  options.endpoint = site_.bus().alerts();
  options.on_fatal = [this](const absl::Status& status) {
    log::Critical("the inbox cannot go on; the dispatcher starts again",
                  {{"cause", MessageOf(status)}});
    if (options_.on_fatal) options_.on_fatal();
  };
  ASSIGN_OR_RETURN(inbox_, AlertInbox::Open(std::move(options), *bus_, sink_, clock_, metrics_));
  return absl::OkStatus();
}

Api::Options DispatchService::ApiOptions() {
  Api::Options options;
  options.site = site_;
  options.units = units_.get();
  options.dispatcher = dispatcher_.get();
  options.metrics = &metrics_;
  options.views = views_.get();
  options.page = LoadPage(site_.console());
  options.fetch_evidence = [this](const std::string& node, const std::string& clip,
                                  uint64_t offset) {
    proto::Command command;
    command.mutable_fetch_evidence()->set_node_id(node);
    command.mutable_fetch_evidence()->set_clip_id(clip);
    command.mutable_fetch_evidence()->set_offset(offset);
    return commands_->Call(NodeId(node), std::move(command), kCommandDeadline);
  };
  options.live_preview = [this](const std::string& node, const std::string& camera) {
    proto::Command command;
    command.mutable_live_preview()->set_node_id(node);
    command.mutable_live_preview()->set_camera_id(camera);
    return commands_->Call(NodeId(node), std::move(command), kCommandDeadline);
  };
  options.hold_evidence = [this](const std::string& node, const std::string& clip, bool held,
                                 const std::string& reason) {
    proto::Command command;
    command.mutable_hold_evidence()->set_node_id(node);
    command.mutable_hold_evidence()->set_clip_id(clip);
    command.mutable_hold_evidence()->set_held(held);
    command.mutable_hold_evidence()->set_reason(reason);
    return commands_->Call(NodeId(node), std::move(command), kCommandDeadline).status();
  };
  options.extensions = road_desk_->extensions();
  options.site_extras = road_desk_->site_extras();
  return options;
}

absl::Status DispatchService::OpenConsole() {
  views_ = std::make_unique<ViewLog>(*dispatcher_, clock_);
  ASSIGN_OR_RETURN(road_desk_, RoadDesk::Start(clock_, metrics_, site_, *dispatcher_, *units_,
                                               *feed_, conditions_, travel_, *tracks_));
  Api::Options options = ApiOptions();
  if (const std::string& file = site_.console().position_token_file(); !file.empty()) {
    ASSIGN_OR_RETURN(const std::string text, ReadFile(file, kMaxTokenBytes));
    options.position_token = Secret(text.substr(0, text.find_first_of("\r\n")));
  }
  api_ = std::make_unique<Api>(clock_, std::move(options));
  ConsoleServer::Options server;
  server.listen = site_.console().listen();
  server.handle = [this](const HttpRequest& request) { return api_->Handle(request); };
  server.every_second = [this] { feed_->PublishUnits(units_->Snapshot()); };
  server.feed = feed_.get();
  server.open_live = [this](const LiveRequest& request, std::function<void()> wake) {
    return OpenLive(request, std::move(wake));
  };
  ASSIGN_OR_RETURN(console_, ConsoleServer::Start(clock_, metrics_, std::move(server)));
  url_ = console_->url();
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<LiveView>> DispatchService::OpenLive(const LiveRequest& request,
                                                                    std::function<void()> wake) {
  const std::string node = NodeOf(site_, request.camera);
  if (node.empty())
    return absl::NotFoundError(fmt::format("no camera {}", request.camera.substr(0, 64)));
  proto::ViewRecord record;
  record.set_kind(proto::ViewRecord::KIND_LIVE);
  record.set_camera_id(request.camera);
  record.set_actor(request.actor);
  record.set_address(request.address);
  ASSIGN_OR_RETURN(const uint64_t number, views_->Write(record));
  record.set_began_number(number);
  proto::LiveOpen what;
  what.set_camera_id(request.camera);
  what.set_pictures_only(request.pictures_only);
  absl::StatusOr<std::unique_ptr<LiveClient::View>> view =
      live_->Watch(NodeId(node), what, std::move(wake));
  if (!view.ok()) {
    record.set_cause(std::string(MessageOf(view.status())));
    RETURN_IF_ERROR(views_->Write(record).status());
    return view.status();
  }
  return std::make_unique<RecordedView>(*std::move(view), std::move(record), *views_);
}

// On the bus's "telemetry-in" thread; nothing here waits.
void DispatchService::OnTelemetry(const proto::Envelope& envelope) {
  switch (envelope.body_case()) {
    case proto::Envelope::kNodeHealth:
      dispatcher_->ReportHealth(envelope.node_health());
      break;
    case proto::Envelope::kMetricsPart:
      node_metrics_.Take(envelope.sender(), envelope.metrics_part());
      break;
    case proto::Envelope::kUnitPosition:
      units_->Report(envelope.unit_position()).status().IgnoreError();
      break;
    default:
      break;
  }
}

}  // namespace cordon::cli
