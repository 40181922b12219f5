// SPDX-License-Identifier: Apache-2.0
// Silence in bad weather must not be blindness: who comes and what drives by is found there too.
#include <chrono>
#include <optional>

#include "tests/accuracy/clip_runner.h"
#include "tests/accuracy/labels.h"
#include "tests/accuracy/report.h"
#include "tests/accuracy/staged_camera.h"

namespace cordon::accuracy {
namespace {

constexpr unsigned kReportSeed = 11;  // as of the empty scenes

// One clip under one condition.
struct Watched {
  StagedCamera camera;
  const NamedCondition* condition;
  std::vector<proto::Event> events;
};

void Show(Watched& watched, const Frame& frame, double seconds) {
  Frame staged = frame;
  watched.condition->change(staged.luma, seconds, static_cast<int>(frame.number));
  const Analysis analysis = watched.camera.Look(staged);
  watched.events.insert(watched.events.end(), analysis.events.begin(), analysis.events.end());
}

// What each condition leaves to be found; the clip is decoded once for all.
absl::StatusOr<std::vector<Found>> UnderAll(const Data& data, const Labels& labels,
                                            const std::vector<NamedCondition>& conditions) {
  std::vector<Watched> watched;
  for (const NamedCondition& condition : conditions)
    watched.push_back({StagedCamera(LabelledCamera(labels)), &condition, {}});
  std::optional<MediaTime> start;
  ClipRun run;
  run.clip = data.Clip(labels.clip);
  run.camera = LabelledCamera(labels);
  run.stage = [&](const FramePtr& frame) -> FramePtr {
    if (!start) start = frame->times.media;
    const double seconds = std::chrono::duration<double>(frame->times.media - *start).count();
    for (Watched& one : watched) Show(one, *frame, seconds);
    return nullptr;
  };
  RETURN_IF_ERROR(RunClip(run).status());
  const double began = start ? static_cast<double>(ToMicros(*start)) * 1e-6 : 0;
  std::vector<Found> found;
  for (const Watched& one : watched) found.push_back(Judge(labels, one.events, began));
  return found;
}

struct Tally {
  Found all;
  std::string lost;  // clips with visits or passages that were not found
};

void Add(Tally& tally, const std::string& clip, const Found& found) {
  tally.all.visits += found.visits;
  tally.all.visits_found += found.visits_found;
  tally.all.passages += found.passages;
  tally.all.passages_found += found.passages_found;
  tally.all.false_alarms += found.false_alarms;
  const int lost = found.visits - found.visits_found + found.passages - found.passages_found;
  if (lost == 0) return;
  if (!tally.lost.empty()) tally.lost += ", ";
  tally.lost += fmt::format("{} {}", clip, lost);
}

}  // namespace

Section WeatherSection(const Data& data) {
  Section section;
  section.title = "Labelled clips in staged weather";
  section.text =
      "The labelled clips, each picture changed as the empty scenes are (same seed), noise "
      "included; "
      "built-in detector. Visits as above; passages are of vehicles over two lines of a motorway "
      "(`bgs-video02.avi`, half a minute), each found by a line crossing of its own (± 0.6 s). "
      "What "
      "belongs to no visit and no passage is a false alarm.";
  section.columns = {"condition", "visits",       "found",  "passages",
                     "found",     "false alarms", "lost in"};
  std::vector<NamedCondition> conditions = HarmlessConditions(kReportSeed, data.condition);
  conditions.insert(conditions.begin(), {"as recorded", [](LumaPicture&, double, int) {}, false});
  std::vector<Tally> tallies(conditions.size());
  bool any = false;
  for (const Labels& labels : AllLabels(data)) {
    const auto found = UnderAll(data, labels, conditions);
    if (!found.ok()) continue;
    any = true;
    for (size_t i = 0; i < conditions.size(); ++i) Add(tallies[i], labels.clip, (*found)[i]);
  }
  if (!any) {
    section.missing = "video/*";
    return section;
  }
  for (size_t i = 0; i < conditions.size(); ++i) {
    const Found& all = tallies[i].all;
    section.rows.push_back({conditions[i].name, std::to_string(all.visits),
                            std::to_string(all.visits_found), std::to_string(all.passages),
                            std::to_string(all.passages_found), std::to_string(all.false_alarms),
                            tallies[i].lost.empty() ? "-" : tallies[i].lost});
  }
  return section;
}

}  // namespace cordon::accuracy
