// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/escaping.h"
#include "cli/backtest.h"
#include "cli/proto_json.h"

namespace cordon::cli {
namespace {

constexpr BacktestVerdict kVerdicts[] = {BacktestVerdict::kAdded, BacktestVerdict::kGone,
                                         BacktestVerdict::kKept};

int Total(const std::vector<BacktestClip>& clips, BacktestVerdict verdict) {
  int total = 0;
  for (const BacktestClip& clip : clips) total += clip.Count(verdict);
  return total;
}

std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

constexpr char kStyle[] =
    "body{font:14px/1.4 system-ui,sans-serif;margin:2em auto;max-width:1100px;padding:0 "
    "1em;color:#222;background:#fff}"
    "h1{font-size:22px}h2{font-size:17px;margin-top:2em}h3{font-size:14px;margin:1.4em 0 .6em}"
    "table{border-collapse:collapse;margin:1em 0}caption{text-align:left;font-weight:600}"
    "td,th{padding:4px 14px 4px 0;border-bottom:1px solid #ddd;text-align:left;vertical-align:top}"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}"
    ".alerts{display:grid;grid-template-columns:repeat(auto-fill,minmax(320px,1fr));gap:14px}"
    "figure{margin:0;border:1px solid #ddd;border-top-width:4px;padding:8px;break-inside:avoid}"
    "figure img{width:100%;display:block}figcaption{margin-top:6px}"
    ".added{border-top-color:#c0392b}.gone{border-top-color:#2471a3}.kept{border-top-color:#999}"
    "summary{cursor:pointer;font-weight:600;margin:1.4em 0 .6em}small,.quiet{color:#666}";

// "/records/yard.mp4" -> "yard.mp4": the folder is the same for all and hides the name.
std::string NameOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string Clock(double seconds) {
  const auto tenths = static_cast<int64_t>(seconds * 10 + 0.5);
  return fmt::format("{}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10);
}

std::string Figure(const BacktestAlert& alert) {
  std::string html = fmt::format("<figure class=\"{}\">", VerdictName(alert.verdict));
  if (!alert.picture.empty()) {
    html += fmt::format("<img alt=\"picture of the alert\" src=\"data:image/jpeg;base64,{}\">",
                        absl::Base64Escape(alert.picture));
  }
  const std::string& why = alert.event.explanation().rule_text();
  html += fmt::format("<figcaption>{} {}<br><small>{}</small></figcaption></figure>\n",
                      Clock(alert.seconds), Escaped(alert.event.rule_id()),
                      Escaped(why.empty() ? alert.event.detail() : why));
  return html;
}

using Rules = std::map<std::string, nlohmann::json>;

Rules RulesOf(const proto::Site& site, const std::string& camera_id) {
  Rules rules;
  for (const proto::CameraConfig& camera : site.cameras())
    if (camera.id() == camera_id)
      for (const proto::RuleConfig& rule : camera.rules())
        rules[rule.id()] = nlohmann::json::parse(ToJson(rule));
  return rules;
}

std::string SettingText(const nlohmann::json& rule, const std::string& name) {
  if (!rule.contains(name)) return "<span class=\"quiet\">none</span>";
  return Escaped(rule[name].is_string() ? rule[name].get<std::string>() : rule[name].dump());
}

// Every setting of a rule that differs; of a new or removed rule, that it is.
std::string Changes(const BacktestInput& input) {
  const Rules before = RulesOf(input.before, input.camera);
  const Rules after = RulesOf(input.after, input.camera);
  std::string rows;
  const auto add = [&](const std::string& rule, const std::string& what, const std::string& was,
                       const std::string& is) {
    rows += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", Escaped(rule),
                        Escaped(what), was, is);
  };
  for (const auto& [id, was] : before) {
    const auto found = after.find(id);
    if (found == after.end()) {
      add(id, "the rule", "in force", "removed");
      continue;
    }
    std::set<std::string> names;
    for (const auto* rule : {&was, &found->second})
      for (const auto& [name, value] : rule->items()) names.insert(name);
    for (const std::string& name : names)
      if (was.value(name, nlohmann::json()) != found->second.value(name, nlohmann::json()))
        add(id, name, SettingText(was, name), SettingText(found->second, name));
  }
  for (const auto& [id, is] : after)
    if (!before.contains(id)) add(id, "the rule", "not there", "new");
  if (rows.empty()) return "<p>The rules of this camera are the same on both sides.</p>\n";
  return "<table><caption>What was changed</caption><tr><th>rule</th><th>setting</th>"
         "<th>in force</th><th>changed</th></tr>\n" +
         rows + "</table>\n";
}

std::string Summary(const std::vector<BacktestClip>& clips) {
  std::string html =
      "<table><caption>Alerts</caption><tr><th>clip</th><th class=\"n\">length</th><th "
      "class=\"n\">added</th><th class=\"n\">gone</th><th class=\"n\">kept</th></tr>\n";
  for (const BacktestClip& clip : clips) {
    html += fmt::format("<tr><td title=\"{}\">{}</td><td class=\"n\">{:.0f} s</td>",
                        Escaped(clip.clip), Escaped(NameOf(clip.clip)), clip.seconds);
    for (const BacktestVerdict verdict : kVerdicts)
      html += fmt::format("<td class=\"n\">{}</td>", clip.Count(verdict));
    html += "</tr>\n";
  }
  html += "<tr><th>all</th><th></th>";
  for (const BacktestVerdict verdict : kVerdicts)
    html += fmt::format("<th class=\"n\">{}</th>", Total(clips, verdict));
  return html + "</tr></table>\n";
}

std::string Alerts(const BacktestClip& clip, BacktestVerdict verdict) {
  std::string html = "<div class=\"alerts\">\n";
  for (const BacktestAlert& alert : clip.alerts)
    if (alert.verdict == verdict) html += Figure(alert);
  return html + "</div>\n";
}

// What differs is open, what does not is folded.
std::string Section(const BacktestClip& clip) {
  std::string html = fmt::format("<h2 title=\"{}\">{}</h2>\n", Escaped(clip.clip),
                                 Escaped(NameOf(clip.clip)));
  if (clip.alerts.empty()) return html + "<p>No alert on either side.</p>\n";
  for (const BacktestVerdict verdict : kVerdicts) {
    const int count = clip.Count(verdict);
    if (count == 0) continue;
    html += verdict == BacktestVerdict::kKept
                ? fmt::format("<details><summary>Kept: {}</summary>\n{}</details>\n", count,
                              Alerts(clip, verdict))
                : fmt::format("<h3>{}: {}</h3>\n{}",
                              verdict == BacktestVerdict::kAdded ? "Added" : "Gone", count,
                              Alerts(clip, verdict));
  }
  return html;
}

}  // namespace

