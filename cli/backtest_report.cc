// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

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
    "h1{font-size:22px}h2{font-size:17px;margin-top:2em}table{border-collapse:collapse}"
    "td,th{padding:4px 12px;border-bottom:1px solid #ddd;text-align:left}"
    ".alerts{display:grid;grid-template-columns:repeat(auto-fill,minmax(320px,1fr));gap:14px}"
    "figure{margin:0;border:1px solid #ddd;border-left-width:6px;padding:8px;break-inside:avoid}"
    "figure img{width:100%;display:block}figcaption{margin-top:6px}"
    ".added{border-left-color:#c0392b}.gone{border-left-color:#2471a3}.kept{border-left-color:#999}"
    ".word{font-weight:600}small{color:#666}";

std::string Figure(const BacktestAlert& alert) {
  const char* verdict = VerdictName(alert.verdict);
  std::string html = fmt::format("<figure class=\"{}\">", verdict);
  if (!alert.picture.empty()) {
    html += fmt::format("<img alt=\"picture of the alert\" src=\"data:image/jpeg;base64,{}\">",
                        absl::Base64Escape(alert.picture));
  }
  html += fmt::format(
      "<figcaption><span class=\"word\">{}</span> at {:.1f} s: {} ({})<br><small>{}</small>"
      "</figcaption></figure>\n",
      verdict, alert.seconds, Escaped(alert.event.detail()), Escaped(alert.event.rule_id()),
      Escaped(alert.event.explanation().rule_text()));
  return html;
}

std::string Summary(const std::vector<BacktestClip>& clips) {
  std::string html =
      "<table><tr><th>clip</th><th>length</th><th>added</th><th>gone</th><th>kept</th></tr>\n";
  for (const BacktestClip& clip : clips) {
    html += fmt::format("<tr><td>{}</td><td>{:.0f} s</td>", Escaped(clip.clip), clip.seconds);
    for (const BacktestVerdict verdict : kVerdicts) {
      html += fmt::format("<td>{}</td>", clip.Count(verdict));
    }
    html += "</tr>\n";
  }
  html += "<tr><th>all</th><th></th>";
  for (const BacktestVerdict verdict : kVerdicts) {
    html += fmt::format("<th>{}</th>", Total(clips, verdict));
  }
  return html + "</tr></table>\n";
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
      "the changed rules "
      "raise it; <b>gone</b>: they no longer do; <b>kept</b>: both do.</p>\n",
      Escaped(input.camera), kStyle);
  html += Summary(clips);
  for (const BacktestClip& clip : clips) {
    html += fmt::format("<h2>{}</h2>\n", Escaped(clip.clip));
    if (clip.alerts.empty()) html += "<p>No alert under either.</p>\n";
    html += "<div class=\"alerts\">\n";
    for (const BacktestVerdict verdict : kVerdicts) {
      for (const BacktestAlert& alert : clip.alerts) {
        if (alert.verdict == verdict) html += Figure(alert);
      }
    }
    html += "</div>\n";
  }
  return html + "</body></html>\n";
}

}  // namespace cordon::cli
