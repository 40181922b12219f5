// SPDX-License-Identifier: Apache-2.0
#include "cli/site.h"

#include <filesystem>
#include <set>

#include "absl/strings/str_replace.h"
#include "base/file_util.h"

namespace cordon::cli {
namespace {

using proto::RuleConfig;

constexpr size_t kMaxPasswordBytes = 1024;

// Collects problems at the values that cause them.
class Problems {
 public:
  Problems(const std::string& file, const ConfigPlaces& places) : file_(file), places_(places) {}
  // `path` as "cameras[0].url"; `subject` is what people call the thing.
  void Add(const std::string& path, const std::string& subject, const std::string& what) {
    list_.push_back(places_.ProblemAt(file_, path, subject + ": " + what));
  }
  std::vector<ConfigProblem> Take() { return std::move(list_); }

 private:
  const std::string& file_;
  const ConfigPlaces& places_;
  std::vector<ConfigProblem> list_;
};

template <class Items>
std::set<std::string> IdsOf(const Items& items) {
  std::set<std::string> ids;
  for (const auto& item : items) ids.insert(item.id());
  return ids;
}

void CheckRule(const std::string& path, const std::string& subject, const RuleConfig& rule,
               bool calibrated, Problems& problems) {
  const bool needs_line = rule.kind() == RuleConfig::KIND_LINE_CROSSING;
  if (needs_line && rule.line_size() < 2)
    problems.Add(path + ".line", subject,
                 "line_crossing needs a line of two or more points, for example line: ['0.1,0.6', "
                 "'0.9,0.6']");
  if (!needs_line && rule.line_size() > 0)
    problems.Add(path + ".line", subject, "a line means nothing to this kind; use zone");
  if (rule.zone_size() == 1 || rule.zone_size() == 2)
    problems.Add(path + ".zone", subject, "a zone needs three or more corners");
  if (rule.min_height() > rule.max_height())
    problems.Add(path + ".min_height", subject, "min_height is above max_height");
  if (rule.kind() == RuleConfig::KIND_SPEEDING && !calibrated)
    problems.Add(path, subject,
                 "speeding needs a calibrated camera; add four or more calibration points");
  if (rule.arming() == RuleConfig::ARMING_BYPASSED &&
      (rule.bypass_reason().empty() || rule.bypass_until().empty()))
    problems.Add(path + ".arming", subject, "a bypass needs bypass_reason and bypass_until");
}

void CheckCamera(const std::string& path, const proto::CameraConfig& camera,
                 const std::set<std::string>& nodes, const std::set<std::string>& detectors,
                 Problems& problems) {
  const std::string subject = "camera " + camera.id();
  for (const auto& [key, url] : {std::pair(".url", camera.url()), {".sub_url", camera.sub_url()}}) {
    const size_t scheme = url.find("://");
    if (scheme == std::string::npos) continue;
    const std::string authority = url.substr(scheme + 3, url.find('/', scheme + 3) - scheme - 3);
    if (authority.find('@') != std::string::npos)
      problems.Add(path + key, subject,
                   "a url holds no user or password; use username and password_file");
  }
  if (!camera.node().empty() && !nodes.contains(camera.node()))
    problems.Add(path + ".node", subject, fmt::format("node {} is not in nodes", camera.node()));
  if (camera.detector() != "builtin" && !detectors.contains(camera.detector()))
    problems.Add(path + ".detector", subject,
                 fmt::format("detector {} is not in detectors", camera.detector()));
  if (camera.calibration_size() > 0 && camera.calibration_size() < 4)
    problems.Add(path + ".calibration", subject, "calibration needs four or more points");
  for (int i = 0; i < camera.rules_size(); ++i)
    CheckRule(fmt::format("{}.rules[{}]", path, i),
              fmt::format("{}: rule {}", subject, camera.rules(i).id()), camera.rules(i),
              camera.calibration_size() >= 4, problems);
}

void CheckDispatch(const proto::DispatchConfig& dispatch, Problems& problems) {
  for (int i = 1; i < dispatch.tiers_s_size(); ++i) {
    if (dispatch.tiers_s(i) <= dispatch.tiers_s(i - 1))
      problems.Add("dispatch.tiers_s", "dispatch: tiers_s",
                   "must ascend, for example [60, 180, 300]");
  }
  if (dispatch.stale_s() < dispatch.fresh_s())
    problems.Add("dispatch.stale_s", "dispatch: stale_s", "is below fresh_s");
}

// What no single field can say.
std::vector<ConfigProblem> CheckSite(const proto::Site& site, const std::string& file,
                                     const ConfigPlaces& places) {
  Problems problems(file, places);
  const std::set<std::string> nodes = IdsOf(site.nodes());
  const std::set<std::string> detectors = IdsOf(site.detectors());
  for (int i = 0; i < site.cameras_size(); ++i)
    CheckCamera(fmt::format("cameras[{}]", i), site.cameras(i), nodes, detectors, problems);
  CheckDispatch(site.dispatch(), problems);
  return problems.Take();
}

std::string Absolute(const std::filesystem::path& folder, const std::string& path) {
  if (path.empty()) return path;
  return std::filesystem::absolute(folder / path).lexically_normal().string();
}

void ResolvePaths(const std::filesystem::path& folder, proto::Site& site) {
  site.set_data_dir(Absolute(folder, site.data_dir()));
  proto::BusConfig& bus = *site.mutable_bus();
  for (std::string* endpoint :
       {bus.mutable_alerts(), bus.mutable_telemetry(), bus.mutable_commands(),
        bus.mutable_live()})
    *endpoint = absl::StrReplaceAll(*endpoint, {{"@data", site.data_dir()}});
  bus.set_keys_dir(Absolute(folder, bus.keys_dir()));
  if (site.dispatch().roads() != "demo")
    site.mutable_dispatch()->set_roads(Absolute(folder, site.dispatch().roads()));
  site.mutable_console()->set_web_root(Absolute(folder, site.console().web_root()));
  site.mutable_console()->set_position_token_file(
      Absolute(folder, site.console().position_token_file()));
  for (proto::DetectorConfig& detector : *site.mutable_detectors())
    detector.set_model_card(Absolute(folder, detector.model_card()));
  for (proto::CameraConfig& camera : *site.mutable_cameras()) {
    camera.set_password_file(Absolute(folder, camera.password_file()));
    for (std::string* url : {camera.mutable_url(), camera.mutable_sub_url()}) {
      if (!url->empty() && url->find("://") == std::string::npos) *url = Absolute(folder, *url);
    }
  }
}

const std::string& NodeOf(const proto::Site& site, const proto::CameraConfig& camera) {
  return camera.node().empty() ? site.nodes(0).id() : camera.node();
}

}  // namespace

absl::StatusOr<proto::Site> LoadSite(const std::string& path, ConfigPlaces* places) {
  ConfigPlaces own;
  if (places == nullptr) places = &own;
  proto::Site site;
  RETURN_IF_ERROR(LoadConfig(path, site, places));
  if (site.nodes().empty()) {
    proto::NodeConfig& node = *site.add_nodes();
    node.set_id("node-1");
    node.set_cpu_budget(2);
  }
  const std::vector<ConfigProblem> problems = CheckSite(site, path, *places);
  if (!problems.empty()) return ProblemsStatus(problems);
  ResolvePaths(std::filesystem::absolute(path).parent_path(), site);
  return site;
}

absl::StatusOr<Secret> ReadPassword(const proto::CameraConfig& camera) {
  if (camera.password_file().empty()) return Secret();
  absl::StatusOr<std::string> text = ReadFile(camera.password_file(), kMaxPasswordBytes);
  if (!text.ok())
    return Annotate(text.status(), fmt::format("camera {}: password_file", camera.id()));
  return Secret(text->substr(0, text->find_first_of("\r\n")));
}

std::string NodeOf(const proto::Site& site, const std::string& camera_id) {
  for (const proto::CameraConfig& camera : site.cameras())
    if (camera.id() == camera_id) return NodeOf(site, camera);
  return "";
}

std::vector<proto::CameraConfig> CamerasOf(const proto::Site& site, const std::string& node_id) {
  std::vector<proto::CameraConfig> cameras;
  for (const proto::CameraConfig& camera : site.cameras())
    if (NodeOf(site, camera) == node_id) cameras.push_back(camera);
  return cameras;
}

}  // namespace cordon::cli
