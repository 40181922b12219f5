// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/clock.h"
#include "base/file_util.h"
#include "base/limits.h"
#include "cli/commands.h"
#include "cli/console_client.h"
#include "cli/dispatch_inputs.h"
#include "cli/simulated_operator.h"
#include "cli/simulated_unit.h"
#include "cli/stop_signal.h"

namespace cordon::cli {
namespace {

using Json = nlohmann::json;

struct SimulateOptions {
  std::string roads;
  std::string to = "http://127.0.0.1:8080";
  std::string token_file;
  size_t units = 12;
  uint64_t seed = 1;
  int64_t for_s = 0;
  bool with_operator = false;
  bool quiet = false;
  bool json = false;
};

// What the crew does: obeys the dispatcher's assignments, as they stand in /api/units.
struct Crew {
  std::unique_ptr<SimulatedUnit> unit;
  std::string incident;  // it works on
  int react_s = 0;       // until it acknowledges
  int stay_s = 0;        // left on scene
  enum class Phase { kPatrol, kReacting, kDriving, kOnScene } phase = Phase::kPatrol;
};

class Simulation {
 public:
  Simulation(const SimulateOptions& options, std::shared_ptr<const RoadNetwork> roads,
             std::string token)
      : options_(options),
        token_(std::move(token)),
        city_(std::move(roads)),
        console_(options.to),
        operator_(console_, options.seed) {
    std::mt19937_64 seeds(options.seed);
    for (size_t i = 0; i < options.units; ++i) {
      const bool motorcycle = i % 4 == 3;
      const auto kind =
          motorcycle ? proto::UnitConfig::KIND_MOTORCYCLE : proto::UnitConfig::KIND_CAR;
      const std::string id = fmt::format("{}-{}", motorcycle ? "moto" : "car", i + 1);
      crews_.push_back({std::make_unique<SimulatedUnit>(id, kind, city_, seeds()),
                        {},
                        0,
                        0,
                        Crew::Phase::kPatrol});
    }
  }

  int Run() {
    const BootTime began = SystemClock().Boot();
    BootTime tick = began;
    Milliseconds wait{0};
    while (!stop_.WaitFor(wait) &&
           (options_.for_s == 0 || SystemClock().Boot() - began < Seconds(options_.for_s))) {
      for (Crew& crew : crews_) crew.unit->Drive(Seconds(1));
      Tell(Exchange());
      tick += Seconds(1);
      wait = std::chrono::duration_cast<Milliseconds>(tick - SystemClock().Boot());
      if (wait < -Seconds(2))
        tick = SystemClock().Boot();  // the server was slow: do not hurry after it
    }
    return 0;
  }

 private:
  // One second's talk with the dispatcher. The first thing that fails ends it: the next second
  // tries again.
  absl::Status Exchange() {
    for (Crew& crew : crews_) RETURN_IF_ERROR(ReportFix(*crew.unit));
    ASSIGN_OR_RETURN(const Json units, console_.GetList("/api/units", "units"));
    ASSIGN_OR_RETURN(const Json incidents,
                     console_.GetList("/api/incidents?open=1", "incidents"));
    if (options_.with_operator) RETURN_IF_ERROR(operator_.Work(incidents));
    std::map<std::string, std::string> incident_of;
    for (const Json& unit : units) incident_of[unit.value("id", "")] = unit.value("incident", "");
    for (Crew& crew : crews_) {
      RETURN_IF_ERROR(Step(crew, incident_of[crew.unit->id()], incidents));
    }
    return absl::OkStatus();
  }

  absl::Status ReportFix(SimulatedUnit& unit) {
    const SimulatedUnit::Fix fix = unit.Observe();
    std::map<std::string, std::string> parameters = {
        {"id", unit.id()},
        {"lat", fmt::format("{:.6f}", fix.place.lat)},
        {"lon", fmt::format("{:.6f}", fix.place.lon)},
        {"timestamp", fmt::format("{}", ToMicros(SystemClock().Wall()) / 1000)},
        {"speed", fmt::format("{:.2f}", fix.speed_mps * 3600 / 1852)},
        {"bearing", fmt::format("{:.1f}", fix.course_deg)},
        {"accuracy", fmt::format("{:.0f}", fix.accuracy_m)},
        {"kind", unit.kind() == proto::UnitConfig::KIND_MOTORCYCLE ? "motorcycle" : "car"}};
    if (!token_.empty()) parameters["token"] = token_;
    return console_.Tell("/api/positions/osmand", parameters);
  }

