// SPDX-License-Identifier: Apache-2.0
// What a change of the rules would have done: the same clips through the old and the new rules.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "base/time.h"
#include "proto/config.pb.h"
#include "proto/event.pb.h"

namespace cordon::cli {

struct BacktestInput {
  proto::Site before;
  proto::Site after;
  std::string camera;              // of both
  std::vector<std::string> clips;  // each begins anew, as after a restart of the camera
  WallTime begins{};               // when each clip was recorded, for schedules
};

enum class BacktestVerdict { kKept, kGone, kAdded };

struct BacktestAlert {
  BacktestVerdict verdict = BacktestVerdict::kKept;
  proto::Event event;   // of the new rules, where both raised it
  double seconds = 0;   // since the clip's beginning
  std::string picture;  // JPEG with the box, the path and the rule's zone or line
};

struct BacktestClip {
  std::string clip;
  uint64_t frames = 0;
  double seconds = 0;
  std::vector<BacktestAlert> alerts;  // by time
  int Count(BacktestVerdict verdict) const;
};

// Two alerts are the same when rule, kind and direction agree and they are at most a second apart.
// Deterministic: the wall clock is the clip's own. Errors as LoadSite, ClipReader::Open and
// AnalyzerFactory::Make; NOT_FOUND when a site lacks the camera.
absl::StatusOr<std::vector<BacktestClip>> Backtest(const BacktestInput& input);

// One JSON object: clips, alerts without pictures, totals. The same input gives the same bytes.
std::string BacktestJson(const BacktestInput& input, const std::vector<BacktestClip>& clips);

// One page without anything outside of it: the pictures are in it.
std::string BacktestHtml(const BacktestInput& input, const std::vector<BacktestClip>& clips);

const char* VerdictName(BacktestVerdict verdict);  // "kept", "gone", "added"

}  // namespace cordon::cli
