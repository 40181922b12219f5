// SPDX-License-Identifier: Apache-2.0
#include "analytics/camera_analyzer.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "analytics/object_evidence.h"
#include "analytics/region_finder.h"
#include "analytics/region_namer.h"
#include "analytics/rule_engine.h"
#include "analytics/scene_model.h"
#include "analytics/still_watch.h"
#include "analytics/tamper.h"
#include "analytics/track_trust.h"
#include "analytics/tracker.h"

namespace cordon {
namespace {

// Scores of the built-in path.
constexpr float kRegionConfident = 0.5F;
constexpr float kRegionScore = 0.6F;
constexpr float kFaintRegionScore = 0.3F;
constexpr float kFaintFill = 0.22F;
constexpr float kFragment = 0.5F;  // of a person's height there
constexpr float kTooTall = 1.5F;
constexpr float kSureVehicle = 0.6F;

// More of the picture than this does not change by objects. What has lasted for kUpsetFor is the
// scene's new light.
constexpr double kUpset = 0.6;
constexpr Microseconds kUpsetFor = Milliseconds(700);
// A change of the picture's brightness by this many grey levels from one frame to the next.
constexpr float kLightStep = 6;
constexpr float kMiddleGrey = 128;

// Between two runs the scene's own time goes on by this much.
constexpr Microseconds kRunGap = Seconds(1);

// Detector regions reach this share of their size beyond what moved; the detector adds its own
// surroundings.
constexpr float kRegionMargin = 0.1F;
// Weak detections: this share of the score that starts a track.
constexpr float kWeakShare = 0.4F;

TrackerOptions BuiltinTracking() {
  TrackerOptions options;
  options.confident_score = kRegionConfident;
  options.motion = {0.06F, 1.2F, 0.9F, 0.15F};
  options.show_lost = Milliseconds(250);
  options.confirm_hits = 3;
  options.confirm_after = Milliseconds(280);
  return options;
}

// Found by search over five detectors' boxes on the first half of PETS09-S2L1 (docs/accuracy.md has
// both halves and what was seen of the second): each value lies in a flat valley. Widening and
// narrowing were chosen on both halves.
TrackerOptions DetectorTracking(const Detector& detector) {
  TrackerOptions options;
  options.confident_score = detector.confident_score();
  options.least_score = kWeakShare * detector.confident_score();
  options.motion = {0.06F, 1.3F, 1.8F, 0.4F, 1.5F, 0.5F};
  options.confirm_after = Milliseconds(200);
  options.confirm_hits = 3;
  options.keep_lost = Milliseconds(2000);
  options.show_lost = Milliseconds(300);
  return options;
}

// Unites regions that overlap, so that a detector sees nothing twice.
std::vector<PictureBox> United(std::vector<PictureBox> boxes) {
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < boxes.size(); ++i) {
      for (size_t j = i + 1; j < boxes.size();) {
        if (Overlap(boxes[i], boxes[j]) <= 0) {
          ++j;
          continue;
        }
        boxes[i] = Union(boxes[i], boxes[j]);
        boxes.erase(boxes.begin() + static_cast<ptrdiff_t>(j));
        changed = true;
      }
    }
  }
  return boxes;
}

class Analyzer final : public CameraAnalyzer {
 public:
  Analyzer(CameraAnalyzerOptions options, std::unique_ptr<RuleEngine> rules)
      : options_(std::move(options)),
        rules_(std::move(rules)),
        tracking_(options_.detector ? DetectorTracking(*options_.detector) : BuiltinTracking()),
        namer_(options_.classifier),
        tracker_(tracking_) {}

  Analysis Analyze(const Frame& frame) override {
    Analysis analysis;
    FollowTime(frame);
    const float aspect =
        static_cast<float>(frame.luma.width) / static_cast<float>(frame.luma.height);
    const GlobalState& global = tamper_.Update(frame, scene_time_);
    if (global.light_switched) analysis.change = PictureChange::kLight;
    std::vector<Detection> detections;
    const bool trusted = LookAtScene(frame, global, analysis);
    if (infra_red_.Switched(frame, analysis.change != PictureChange::kNone))
      analysis.change = PictureChange::kInfraRed;
    if (trusted) {
      detections =
          options_.detector ? AskDetector(frame, analysis.detector_status) : NameRegions(frame);
    }
    tracker_.Update(frame.times.media, detections, aspect);
    if (!options_.detector) Doubt(frame, aspect, trusted);
    CollectTracks();
    RuleInput input;
    input.now = frame.times.media;
    input.wall = frame.times.received_wall;
    input.aspect = aspect;
    input.tracks = known_;
    const std::vector<StillObject> still = StillObjects(frame.times.media);
    input.still_objects = still;
    const std::vector<TamperFinding> tamper = Findings(frame.times.media);
    input.tamper = tamper;
    analysis.events = rules_->Evaluate(input);
    for (const Track& track : known_) {
      if (input.now - track.seen <= tracking_.show_lost) analysis.boxes.push_back(ToProto(track));
    }
    analysis.active = !trusted || learning_ || !blobs_seen_.empty() || Follows(frame.times.media) ||
                      rules_->pending();
    return analysis;
  }

