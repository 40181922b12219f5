// SPDX-License-Identifier: Apache-2.0
#include "cli/left_behind.h"

#include <algorithm>
#include <filesystem>

#include "absl/time/time.h"
#include "base/log.h"
#include "bus/outbox_pictures.h"
#include "ingest/evidence_store.h"

namespace cordon::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::minutes kTendEvery{10};

bool Has(const proto::Site& site, const std::string& node) {
  return std::any_of(site.nodes().begin(), site.nodes().end(),
                     [&](const proto::NodeConfig& one) { return one.id() == node; });
}

// FAILED_PRECONDITION: a process has the folder.
absl::Status TendClips(const std::string& folder, const proto::Site& site, const Clock& clock,
                       LeftBehind& found) {
  EvidenceStore::Options options;
  options.folder = folder;
  options.free_bytes_floor = 0;  // making room is for those who need it
  ASSIGN_OR_RETURN(const auto store, EvidenceStore::Open(std::move(options), clock));
  for (const proto::CameraConfig& camera : site.cameras())
    RETURN_IF_ERROR(store->Limit(CameraId(camera.id()), RetentionOf(camera)));
  for (;;) {
    ASSIGN_OR_RETURN(const std::vector<DeletionRow> deleted, store->Sweep());
    if (deleted.empty()) return absl::OkStatus();
    found.clips += deleted.size();
  }
}

absl::Status TendAlerts(const std::string& outbox, const Clock& clock, LeftBehind& found) {
  ASSIGN_OR_RETURN(const LeftOutbox left, TendLeftOutbox(outbox, clock.Wall()));
  found.pictures += left.pictures_dropped;
  found.undelivered += left.undelivered;
  return absl::OkStatus();
}

void Tell(const absl::Status& status, const std::string& folder) {
  if (status.ok() || absl::IsFailedPrecondition(status) || absl::IsNotFound(status)) return;
  log::Error("what a node left behind could not be looked through",
             {{"folder", folder}, {"cause", MessageOf(status)}});
}

}  // namespace

Microseconds RetentionOf(const proto::CameraConfig& camera) {
  return std::chrono::duration_cast<Microseconds>(
      std::chrono::duration<double, std::ratio<3600>>(camera.retention_hours()));
}

LeftBehind TendLeftBehind(const proto::Site& site, bool configured, const Clock& clock) {
  LeftBehind found;
  std::error_code error;
  for (fs::directory_iterator it(site.data_dir() + "/nodes", error), end; !error && it != end;
       it.increment(error)) {
    if (!configured && Has(site, it->path().filename().string())) continue;
    const std::string folder = it->path().string();
    if (fs::is_directory(folder + "/evidence"))
      Tell(TendClips(folder + "/evidence", site, clock, found), folder);
    Tell(TendAlerts(folder + "/outbox.db", clock, found), folder);
  }
  return found;
}

LeftBehindKeeper::LeftBehindKeeper(const proto::Site& site, const Clock& clock)
    : site_(site), clock_(clock), thread_([this] { Run(); }) {}

LeftBehindKeeper::~LeftBehindKeeper() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

void LeftBehindKeeper::Run() {
  SetThreadName("left-behind");
  for (bool first = true;; first = false) {
    const LeftBehind found = TendLeftBehind(site_, !first, clock_);
    if (found.clips + found.pictures > 0)
      log::Info("pictures that a node left behind were deleted",
                {{"clips", found.clips}, {"pictures", found.pictures}});
    if (first && found.undelivered > 0)
      log::Warning(
          "alerts of a node that is not configured any more were never delivered; give a node its "
          "name again to send them",
          {{"alerts", found.undelivered}, {"data_dir", site_.data_dir()}});
    absl::MutexLock lock(&mutex_);
    if (mutex_.AwaitWithTimeout(absl::Condition(&stopping_), absl::FromChrono(kTendEvery))) return;
  }
}

}  // namespace cordon::cli
