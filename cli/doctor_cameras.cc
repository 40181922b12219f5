// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

#include "base/wake_event.h"
#include "cli/doctor.h"
#include "cli/site.h"
#include "ingest/onvif_client.h"
#include "ingest/onvif_events.h"
#include "ingest/rtp_parameter_sets.h"
#include "ingest/rtsp_options.h"
#include "ingest/source_factory.h"

namespace cordon::cli {
namespace {

using Level = Finding::Level;

// Cameras looked at at once: a site of hundreds is through in minutes, a small network is not
// flooded.
constexpr size_t kAtOnce = 8;
// Adaptive decode looks at key frames; further apart than this, short events fall between them.
constexpr double kLongKeyInterval = 4;
constexpr Seconds kClockOffset{2};

std::string RemedyOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return "mend username and password_file before it locks itself";
    case absl::StatusCode::kNotFound:
      return "mend the address: 'cordon cameras probe HOST' asks the camera for it";
    case absl::StatusCode::kInvalidArgument:
      return "mend the camera's entry in the site file";
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kUnavailable:
      return "see that it is on, in this network, and not at its limit of viewers";
    default:
      return "try 'cordon cameras probe' and the camera's own page";
  }
}

struct Watched {
  std::string codec;
  int width = 0;
  int height = 0;
  int pictures = 0;
  double frame_rate = 0;
  double key_interval_s = 0;  // 0: fewer than two key frames came
  uint64_t lost = 0;
};

// Live cameras say their size in band.
void TakeSize(const StreamInfo& info, const AVPacket& packet, Watched& seen) {
  const AVCodecID codec = info.codec->codec_id;
  if (codec != AV_CODEC_ID_H264 && codec != AV_CODEC_ID_HEVC) return;
  const VideoCodec kind = codec == AV_CODEC_ID_H264 ? VideoCodec::kH264 : VideoCodec::kH265;
  const auto set = ParseSequenceSet(
      kind, FindSequenceSet(kind, {packet.data, static_cast<size_t>(packet.size)}));
  if (!set) return;
  seen.width = set->width;
  seen.height = set->height;
}

absl::StatusOr<Watched> Watch(PacketSource& source, Milliseconds watch, const Clock& clock) {
  ASSIGN_OR_RETURN(const StreamInfo info, source.Open());
  Watched seen;
  seen.codec = avcodec_get_name(info.codec->codec_id);
  seen.width = info.codec->width;
  seen.height = info.codec->height;
  const BootTime end = clock.Boot() + watch;
  int64_t first = 0, last = 0, first_key = 0, last_key = 0;
  int keys = 0;
  while (clock.Boot() < end) {
    const absl::StatusOr<Packet> packet =
        source.Read(std::chrono::ceil<Milliseconds>(end - clock.Boot()));
    if (absl::IsDeadlineExceeded(packet.status()) || absl::IsOutOfRange(packet.status())) break;
    if (!packet.ok()) return packet.status();
    last = packet->av->pts;
    if (seen.pictures++ == 0) first = last;
    if ((packet->av->flags & AV_PKT_FLAG_KEY) == 0) continue;
    last_key = last;
    if (keys++ == 0) first_key = last;
    TakeSize(info, *packet->av, seen);
  }
  if (seen.pictures == 0) return absl::UnavailableError("it is connected and sends no picture");
  if (last > first) seen.frame_rate = (seen.pictures - 1) * 1e6 / static_cast<double>(last - first);
  if (keys > 1) seen.key_interval_s = static_cast<double>(last_key - first_key) / 1e6 / (keys - 1);
  if (const RtspStats* stats = source.rtsp_stats()) seen.lost = stats->lost_packets;
  return seen;
}

Finding Judge(const std::string& subject, const Watched& seen, bool adaptive) {
  std::string text = fmt::format("{} {}x{}, {:.1f} fps", seen.codec, seen.width, seen.height,
                                 seen.frame_rate);
  if (seen.key_interval_s > 0) text += fmt::format(", key frame every {:.1f} s", seen.key_interval_s);
  if (seen.lost > 0)
    return {Level::kWarning, subject, fmt::format("{}, {} packets lost", text, seen.lost),
            "look at the network between here and the camera; transport: tcp loses less"};
  if (adaptive && seen.key_interval_s > kLongKeyInterval)
    return {Level::kWarning, subject, text + ": quiet scenes are looked at that seldom",
            "set the camera's key frame interval (GOP) to 1 or 2 s, or decode: full"};
  return {Level::kOk, subject, text, ""};
}