 private:
  // Whether an object is being looked at or was a moment ago.
  bool Follows(MediaTime now) const {
    const std::vector<Track>& tracks = tracker_.tracks();
    return std::any_of(tracks.begin(), tracks.end(),
                       [now](const Track& track) { return now - track.seen <= kLookedFor; });
  }

  // Updates the scene and finds what differs from it; false when the picture as a whole is in upset
  // and says nothing of objects: tampered with, or a light that the model cannot follow, which is
  // learnt anew once it has lasted.
  bool LookAtScene(const Frame& frame, const GlobalState& global, Analysis& analysis) {
    blobs_seen_.clear();
    if (tamper_.disturbed()) {
      was_disturbed_ = true;
      return false;
    }
    const SceneView& view = scene_.Update(frame.luma, scene_time_, HeldBoxes());
    learning_ = view.learning;
    analysis.foreground = view.foreground_share;
    const float step = view.light.gain * kMiddleGrey + view.light.offset - kMiddleGrey;
    if (std::abs(step) > kLightStep || global.light_switched || view.learning ||
        view.foreground_share > kUpset) {
      trust_.PictureChanged(frame.times.media);
    }
    if (view.foreground_share > kUpset) {
      if (!upset_since_) upset_since_ = scene_time_;
      const bool now = std::exchange(was_disturbed_, false) || global.light_switched;
      if (now || scene_time_ - *upset_since_ > kUpsetFor) {
        if (analysis.change == PictureChange::kNone) analysis.change = PictureChange::kUnexplained;
        scene_.Relearn();
        still_.Reset();
        upset_since_.reset();
      }
      return false;
    }
    upset_since_.reset();
    was_disturbed_ = false;
    still_.Update(scene_, view, scene_time_, tracker_.tracks());
    finder_.FindBlobs(view.foreground);
    return true;
  }

  void FollowTime(const Frame& frame) {
    const bool first = !last_media_;
    if (!first && (frame.run != run_ || frame.times.media < *last_media_)) {
      tracker_.Reset();
      trust_.Reset();
      evidence_.Reset();
      rules_->Reset();
      scene_time_ += kRunGap;
    } else if (!first) {
      scene_time_ += frame.times.media - *last_media_;
    }
    run_ = frame.run;
    last_media_ = frame.times.media;
  }

  // Where the scene must not be relearnt: what is known to have moved, wherever it is now.
  std::vector<PictureBox> HeldBoxes() const {
    std::vector<PictureBox> held;
    if (!last_media_) return held;
    for (const Track& track : tracker_.tracks()) {
      const bool came = options_.detector ? track.travelled > 0.5F : trust_.Believes(track.id);
      if (track.confirmed && came) held.push_back(Grown(track.box, 0.1F));
    }
    return held;
  }

  std::vector<Detection> NameRegions(const Frame& frame) {
    RememberBlobs();
    std::vector<PictureBox> expected;
    for (const auto& [id, box] : tracker_.Predict(frame.times.media)) expected.push_back(box);
    const auto is_vehicle = [&](const MovingRegion& region) {
      const Classification name = namer_.Name(frame, region);
      return name.object_class == kVehicle && name.score > kSureVehicle;
    };
    const std::vector<MovingRegion> regions =
        finder_.Split(tracker_.size_prior(), expected, is_vehicle);
    std::vector<bool> faint(regions.size());
    for (size_t i = 0; i < regions.size(); ++i)
      faint[i] = regions[i].fill < kFaintFill || IsFragment(regions[i].box);
    std::vector<std::string> names = namer_.NameAll(
        frame, regions, faint, tracker_.Predict(frame.times.media, Tracker::Which::kAll));
    std::vector<Detection> detections;
    for (size_t i = 0; i < regions.size(); ++i) {
      if (names[i] == kPerson && TooTall(regions[i].box)) names[i] = kVehicle;
      detections.push_back(
          {regions[i].box, std::move(names[i]), faint[i] ? kFaintRegionScore : kRegionScore});
    }
    return detections;
  }

