// SPDX-License-Identifier: Apache-2.0
// What the dispatcher does by itself, turn by turn: silent nodes, pictures whose time is over, the
// time that cameras were watched.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "dispatch/dispatcher.h"

namespace cordon {
namespace {

constexpr Seconds kSilentAfter{10};
constexpr Seconds kPictureCheck{60};
// Of a camera that the configuration does not name, where it names none to take the shortest of.
constexpr std::chrono::hours kKeepOfNoCamera{24};
constexpr Seconds kNoteWatched{15};
// A restart of the dispatcher does not end the time that a camera was watched: its node went on.
constexpr Seconds kWatchedGap{120};

Microseconds Keep(const Dispatcher::Camera& camera) {
  return std::chrono::duration_cast<Microseconds>(
      std::chrono::duration<double, std::ratio<3600>>(camera.retention_hours));
}

}  // namespace

void Dispatcher::ReportHealth(const proto::NodeHealth& health) {
  ProducerHeard(health.node_id());
  {
    absl::MutexLock lock(&mutex_);
    for (const proto::CameraHealth& camera : health.cameras())
      if (camera.state() == proto::STREAM_STATE_LIVE) live_[camera.camera_id()] = clock_.Boot();
  }
  Tell([&](DispatchListener& listener) { listener.OnHealth(health); });
}

void Dispatcher::WatchProducers() {
  std::vector<std::pair<std::string, Producer>> changed;
  const BootTime now = clock_.Boot();
  {
    absl::MutexLock lock(&mutex_);
    for (auto& [name, producer] : producers_) {
      const bool silent = now - producer.heard > kSilentAfter;
      if (silent == producer.silent) continue;
      producer.silent = silent;
      changed.emplace_back(name, producer);
    }
  }
  for (auto& [name, producer] : changed) {
    const absl::Status status = InTransaction([&, node = name, state = producer]() -> absl::Status {
      if (!state.silent) {
        RETURN_IF_ERROR(store_->ClearNotice(state.notice, clock_.Wall()));
        proto::Notice notice;
        notice.set_number(state.notice);
        notice.set_kind("producer_silent");
        notice.set_subject(node);
        notice.set_text(fmt::format("{} is heard again", node));
        notice.set_cleared_us(ToMicros(clock_.Wall()));
        said_.push_back([notice](DispatchListener& listener) { listener.OnNotice(notice); });
        return absl::OkStatus();
      }
      proto::Notice notice;
      notice.set_kind("producer_silent");
      notice.set_subject(node);
      notice.set_text(fmt::format("{} has been silent for {} s: its cameras are not watched", node,
                                  kSilentAfter.count()));
      uint64_t number = 0;
      RETURN_IF_ERROR(RaiseNotice(std::move(notice), &number));
      after_commit_.push_back([this, node, number] {
        absl::MutexLock lock(&mutex_);
        producers_[node].notice = number;
      });
      return absl::OkStatus();
    });
    if (!status.ok())
      log::Error("a silent node could not be recorded",
                 {{"node", name}, {"cause", MessageOf(status)}});
  }
}

Microseconds Dispatcher::KeepPictures(const std::string& camera_id) const {
  Microseconds shortest = Microseconds::max();
  for (const Camera& camera : options_.cameras) {
    if (camera.id == camera_id) return Keep(camera);
    shortest = std::min(shortest, Keep(camera));
  }
  return options_.cameras.empty() ? Microseconds(kKeepOfNoCamera) : shortest;
}

absl::Status Dispatcher::LimitPictures() {
  const WallTime now = clock_.Wall();
  ASSIGN_OR_RETURN(sqlite::Transaction transaction,
                   sqlite::Transaction::Begin(store_->connection()));
  for (const Camera& camera : options_.cameras)
    RETURN_IF_ERROR(store_->LimitPictures(camera.id, Keep(camera), now));
  RETURN_IF_ERROR(store_->LimitPictures("", KeepPictures(""), now));
  return transaction.Commit();
}

void Dispatcher::DropOldPictures() {
  const BootTime now = clock_.Boot();
  if (pictures_checked_ != BootTime{} && now - pictures_checked_ < kPictureCheck) return;
  pictures_checked_ = now;
  std::vector<PictureDeletion> deleted;
  const absl::Status status = InTransaction([&]() -> absl::Status {
    ASSIGN_OR_RETURN(deleted, store_->DropPictures(clock_.Wall()));
    return absl::OkStatus();
  });
  if (!status.ok()) {
    log::Error("old pictures could not be deleted", {{"cause", MessageOf(status)}});
    return;
  }
  uint64_t pictures = 0;
  for (const PictureDeletion& done : deleted) {
    pictures += done.pictures;
    if (done.pictures == 0) continue;
    log::Info("old pictures deleted",
              {{"camera", done.camera_id}, {"pictures", done.pictures}, {"held", done.held}});
  }
  if (pictures >= EventStore::kPicturesAtOnce) pictures_checked_ = {};  // there may be more
}

void Dispatcher::NoteWatched() {
  const BootTime now = clock_.Boot();
  if (now - watched_noted_ < kNoteWatched) return;
  watched_noted_ = now;
  std::vector<std::string> watched;
  {
    absl::MutexLock lock(&mutex_);
    std::erase_if(live_, [&](const auto& camera) { return now - camera.second > kSilentAfter; });
    for (const auto& [camera, heard] : live_) watched.push_back(camera);
  }
  if (watched.empty()) return;
  const absl::Status status = InTransaction([&]() -> absl::Status {
    for (const std::string& camera : watched)
      RETURN_IF_ERROR(store_->AddWatched(camera, clock_.Wall(), kWatchedGap));
    return absl::OkStatus();
  });
  if (!status.ok())
    log::Error("the time that cameras were watched could not be recorded",
               {{"cause", MessageOf(status)}});
}

}  // namespace cordon