  absl::Status Step(Crew& crew, const std::string& incident, const Json& incidents) {
    if (incident != crew.incident) {
      crew.incident = incident;
      if (incident.empty()) {
        // Closed, or another unit goes: back to patrol.
        crew.unit->Patrol();
        crew.phase = Crew::Phase::kPatrol;
        return SetStatus(crew, "available");
      }
      crew.react_s = std::uniform_int_distribution<int>(2, 6)(crew.unit->random());
      crew.phase = Crew::Phase::kReacting;
      crew.stay_s = std::uniform_int_distribution<int>(60, 150)(crew.unit->random());
      for (const Json& known : incidents)
        if (known.value("id", "") == incident && known.contains("place"))
          scenes_[incident] = {known["place"].value("lat", 0.0), known["place"].value("lon", 0.0)};
      return absl::OkStatus();
    }
    switch (crew.phase) {
      case Crew::Phase::kPatrol:
        return absl::OkStatus();
      case Crew::Phase::kReacting:
        return SetOff(crew);
      case Crew::Phase::kDriving:
        if (!crew.unit->arrived()) return absl::OkStatus();
        crew.phase = Crew::Phase::kOnScene;
        return SetStatus(crew, "on_scene");
      case Crew::Phase::kOnScene:
        if (--crew.stay_s > 0) return absl::OkStatus();
        return SetStatus(
            crew, "available");  // the server takes it off the incident, the next second sees it
    }
    return absl::OkStatus();
  }

  absl::Status SetOff(Crew& crew) {
    if (--crew.react_s > 0) return absl::OkStatus();
    const auto scene = scenes_.find(crew.incident);
    if (scene == scenes_.end() || !crew.unit->Respond(scene->second))
      return SetStatus(crew, "busy");
    RETURN_IF_ERROR(SetStatus(crew, "acknowledged"));
    crew.phase = Crew::Phase::kDriving;
    return SetStatus(crew, "en_route");
  }

  absl::Status SetStatus(const Crew& crew, const std::string& status) {
    const Json body = {{"status", status}, {"actor", crew.unit->id()}, {"crew", true}};
    const absl::Status done =
        console_.Post(fmt::format("/api/units/{}/status", crew.unit->id()), body);
    if (!options_.quiet && done.ok()) {
      if (options_.json) {
        fmt::print(
            "{}\n",
            Json({{"unit", crew.unit->id()}, {"status", status}, {"incident", crew.incident}})
                .dump());
      } else {
        fmt::print("{}: {}\n", crew.unit->id(), status);
      }
      std::fflush(stdout);
    }
    // A refusal (the incident was closed meanwhile) is the server's right; only silence is trouble.
    return done.code() == absl::StatusCode::kUnknown ? absl::OkStatus() : done;
  }

  // Once when the dispatcher is lost and once when it is back.
  void Tell(const absl::Status& status) {
    if (connected_ == status.ok()) return;
    connected_ = status.ok();
    if (*connected_) {
      if (!options_.quiet)
        fmt::print(stderr, "simulate: {} units report to {}\n", crews_.size(), options_.to);
    } else {
      fmt::print(stderr, "simulate: {}; trying on\n", MessageOf(status));
    }
  }

  const SimulateOptions& options_;
  const std::string token_;
  StopSignal stop_;
  SimulatedCity city_;
  ConsoleClient console_;
  SimulatedOperator operator_;
  std::vector<Crew> crews_;
  std::map<std::string, LatLon> scenes_;
  std::optional<bool> connected_;  // not known before the first talk
};

int Simulate(const SimulateOptions& options) {
  const absl::StatusOr<std::shared_ptr<const RoadNetwork>> roads = OpenRoads(options.roads);
  if (!roads.ok()) return Report(roads.status());
  std::string token;
  if (!options.token_file.empty()) {
    absl::StatusOr<std::string> text = ReadFile(options.token_file, 4096);
    if (!text.ok()) return Report(text.status());
    token = text->substr(0, text->find_first_of("\r\n"));
  }
  return Simulation(options, *roads, std::move(token)).Run();
}

}  // namespace

void RegisterSimulate(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<SimulateOptions>();
  CLI::App* command = app.add_subcommand(
      "simulate", "Patrol units that drive on the roads, report and obey the dispatcher");
  command->add_option("--roads", options->roads, "Road file, or 'demo'")->required();
  command->add_option("--to", options->to, "The console's address")->capture_default_str();
  command->add_option("--units", options->units, "How many")
      ->check(CLI::Range(size_t{1}, limits::kMaxUnits))
      ->capture_default_str();
  command->add_option("--seed", options->seed, "The same seed drives the same ways")
      ->capture_default_str();
  command->add_option("--for", options->for_s, "Seconds to run; 0: until stopped")
      ->capture_default_str();
  command->add_flag("--operator", options->with_operator,
                    "Also a person at the console, who sends the first unit to each new incident");
  command->add_option("--token-file", options->token_file,
                      "File with the console's position token");
  command->add_flag("--quiet", options->quiet, "Print only trouble");
  command->add_flag("--json", options->json, "Print {unit, status, incident} for each change");
  command->footer("Example:\n  cordon simulate --roads demo --units 20 --to http://127.0.0.1:8080");
  command->callback([options, &outcome] { outcome.exit_code = Simulate(*options); });
}

}  // namespace cordon::cli
