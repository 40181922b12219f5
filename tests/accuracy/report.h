// SPDX-License-Identifier: Apache-2.0
// The accuracy report: sections of tables with the bounds beside the numbers.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace cordon::accuracy {

// A bound that the section promises, and the weaker one that --check proves where the promise is
// not yet kept.
struct Check {
  std::string name;
  double value = 0;
  double bound = 0;
  bool at_least = true;  // else at most
  std::optional<double> floor = std::nullopt;
  bool holds() const { return at_least ? value >= bound : value <= bound; }
  bool proved() const {
    const double limit = floor.value_or(bound);
    return at_least ? value >= limit : value <= limit;
  }
};

struct Section {
  std::string title;
  std::string text;  // what was done, in Markdown
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  std::vector<Check> checks;
  std::string missing;  // data that is not there: the section could not be made
};

struct Data {
  std::string shared;              // clips, models, ground truth
  std::string source;              // the repository
  std::vector<std::string> cards;  // model cards that are run end to end
  unsigned seed = 20'260'301;
  double staged_minutes = 2;         // of each empty scene and condition
  std::string condition;             // only staged conditions whose names contain this
  std::string Clip(const std::string& name) const { return shared + "/video/" + name; }
  std::string Truth(const std::string& name) const { return shared + "/gt/PETS09-S2L1/" + name; }
  std::string Card(const std::string& name) const {
    return source + "/deploy/models/" + name + ".yaml";
  }
};

Section TrackingSection(const Data& data);
Section EventsSection(const Data& data);
Section FrameRateSection(const Data& data);
Section LabelsSection(const Data& data);
Section StagedSection(const Data& data);
Section WeatherSection(const Data& data);
Section ParkedSection(const Data& data);
Section TamperSection(const Data& data);
Section CostSection(const Data& data);

std::string Percent(double share);  // "81.4"

}  // namespace cordon::accuracy
