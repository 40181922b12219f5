// SPDX-License-Identifier: Apache-2.0
// cordon roads build | demo | info
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/file_util.h"
#include "cli/commands.h"
#include "dispatch/demo_city.h"
#include "dispatch/osm_import.h"
#include "dispatch/road_network.h"
#include "dispatch/road_report.h"

namespace cordon::cli {
namespace {

struct RoadsOptions {
  std::string in;
  std::string out;
  std::string country;
  bool json = false;
};

nlohmann::json ToJson(const RoadReport& r, const RoadNetwork& n) {
  nlohmann::json km;
  for (int c = 0; c < kRoadClasses; ++c)
    km[RoadClassName(static_cast<RoadClass>(c))] = r.km_by_class[static_cast<size_t>(c)];
  nlohmann::json traps = nlohmann::json::array();
  for (const LatLon& p : r.trap_examples) traps.push_back({{"lat", p.lat}, {"lon", p.lon}});
  const LatLon low = n.south_west().ToLatLon();
  const LatLon high = n.north_east().ToLatLon();
  return {{"file_bytes", n.file_bytes()},
          {"geometry_bytes", n.geometry_bytes()},
          {"checksum", fmt::format("{:016x}", n.checksum())},
          {"bbox", {low.lon, low.lat, high.lon, high.lat}},
          {"drives_left", n.drives_left()},
          {"junctions", r.junctions},
          {"pieces", r.pieces},
          {"edges_urgent", r.edges_urgent},
          {"edges_routine", r.edges_routine},
          {"km_by_class", km},
          {"km_one_way", r.km_one_way},
          {"km_contraflow", r.km_contraflow},
          {"km_bridge", r.km_bridge},
          {"km_tunnel", r.km_tunnel},
          {"km_walked_only", r.km_walked_only},
          {"signals", r.signals},
          {"barriers", r.barriers},
          {"barriers_open_to_urgent", r.barriers_open_to_urgent},
          {"forbidden_turns", r.forbidden_turns},
          {"ghosts", r.ghosts},
          {"dead_ends", r.dead_ends},
          {"sites", r.sites},
          {"import", r.notes},
          {"suspicious",
           {{"islands", r.islands},
            {"km_island", r.km_island},
            {"traps", r.traps},
            {"trap_examples", traps},
            {"crowded_junctions", r.crowded_junctions},
            {"fast_minor_pieces", r.fast_minor_pieces}}}};
}

void PrintReport(const RoadReport& r, const RoadNetwork& n) {
  const LatLon low = n.south_west().ToLatLon();
  const LatLon high = n.north_east().ToLatLon();
  std::printf("extent        %.5f,%.5f to %.5f,%.5f; traffic keeps %s\n", low.lat, low.lon,
              high.lat, high.lon, n.drives_left() ? "left" : "right");
  std::printf("size          %u junctions, %u pieces, %u directed edges urgent, %u routine\n",
              r.junctions, r.pieces, r.edges_urgent, r.edges_routine);
  std::printf("file          %.1f MB (%.1f MB of it geometry), checksum %016llx\n",
              static_cast<double>(n.file_bytes()) / 1e6,
              static_cast<double>(n.geometry_bytes()) / 1e6,
              static_cast<unsigned long long>(n.checksum()));
  for (int c = 0; c < kRoadClasses; ++c)
    if (r.km_by_class[static_cast<size_t>(c)] > 0)
      std::printf("  %-14s %10.1f km\n", RoadClassName(static_cast<RoadClass>(c)),
                  r.km_by_class[static_cast<size_t>(c)]);
  std::printf("one-way       %.1f km, of which %.1f km may be driven against in an emergency\n",
              r.km_one_way, r.km_contraflow);
  std::printf("bridges       %.1f km; tunnels %.1f km; only walked %.1f km\n", r.km_bridge,
              r.km_tunnel, r.km_walked_only);
  std::printf(
      "signals       at the end of %u edges; %u barriers, %u of them open to urgent units\n",
      r.signals, r.barriers, r.barriers_open_to_urgent);
  std::printf(
      "turns         %u forbidden, %u ghost edges for restrictions via ways; %u dead ends\n",
      r.forbidden_turns, r.ghosts, r.dead_ends);
  for (const auto& [kind, count] : r.sites) std::printf("  %-14s %6u\n", kind.c_str(), count);
  for (const auto& [key, value] : r.notes)
    std::printf("import        %s: %s\n", key.c_str(), value.c_str());
  std::printf("suspicious    %u islands with %.1f km of road: units there reach nobody\n",
              r.islands, r.km_island);
  std::printf(
      "suspicious    %u junctions that routine cars can enter but not leave, or leave but not "
      "enter\n",
      r.traps);
  for (const LatLon& p : r.trap_examples)
    std::printf("                for example %.6f,%.6f\n", p.lat, p.lon);
  std::printf(
      "suspicious    %u junctions of more than 8 roads; %u minor roads posted above 100 km/h\n",
      r.crowded_junctions, r.fast_minor_pieces);
}

absl::Status Write(const RoadDraft& draft, const std::string& in, const RoadsOptions& options) {
  auto image = BuildRoadImage(draft);
  if (!image.ok()) return Annotate(image.status(), in);
  RETURN_IF_ERROR(WriteFileDurably(options.out, *image));
  // What was written is read back as any reader would.
  ASSIGN_OR_RETURN(const auto network, RoadNetwork::Open(options.out));
  const RoadReport report = ReportOn(*network);
  if (options.json) {
    std::printf("%s\n", ToJson(report, *network).dump().c_str());
    return absl::OkStatus();
  }
  std::printf(
      "%s: %u junctions, %u pieces of road, %u directed edges for urgent cars (%u routine), %.1f "
      "MB\n",
      options.out.c_str(), report.junctions, report.pieces, report.edges_urgent,
      report.edges_routine, static_cast<double>(network->file_bytes()) / 1e6);
  return absl::OkStatus();
}

absl::Status Build(const RoadsOptions& options) {
  ASSIGN_OR_RETURN(const RoadDraft draft, ImportOsm(options.in, {options.country}));
  return Write(draft, options.in, options);
}

absl::Status Info(const RoadsOptions& options) {
  ASSIGN_OR_RETURN(const auto network, RoadNetwork::Open(options.in));
  const RoadReport report = ReportOn(*network);
  if (options.json) {
    std::printf("%s\n", ToJson(report, *network).dump().c_str());
  } else {
    PrintReport(report, *network);
  }
  return absl::OkStatus();
}

}  // namespace

void RegisterRoads(CLI::App& app, Outcome& outcome) {
  CLI::App* roads =
      app.add_subcommand("roads", "Road files: from OpenStreetMap, the demo city, what is in one");
  roads->require_subcommand(1);
  auto options = std::make_shared<RoadsOptions>();

  CLI::App* build = roads->add_subcommand("build", "Makes a road file of an OpenStreetMap extract");
  build->add_option("in", options->in, "IN.osm.pbf or .osm")->required();
  build->add_option("out", options->out, "OUT.roads")->required();
  build->add_option(
      "--country", options->country,
      "ISO code for the limits where no sign stands; guessed from the extract's zone codes");
  build->add_flag("--json", options->json, "Print what is in the file, as roads info --json");
  build->footer("Example: cordon roads build city.osm.pbf city.roads --country PT");
  build->callback([options, &outcome] {
    const absl::Status status = Build(*options);
    if (!status.ok()) outcome.exit_code = Report(status);
  });

  CLI::App* demo = roads->add_subcommand("demo", "Makes the road file of the demo city");
  demo->add_option("out", options->out, "OUT.roads")->required();
  demo->add_flag("--json", options->json, "Print what is in the file, as roads info --json");
  demo->footer("Example: cordon roads demo demo.roads");
  demo->callback([options, &outcome] {
    const absl::Status status = Write(DrawDemoCity(), "demo city", *options);
    if (!status.ok()) outcome.exit_code = Report(status);
  });

  CLI::App* info =
      roads->add_subcommand("info", "Says what is in a road file, and what looks wrong");
  info->add_option("file", options->in, "FILE.roads")->required();
  info->add_flag("--json", options->json, "As JSON (docs/roads.md names the fields)");
  info->footer("Example: cordon roads info city.roads --json");
  info->callback([options, &outcome] {
    const absl::Status status = Info(*options);
    if (!status.ok()) outcome.exit_code = Report(status);
  });
}

}  // namespace cordon::cli
