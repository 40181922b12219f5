// SPDX-License-Identifier: Apache-2.0
#include "analytics/tamper.h"

#include <algorithm>
#include <cmath>

namespace cordon {
namespace {

// The structure of the scene: shares of the cells that have some.
constexpr int kLeastCells = 6;          // fewer tell nothing
constexpr double kGone = 0.4;           // kept less: the camera shows something else
constexpr double kHidden = 0.5;         // more: covered
constexpr double kHidingBegins = 0.25;  // more: a cover may be on its way
constexpr double kOtherView = 0.55;  // contrast against the scene's: less is a cover, more a view
constexpr double kStandsStill = 0.6;  // of another view's own structure, from picture to picture

constexpr double kBlurred = 0.7;  // share of the cells that can tell
constexpr int kLeastFocusCells = 4;
constexpr double kDetailLost = 0.5;  // of the scene's, against the contrast from afar
constexpr double kEnergyLost = 0.6;
constexpr double kAlike = 0.9;       // a blurred picture is still the same from afar
constexpr double kAlikeContrast = 0.5;
constexpr double kSameBrightness = 0.15;

constexpr double kBlackMean = 18;
constexpr double kBlackSpread = 9;
constexpr double kFell = 0.4;  // of the scene's brightness
constexpr double kWhiteShare = 0.35;
// A veil of light raises the picture and takes its contrast; a lamp raises both.
constexpr double kVeilRise = 50;
constexpr double kVeilMean = 150;
constexpr double kVeilContrast = 0.75;
// A lamp, an infra-red switch: within one picture.
constexpr double kJump = 8;  // grey levels
constexpr double kJumpShare = 0.15;

constexpr std::array<Microseconds, 5> kHold = {Milliseconds(800), Milliseconds(500),
                                               Milliseconds(1200), Milliseconds(1200),
                                               Milliseconds(1500)};
constexpr std::array<proto::EventKind, 5> kKinds = {
    proto::EVENT_KIND_TAMPER_BLACK, proto::EVENT_KIND_TAMPER_SUDDEN_LIGHT,
    proto::EVENT_KIND_TAMPER_DEFOCUSED, proto::EVENT_KIND_TAMPER_COVERED,
    proto::EVENT_KIND_TAMPER_MOVED};
constexpr std::array<const char*, 5> kDetails = {
    "the picture is black", "light blinds the camera", "the picture is out of focus",
    "the view is covered", "the camera shows another view"};

// Frozen: the same picture for so long, where the camera's pictures never stayed the same so long.
constexpr Microseconds kFrozenAfter = Seconds(2);
constexpr int kFrozenPictures = 4;
constexpr int kFrozenTimesUsual = 4;
constexpr Microseconds kKnowUsual = Seconds(10);  // watched for so long at least
// Otherwise: across a key frame, or long enough for any encoder.
constexpr Microseconds kFrozenAcrossKey = Seconds(6);
constexpr Microseconds kFrozenAnyway = Seconds(30);

constexpr Microseconds kYoung = Milliseconds(1500);
constexpr double kYoungTau = 0.5;  // seconds
constexpr double kLearnTau = 25;
// A camera on a pole or a stabiliser drifts slower than anybody turns it.
constexpr Microseconds kDriftEvery = Seconds(2);
// How often the whole picture is compared.
constexpr Microseconds kLookEvery = Milliseconds(180);

}  // namespace

void TamperWatch::Restart(const TamperLook& look, MediaTime time) {
  scene_.Start(look);
  running_ = true;
  began_ = time;
  disturbed_since_.reset();
  since_ = {};
}

const GlobalState& TamperWatch::Update(const Frame& frame, MediaTime time) {
  state_.light_switched = false;
  if (!running_ || time - last_ >= kLookEvery) LookAt(frame, time);
  findings_.resize(lasting_);
  WatchFrozen(frame, time);
  return state_;
}

void TamperWatch::LookAt(const Frame& frame, MediaTime time) {
  findings_.clear();
  const TamperLook look = LookAtPicture(frame.luma);
  if (!running_ || !scene_.Fits(look)) {
    Restart(look, time);
    last_ = time;
    last_mean_ = look.mean;
  }
  const double step_s = std::clamp(ToSeconds(time - last_), 0.0, 2.0);
  last_ = time;
  state_.likeness = scene_.Compare(look);
  if (state_.likeness.informative < kLeastCells) {
    state_.likeness.kept = 1;
    state_.likeness.hidden = 0;
    state_.likeness.detail = 1;
  }
  state_.brightness = look.mean;
  Judge(look, time);
  lasting_ = findings_.size();
  if (disturbed_ && !disturbed_since_) disturbed_since_ = time;
  if (!disturbed_) disturbed_since_.reset();
  // What has lasted is the scene now: a camera turned on purpose must not alarm for ever.
  if (disturbed_since_ && time - *disturbed_since_ > kAcceptAfter) {
    Restart(look, time);
  } else if (!disturbed_) {
    Learn(look, step_s, time);
  }
}

void TamperWatch::Learn(const TamperLook& look, double step_s, MediaTime time) {
  const double tau = time - began_ < kYoung ? kYoungTau : kLearnTau;
  const TamperShift shift = state_.likeness.shift;
  const bool drifted = shift.x != 0 || shift.y != 0;
  if (drifted && time - followed_ >= kDriftEvery) {
    followed_ = time;
    scene_.Follow(shift);
  } else if (!drifted) {
    scene_.Learn(look, 1 - std::exp(-step_s / tau));
  }
}

std::array<TamperWatch::Sign, TamperWatch::kSlots> TamperWatch::SignsOf(
    const TamperLook& look) const {
  std::array<Sign, kSlots> signs;
  const TamperLikeness& like = state_.likeness;
  const double usual = std::max(scene_.look().mean, 1.0);
  const bool black =
      look.mean < kBlackMean && look.spread < kBlackSpread && look.mean < kFell * usual;
  signs[kBlack] = {black, black, look.mean / usual, kFell};
  const bool white = look.white > kWhiteShare && look.white > scene_.look().white + kWhiteShare / 2;
  const bool veil = look.mean > kVeilMean && look.mean > usual + kVeilRise &&
                    (like.hidden > kHidden || like.amplitude < kVeilContrast);
  const bool dazzled = !black && (white || veil);
  signs[kLight] = {dazzled, dazzled, look.mean, usual + kVeilRise};
  const bool light = black || dazzled;
  const bool blurred = !light && !since_[kCovered] && IsBlurred(look);
  signs[kDefocused] = {blurred, blurred, like.detail, kDetailLost};
  const bool other = !light && !blurred;
  const bool cover = like.structure < kOtherView;
  signs[kCovered] = {other && like.hidden > kHidingBegins,
                     other && cover && like.hidden > kHidden, like.hidden, kHidden};
  const bool moved = other && !cover && like.kept < kGone;
  signs[kMoved] = {moved, moved, like.kept, kGone};
  return signs;
}

// The fine structure is gone where the broad one stays; light and contrast cancel out.
bool TamperWatch::IsBlurred(const TamperLook& look) const {
  const TamperLikeness& like = state_.likeness;
  const double usual = std::max(scene_.look().mean, 1.0);
  if (std::abs(look.mean - usual) > kSameBrightness * usual || like.correlation < kAlike ||
      like.contrast < kAlikeContrast) {
    return false;
  }
  return (like.detail < kDetailLost * std::min(like.contrast, 1.0) && like.energy < kEnergyLost) ||
         (like.focused >= kLeastFocusCells && like.blurred > kBlurred);
}

// A view that goes on changing is something that passes close by, not a turned camera.
bool TamperWatch::StandsStill(const TamperLook& look) {
  if (other_view_.Fits(look) && other_view_.Compare(look).kept > kStandsStill) return true;
  other_view_.Start(look);
  return false;
}

void TamperWatch::Judge(const TamperLook& look, MediaTime time) {
  const bool young = time - began_ < kYoung;
  const std::array<Sign, kSlots> signs = SignsOf(look);
  for (size_t slot = 0; slot < kSlots; ++slot) {
    const Sign& sign = signs[slot];
    if (!sign.begins || young) {
      since_[slot].reset();
      continue;
    }
    if (!since_[slot] || (slot == kMoved && !StandsStill(look))) since_[slot] = time;
    if (!sign.certain || time - *since_[slot] < kHold[slot]) continue;
    findings_.push_back(
        {kKinds[slot], *since_[slot], sign.measured, sign.threshold, kDetails[slot]});
  }
  const double jump = std::abs(look.mean - last_mean_);
  const bool light = signs[kBlack].certain || signs[kLight].certain;
  state_.light_switched = jump > std::max(kJump, kJumpShare * last_mean_) && !light &&
                          state_.likeness.kept > kGone;
  last_mean_ = look.mean;
  disturbed_ = !young && (light || signs[kDefocused].certain || signs[kMoved].certain ||
                          signs[kCovered].certain);
}

// A live camera's pictures differ by their noise; the same picture again and again is a replay or a
// dead sensor. Some encoders repeat a quiet picture: what the camera usually does is learnt, and a
// key frame, which codes the picture anew, proves more.
void TamperWatch::WatchFrozen(const Frame& frame, MediaTime time) {
  if (last_pixels_.empty()) frozen_watch_began_ = time;
  if (frame.luma.pixels != last_pixels_) {
    if (!frozen_) usual_repeat_ = std::max(usual_repeat_, last_same_ - same_since_);
    frozen_ = false;
    last_pixels_ = frame.luma.pixels;
    same_since_ = time;
    last_same_ = time;
    same_keys_ = 0;
    same_pictures_ = 1;
    return;
  }
  last_same_ = time;
  same_keys_ += frame.key;
  ++same_pictures_;
  const Microseconds same = time - same_since_;
  const bool knows = same_since_ - frozen_watch_began_ >= kKnowUsual;
  const bool unusual = knows && same >= kFrozenAfter && same_pictures_ >= kFrozenPictures &&
                       same > kFrozenTimesUsual * usual_repeat_;
  frozen_ = unusual || (same >= kFrozenAcrossKey && same_keys_ > 0) || same >= kFrozenAnyway;
  if (!frozen_) return;
  findings_.push_back({proto::EVENT_KIND_TAMPER_FROZEN, same_since_, ToSeconds(same),
                       ToSeconds(kFrozenAfter), "the picture has stopped"});
}

}  // namespace cordon
