// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/metrics.h"
#include "console/feed.h"
#include "console/http.h"
#include "dispatch/coverage.h"
#include "dispatch/unit_board.h"
#include "dispatch/unit_tracks.h"

namespace cordon {

// The fastest tier that covers each piece, as of a moment: position in CoverageOptions::tiers_ms,
// or their number when none does. A piece counts as covered when at least half of it is: this is
// for drawing, lengths are exact elsewhere.
struct CoverageDrawing {
  uint64_t version = 0;
  std::vector<uint8_t> tier_of_piece;
};

// Keeps coverage current: once a second, with the units that are available and not stale. Publishes
// lengths, gaps and protected places as "coverage" on the feed. Thread "coverage" owns the
// computation; the two readers below are thread-safe.
class CoverageFeed {
 public:
  struct Options {
    std::vector<uint32_t> tiers_s = {60, 180, 300};
    std::vector<ProtectedPlace> places;
    Nanoseconds every = Seconds(1);
    size_t gaps = 10;
  };
  static absl::StatusOr<std::unique_ptr<CoverageFeed>> Start(
      const Clock& clock, Metrics& metrics, UnitBoard& units, Feed& feed,
      std::shared_ptr<const TravelModel> model, const UnitTracks& tracks, Options options);
  ~CoverageFeed();
  CoverageFeed(const CoverageFeed&) = delete;
  CoverageFeed& operator=(const CoverageFeed&) = delete;

  // Empty before the first computation.
  std::shared_ptr<const CoverageDrawing> drawing() const;
  // GET /api/coverage: what the feed says, at once.
  HttpResponse Handle(const HttpRequest& request) const;
  static constexpr char kPath[] = "/api/coverage";

 private:
  CoverageFeed(const Clock& clock, Metrics& metrics, UnitBoard& units, Feed& feed,
               std::shared_ptr<const TravelModel> model, const UnitTracks& tracks, Options options,
               std::unique_ptr<Coverage> coverage);
  void Loop();
  void Compute();
  Json Describe(const Coverage::Tick& tick, size_t counted);
  Json DescribePlaces();
  std::shared_ptr<const CoverageDrawing> Draw(uint64_t version) const;

  const Clock& clock_;
  UnitBoard& units_;
  Feed& feed_;
  const std::shared_ptr<const TravelModel> model_;
  const UnitTracks& tracks_;
  const Options options_;
  prometheus::Histogram& seconds_;
  std::atomic<bool> stopping_{false};
  mutable absl::Mutex mutex_;
  std::shared_ptr<const CoverageDrawing> drawing_ ABSL_GUARDED_BY(mutex_);
  std::string latest_ ABSL_GUARDED_BY(mutex_) = "{}";
  // Only in "coverage".
  std::unique_ptr<Coverage> coverage_;
  uint64_t version_ = 0;
  std::thread thread_;
};

// The configured places as coverage wants them. INVALID_ARGUMENT names the place whose hours cannot
// be understood.
absl::StatusOr<std::vector<ProtectedPlace>> ProtectedPlacesOf(const proto::Site& site);

}  // namespace cordon
