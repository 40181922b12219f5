// SPDX-License-Identifier: Apache-2.0
// accuracy_report: makes docs/accuracy.md, or proves its bounds.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>

#include "base/log.h"
#include "tests/accuracy/report.h"

namespace cordon::accuracy {

std::string Percent(double share) { return fmt::format("{:.1f}", 100 * share); }

namespace {

struct Arguments {
  std::vector<std::string> sections;
  std::string markdown;
  std::string command = "accuracy_report";
  std::string date = "date not given";
  bool check = false;
  Data data;
};

struct Named {
  const char* name;
  Section (*make)(const Data&);
};
constexpr Named kSections[] = {
    {"tracking", TrackingSection}, {"events", EventsSection}, {"rate", FrameRateSection},
    {"labels", LabelsSection},     {"staged", StagedSection}, {"weather", WeatherSection}, {"parked", ParkedSection},
    {"tamper", TamperSection},     {"cost", CostSection},
};

std::string Line(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& cell : cells) line += " " + cell + " |";
  return line + "\n";
}

std::string Markdown(const Section& section) {
  std::string text = "## " + section.title + "\n\n" + section.text + "\n\n";
  if (!section.missing.empty()) return text + "Not measured: missing " + section.missing + ".\n\n";
  text += Line(section.columns);
  text += Line(std::vector<std::string>(section.columns.size(), "---"));
  for (const auto& row : section.rows) text += Line(row);
  text += "\n";
  for (const Check& check : section.checks) {
    text +=
        fmt::format("- {} {}: {:.3f} (bound: {} {:.3f})\n", check.holds() ? "holds" : "**missed**",
                    check.name, check.value, check.at_least ? "at least" : "at most", check.bound);
  }
  return text + "\n";
}

std::string Head(const Arguments& arguments) {
  return fmt::format(
      "# Accuracy\n\n"
      "Made in one run by `{}`, {}: `accuracy_report` over the clips, ground truth and models that "
      "`tests/support/test_data.h` describes; do not edit by hand. Every number is measured, none is "
      "copied; bounds that do not hold are shown as missed. {}Which data was seen while "
      "settings were chosen is said in each section: all of PETS09-S2L1 and all labelled clips were. "
      "`ctest -L accuracy` proves the bounds that hold without running networks, and floors for those "
      "that do not yet.\n\n",
      arguments.command, arguments.date,
      arguments.data.cards.empty()
          ? "No network was run end to end: rows of networks are of their boxes, kept in files. "
          : "");
}

int Run(const Arguments& arguments) {
  std::string text = Head(arguments);
  bool all_hold = true;
  bool anything = false;
  for (const Named& named : kSections) {
    if (!arguments.sections.empty() &&
        std::find(arguments.sections.begin(), arguments.sections.end(), named.name) ==
            arguments.sections.end()) {
      continue;
    }
    const Section section = named.make(arguments.data);
    const std::string part = Markdown(section);
    std::printf("%s", part.c_str());
    std::fflush(stdout);
    text += part;
    anything = anything || section.missing.empty();
    for (const Check& check : section.checks) all_hold = all_hold && check.proved();
  }
  if (!arguments.markdown.empty()) {
    std::ofstream file(arguments.markdown, std::ios::trunc);
    file << text;
    if (!file) {
      std::fprintf(stderr, "accuracy_report: cannot write %s\n", arguments.markdown.c_str());
      return 2;
    }
  }
  if (!anything) std::printf("NOTHING_RAN_SKIPPED: no test data (set CORDON_TEST_DATA)\n");
  return arguments.check && !all_hold ? 1 : 0;
}

}  // namespace
}  // namespace cordon::accuracy

int main(int argc, char** argv) {
  using namespace cordon;
  CLI::App app{
      "Measures Cordon's analytics against ground truth\n"
      "Example: accuracy_report --section tracking --card yolox-nano-416\n"
      "         accuracy_report --markdown docs/accuracy.md"};
  accuracy::Arguments arguments;
  const char* source = std::getenv("CORDON_SOURCE_DIR");
  const char* shared = std::getenv("CORDON_TEST_DATA");
  arguments.data.source = source != nullptr ? source : ".";
  arguments.data.shared = shared != nullptr ? shared : arguments.data.source + "/../shared";
  app.add_option("--section", arguments.sections,
                 "tracking, events, rate, labels, staged, weather, parked, tamper, cost; all by default");
  app.add_option("--card", arguments.data.cards,
                 "model cards (deploy/models/NAME.yaml) run end to end");
  app.add_option("--seed", arguments.data.seed, "of the random lines and zones");
  app.add_option("--staged-minutes", arguments.data.staged_minutes,
                 "of each empty scene and condition");
  app.add_option("--condition", arguments.data.condition,
                 "of staged and weather: only those whose names contain this");
  app.add_option("--markdown", arguments.markdown, "write the report to this file");
  app.add_option("--command", arguments.command, "that the page says it was made by");
  app.add_option("--date", arguments.date, "that the page says");
  app.add_flag("--check", arguments.check, "exit code 1 when a bound (or its floor) does not hold");
  CLI11_PARSE(app, argc, argv);
  log::Init("accuracy", log::Format::kText, log::Level::kWarning);
  ::setenv("CORDON_MODELS", (arguments.data.shared + "/models").c_str(), 0);
  return accuracy::Run(arguments);
}