  // No person where others are so much smaller.
  bool TooTall(const PictureBox& box) const {
    const std::optional<float> person = tracker_.size_prior().HeightAt(box.foot());
    return person && box.height > kTooTall * *person;
  }

  // Too small for anything that the size prior's persons could be measured against.
  bool IsFragment(const PictureBox& box) const {
    const std::optional<float> person = tracker_.size_prior().HeightAt(box.foot());
    return person && box.height < kFragment * *person && box.width < kFragment * *person;
  }

  void RememberBlobs() {
    blobs_seen_.clear();
    for (const Blob& blob : finder_.blobs()) blobs_seen_.push_back(finder_.AsRegion(blob));
  }

  // The detector looks where something moves and where a known object stands still.
  std::vector<Detection> AskDetector(const Frame& frame, absl::Status& status) {
    RememberBlobs();
    std::vector<PictureBox> boxes;
    for (const MovingRegion& blob : blobs_seen_) boxes.push_back(Grown(blob.box, kRegionMargin));
    for (const auto& [id, box] : tracker_.Predict(frame.times.media)) {
      const PictureBox inside = Grown(box, kRegionMargin);
      if (inside.area() > 0) boxes.push_back(inside);
    }
    if (boxes.empty()) return {};
    std::vector<PixelRect> regions;
    for (const PictureBox& box : United(std::move(boxes))) {
      regions.push_back(ToPixels(box, frame.source_width, frame.source_height));
    }
    auto detections = options_.detector->Detect(frame, regions);
    if (detections.ok()) return *std::move(detections);
    status = detections.status();
    return {};
  }

  std::vector<TamperFinding> Findings(MediaTime now) const {
    std::vector<TamperFinding> findings = tamper_.findings();
    for (TamperFinding& finding : findings) finding.began = now - (scene_time_ - finding.began);
    return findings;
  }

  // On the stream's time line.
  std::vector<StillObject> StillObjects(MediaTime now) const {
    std::vector<StillObject> objects = still_.objects();
    for (StillObject& object : objects) object.since = now - (scene_time_ - object.since);
    return objects;
  }

  // Which tracks of moving regions are objects.
  void Doubt(const Frame& frame, float aspect, bool trusted) {
    const std::vector<Track>& tracks = tracker_.tracks();
    if (trusted) {
      evidence_.Update(frame.times.media, aspect, frame.luma, scene_, tracks,
                       trust_.InDoubt(tracks));
    }
    trust_.Update(frame.times.media, aspect, tracks, &evidence_);
  }

  void CollectTracks() {
    known_.clear();
    for (const Track& track : tracker_.tracks()) {
      if (track.confirmed && (options_.detector || trust_.Believes(track.id)))
        known_.push_back(track);
    }
  }

  static proto::TrackBox ToProto(const Track& track) {
    proto::TrackBox out;
    out.set_track_id(track.id);
    out.set_object_class(track.object_class);
    const PictureBox box = ClampToPicture(track.box);
    out.mutable_box()->set_x(box.x);
    out.mutable_box()->set_y(box.y);
    out.mutable_box()->set_width(box.width);
    out.mutable_box()->set_height(box.height);
    return out;
  }

  const CameraAnalyzerOptions options_;
  const std::unique_ptr<RuleEngine> rules_;
  const TrackerOptions tracking_;
  SceneModel scene_;
  TamperWatch tamper_;
  StillWatch still_;
  RegionFinder finder_;
  RegionNamer namer_;
  Tracker tracker_;
  TrackTrust trust_;
  ObjectEvidence evidence_;
  InfraRedWatch infra_red_;
  MediaTime scene_time_{};
  std::optional<MediaTime> upset_since_;
  bool was_disturbed_ = false;
  bool learning_ = true;
  std::optional<MediaTime> last_media_;
  uint64_t run_ = 0;
  std::vector<MovingRegion> blobs_seen_;
  std::vector<Track> known_;  // confirmed
};

}  // namespace

absl::StatusOr<std::unique_ptr<CameraAnalyzer>> CameraAnalyzer::Create(
    CameraAnalyzerOptions options) {
  std::string name = "builtin";
  std::string sha256;
  if (options.detector) {
    name = options.detector->name();
    sha256 = options.detector->sha256();
  } else if (options.classifier) {
    name = options.classifier->name();
  }
  ASSIGN_OR_RETURN(std::unique_ptr<RuleEngine> rules,
                   RuleEngine::Create(options.camera, options.time_zone, options.holidays,
                                      std::move(name), std::move(sha256)));
  return std::make_unique<Analyzer>(std::move(options), std::move(rules));
}

}  // namespace cordon
