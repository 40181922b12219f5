// SPDX-License-Identifier: Apache-2.0
// The pictures of the record: kept as long as they may be, deleted on record.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "dispatch/event_store.h"

namespace cordon {
namespace {

// Rows of `snapshot` whose time is over, and whether a row is held.
constexpr std::string_view kDue = "expires_us > 0 AND expires_us <= ?";
constexpr std::string_view kHeld =
    "coalesce((SELECT h.held FROM hold_change h WHERE h.alert_id = snapshot.alert_id ORDER BY "
    "h.number DESC LIMIT 1), 0)";

}  // namespace

absl::Status EventStore::AddPicture(const proto::Alert& alert, WallTime delivered,
                                    Microseconds keep) {
  ASSIGN_OR_RETURN(sqlite::Statement * picture,
                   Use("INSERT OR REPLACE INTO snapshot(alert_id, camera_id, wall_us, jpeg, "
                       "expires_us) VALUES(?,?,?,?,?)"));
  const WallTime taken = std::min(WallFromMicros(alert.wall_time_us()), delivered);
  picture->Bind(1, alert.id()).Bind(2, alert.event().camera_id()).Bind(3, alert.wall_time_us());
  return picture->BindBlob(4, alert.snapshot_jpeg()).Bind(5, ToMicros(taken + keep)).Run();
}

absl::StatusOr<std::string> EventStore::Snapshot(const std::string& alert_id) {
  ASSIGN_OR_RETURN(sqlite::Statement select,
                   connection_->Prepare("SELECT jpeg FROM snapshot WHERE alert_id = ?"));
  select.Bind(1, alert_id);
  ASSIGN_OR_RETURN(const bool row, select.Step());
  if (!row) return absl::NotFoundError("this alert has no picture, or it is past its retention");
  return std::string(select.Blob(0));
}

absl::Status EventStore::LimitPictures(const std::string& camera_id, Microseconds keep,
                                       WallTime now) {
  // A time of 0 is later than any.
  ASSIGN_OR_RETURN(
      sqlite::Statement * limit,
      Use("UPDATE snapshot SET expires_us = min(wall_us, ?1) + ?2 WHERE (camera_id = ?3 "
          "AND expires_us > min(wall_us, ?1) + ?2) OR (expires_us = 0 AND ?3 IN "
          "('', camera_id))"));
  return limit->Bind(1, ToMicros(now)).Bind(2, int64_t{keep.count()}).Bind(3, camera_id).Run();
}

absl::StatusOr<std::vector<PictureDeletion>> EventStore::DropPictures(WallTime now) {
  std::map<std::string, PictureDeletion> by_camera;
  std::vector<std::string> due;
  ASSIGN_OR_RETURN(
      sqlite::Statement select,
      connection_->Prepare(fmt::format("SELECT alert_id, camera_id, wall_us FROM snapshot "
                                       "WHERE {} AND NOT {} ORDER BY expires_us LIMIT ?",
                                       kDue, kHeld)));
  select.Bind(1, ToMicros(now)).Bind(2, int64_t{kPicturesAtOnce});
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) break;
    due.emplace_back(select.Text(0));
    PictureDeletion& done = by_camera[std::string(select.Text(1))];
    ++done.pictures;
    done.before = std::max(done.before, WallFromMicros(select.Int(2) + 1));
  }
  select.Reset();
  ASSIGN_OR_RETURN(sqlite::Statement * drop, Use("DELETE FROM snapshot WHERE alert_id = ?"));
  for (const std::string& alert : due) RETURN_IF_ERROR(drop->Bind(1, alert).Run());

  ASSIGN_OR_RETURN(const std::vector<PictureDeletion> held, CountHeld(now));
  for (const PictureDeletion& camera : held) {
    PictureDeletion& done = by_camera[camera.camera_id];
    done.held = camera.held;
    done.before = std::max(done.before, camera.before);
  }
  std::vector<PictureDeletion> recorded;
  for (auto& [camera, done] : by_camera) {
    done.camera_id = camera;
    done.at = now;
    ASSIGN_OR_RETURN(const uint64_t held_before, HeldOnRecord(camera));
    if (done.pictures == 0 && done.held == held_before) continue;
    RETURN_IF_ERROR(Record(done));
    recorded.push_back(done);
  }
  return recorded;
}

absl::StatusOr<std::vector<PictureDeletion>> EventStore::CountHeld(WallTime now) {
  ASSIGN_OR_RETURN(sqlite::Statement select,
                   connection_->Prepare(fmt::format("SELECT camera_id, count(*), max(wall_us) FROM "
                                                    "snapshot WHERE {} AND {} GROUP BY camera_id",
                                                    kDue, kHeld)));
  select.Bind(1, ToMicros(now));
  std::vector<PictureDeletion> held;
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return held;
    held.push_back({std::string(select.Text(0)), now, WallFromMicros(select.Int(2) + 1), 0,
                    static_cast<uint64_t>(select.Int(1))});
  }
}

absl::StatusOr<uint64_t> EventStore::HeldOnRecord(const std::string& camera_id) {
  ASSIGN_OR_RETURN(
      sqlite::Statement select,
      connection_->Prepare("SELECT held FROM picture_deletion WHERE camera_id = ? ORDER "
                           "BY number DESC LIMIT 1"));
  select.Bind(1, camera_id);
  ASSIGN_OR_RETURN(const bool row, select.Step());
  return row ? static_cast<uint64_t>(select.Int(0)) : 0;
}

absl::Status EventStore::Record(const PictureDeletion& deletion) {
  ASSIGN_OR_RETURN(sqlite::Statement * add,
                   Use("INSERT INTO picture_deletion(camera_id, at_us, before_us, pictures, held) "
                       "VALUES(?,?,?,?,?)"));
  add->Bind(1, deletion.camera_id)
      .Bind(2, ToMicros(deletion.at))
      .Bind(3, ToMicros(deletion.before));
  add->Bind(4, static_cast<int64_t>(deletion.pictures))
      .Bind(5, static_cast<int64_t>(deletion.held));
  return add->Run();
}

absl::StatusOr<std::vector<PictureDeletion>> EventStore::PictureDeletions(uint32_t limit) {
  RETURN_IF_ERROR(connection_->RequireFormat(kFormat));
  ASSIGN_OR_RETURN(sqlite::Statement select,
                   connection_->Prepare("SELECT camera_id, at_us, before_us, pictures, held FROM "
                                        "picture_deletion ORDER BY number DESC LIMIT ?"));
  select.Bind(1, int64_t{limit});
  std::vector<PictureDeletion> deletions;
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return deletions;
    deletions.push_back({std::string(select.Text(0)), WallFromMicros(select.Int(1)),
                         WallFromMicros(select.Int(2)), static_cast<uint64_t>(select.Int(3)),
                         static_cast<uint64_t>(select.Int(4))});
  }
}

}  // namespace cordon