Finding ExamineStream(const proto::CameraConfig& camera, const Secret& password,
                      const std::string& url, const std::string& subject, Milliseconds watch,
                      const Clock& clock) {
  auto source = MakePacketSource(camera, password, clock, url);
  absl::StatusOr<Watched> seen = source.ok() ? Watch(**source, watch, clock)
                                             : absl::StatusOr<Watched>(source.status());
  if (!seen.ok())
    return {Level::kFailed, subject, std::string(MessageOf(seen.status())),
            RemedyOf(seen.status())};
  return Judge(subject, *seen, camera.decode() == proto::CameraConfig::DECODE_ADAPTIVE);
}

std::optional<Finding> ExaminePasswordFile(const proto::CameraConfig& camera,
                                           const std::string& subject) {
  struct stat info {};
  const std::string& file = camera.password_file();
  if (file.empty() || ::stat(file.c_str(), &info) != 0 || (info.st_mode & 077) == 0)
    return std::nullopt;
  return Finding{Level::kWarning, subject, "its password_file can be read by others",
                 "chmod 600 " + file};
}

Finding ExamineCameraClock(const proto::CameraConfig& camera, const Secret& password,
                           const std::string& subject, const Clock& clock) {
  const WakeEvent wake;
  auto client =
      OnvifClient::Make(NetContext{clock, wake}, OnvifOptionsOf(camera, password).device);
  absl::StatusOr<Microseconds> offset =
      client.ok() ? (*client)->SyncClock() : absl::StatusOr<Microseconds>(client.status());
  if (!offset.ok())
    return {Level::kFailed, subject, std::string(MessageOf(offset.status())),
            RemedyOf(offset.status())};
  const double seconds = std::chrono::duration<double>(*offset).count();
  const std::string text = fmt::format("its clock differs by {:.1f} s", seconds);
  if (std::chrono::abs(*offset) > kClockOffset)
    return {Level::kWarning, subject, text, "point the camera at the same NTP server"};
  return {Level::kOk, subject, text, ""};
}

std::vector<Finding> ExamineCamera(const proto::CameraConfig& camera, Milliseconds watch,
                                   const Clock& clock) {
  const std::string subject = "camera " + camera.id();
  const absl::StatusOr<Secret> password = ReadPassword(camera);
  if (!password.ok())
    return {{Level::kFailed, subject, std::string(MessageOf(password.status())),
             "write the password into that file, mode 600"}};
  std::vector<Finding> findings;
  if (const auto open = ExaminePasswordFile(camera, subject)) findings.push_back(*open);
  findings.push_back(ExamineStream(camera, *password, camera.url(), subject, watch, clock));
  if (!camera.sub_url().empty())
    findings.push_back(ExamineStream(camera, *password, camera.sub_url(), subject + " (sub-stream)",
                                     watch, clock));
  if (!camera.onvif_url().empty())
    findings.push_back(ExamineCameraClock(camera, *password, subject + " (ONVIF)", clock));
  return findings;
}

}  // namespace

std::vector<Finding> ExamineCameras(const proto::Site& site, Milliseconds watch,
                                    const Clock& clock) {
  const auto count = static_cast<size_t>(site.cameras_size());
  std::vector<std::vector<Finding>> found(count);
  std::atomic<size_t> next{0};
  std::vector<std::thread> threads;
  for (size_t t = 0; t < std::min(kAtOnce, count); ++t) {
    threads.emplace_back([&] {
      for (size_t i = next++; i < count; i = next++)
        found[i] = ExamineCamera(site.cameras(static_cast<int>(i)), watch, clock);
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<Finding> all;
  for (std::vector<Finding>& some : found)
    for (Finding& finding : some) all.push_back(std::move(finding));
  return all;
}

}  // namespace cordon::cli