std::string BacktestJson(const BacktestInput& input, const std::vector<BacktestClip>& clips) {
  nlohmann::ordered_json root;
  root["camera"] = input.camera;
  root["begins"] = FormatWall(input.begins);
  root["clips"] = nlohmann::ordered_json::array();
  for (const BacktestClip& clip : clips) {
    nlohmann::ordered_json entry;
    entry["clip"] = clip.clip;
    entry["frames"] = clip.frames;
    entry["seconds"] = clip.seconds;
    entry["alerts"] = nlohmann::ordered_json::array();
    for (const BacktestAlert& alert : clip.alerts) {
      entry["alerts"].push_back({{"verdict", VerdictName(alert.verdict)},
                                 {"seconds", alert.seconds},
                                 {"event", nlohmann::ordered_json::parse(ToJson(alert.event))}});
    }
    root["clips"].push_back(std::move(entry));
  }
  for (const BacktestVerdict verdict : kVerdicts) {
    root["totals"][VerdictName(verdict)] = Total(clips, verdict);
  }
  return root.dump(2);
}

std::string BacktestHtml(const BacktestInput& input, const std::vector<BacktestClip>& clips) {
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<title>Back-test of {0}</title><style>{1}</style></head>\n<body><h1>Back-test of the rules "
      "of camera {0}</h1>\n"
      "<p>The same recordings through the rules in force and the changed ones. <b>Added</b>: only "
      "the changed rules raise it; <b>gone</b>: they no longer do; <b>kept</b>: both do. An alert "
      "that now comes more than a second earlier or later counts as gone and added.</p>\n",
      Escaped(input.camera), kStyle);
  html += Changes(input) + Summary(clips);
  for (const BacktestClip& clip : clips) html += Section(clip);
  return html + "</body></html>\n";
}

}  // namespace cordon::cli
