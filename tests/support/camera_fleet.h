// SPDX-License-Identifier: Apache-2.0
// Many small cameras on one scripted server, as a node runs them: what happens when they drop, fall
// silent and come back. The test runs it short, bench/cameras/camera_soak long.
#pragma once

#include <dirent.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "base/check.h"
#include "ingest/camera_stream.h"
#include "tests/support/fault_rtsp_server.h"
#include "tests/support/rtp_stream.h"

namespace cordon::testing {

// What this process holds.
struct Holdings {
  double resident_mib = 0;
  size_t descriptors = 0;
  size_t threads = 0;

  static Holdings Now() {
    Holdings now;
    std::ifstream memory("/proc/self/statm");
    size_t total = 0;
    size_t resident = 0;
    memory >> total >> resident;
    now.resident_mib = static_cast<double>(resident) * 4096 / 1024 / 1024;
    now.descriptors = EntriesOf("/proc/self/fd");
    now.threads = EntriesOf("/proc/self/task");
    return now;
  }

 private:
  static size_t EntriesOf(const char* path) {
    size_t count = 0;
    DIR* folder = ::opendir(path);
    while (::readdir(folder) != nullptr) ++count;
    ::closedir(folder);
    return count - 2;  // . and ..
  }
};

// Polls until it holds; false after `limit`.
inline bool Until(Milliseconds limit, const std::function<bool()>& holds) {
  const BootTime until = SystemClock().Boot() + limit;
  absl::Notification never;
  while (!holds()) {
    if (SystemClock().Boot() >= until) return false;
    never.WaitForNotificationWithTimeout(absl::Milliseconds(20));
  }
  return true;
}

class CameraFleet {
 public:
  static constexpr Milliseconds kPictureEvery{100};

  // `video`: an elementary stream (EncodeTestVideo). `pictures_per_connection` 0: the server never
  // hangs up by itself.
  CameraFleet(size_t count, const std::string& video, size_t pictures_per_connection)
      : pieces_(Packetize(video, false)), pictures_per_connection_(pictures_per_connection) {
    Serve();
    for (size_t i = 0; i < count; ++i) {
      proto::CameraConfig camera;
      camera.set_id("soak-" + std::to_string(i + 1));
      camera.set_url(server_->Url());
      camera.set_decode(proto::CameraConfig::DECODE_FULL);
      camera.set_analysis_width(160);
      camera.set_analysis_fps(5);
      camera.set_ring_mib(1);
      auto stream =
          CameraStream::Make(camera, Secret(), {SystemClock(), metrics_, gate_, ignore_});
      CORDON_CHECK(stream.ok(), std::string(stream.status().message()));
      streams_.push_back(*std::move(stream));
    }
  }

  size_t size() const { return streams_.size(); }
  const std::vector<std::unique_ptr<CameraStream>>& streams() const { return streams_; }
  size_t Live() const {
    return static_cast<size_t>(std::count_if(streams_.begin(), streams_.end(), [](const auto& s) {
      return s->Health().state() == proto::STREAM_STATE_LIVE;
    }));
  }
  bool AllLive() const { return Live() == size(); }
  // Connections that the server took so far, and how many came in the worst second.
  int connections() const { return connections_; }
  int most_in_a_second() const { return most_in_a_second_; }
  int most_opening() const { return gate_.most_used(); }

  // The cameras keep their connections and say nothing more; new ones are taken and get no picture.
  void FallSilent() { silent_ = true; }
  void Speak() { silent_ = false; }
  // Nobody listens any more; Return listens on the same port again.
  void Leave() {
    port_ = server_->port();
    server_.reset();
  }
  void Return() {
    second_ = 0;
    most_in_a_second_ = 0;
    Serve();
  }

 private:
  class Ignore final : public FrameSink {
   public:
    bool HasRoom() const override { return true; }
    void Put(FramePtr /*frame*/) override {}
  };

  void Serve() {
    server_ = std::make_unique<FaultRtspServer>([this](FaultSession& session) { Play(session); },
                                                std::nullopt, port_);
  }

  void CountConnection() {
    ++connections_;
    const int64_t second =
        std::chrono::floor<Seconds>(SystemClock().Boot().time_since_epoch()).count();
    const absl::MutexLock lock(&mutex_);
    in_this_second_ = second == second_ ? in_this_second_ + 1 : 1;
    second_ = second;
    most_in_a_second_ = std::max<int>(most_in_a_second_, in_this_second_);
  }

  void Play(FaultSession& session) {
    CountConnection();
    if (!session.ServeUntilPlay(Sdp(false))) return;
    size_t sent = 0;
    for (size_t i = 0; pictures_per_connection_ == 0 || sent < pictures_per_connection_;
         i = (i + 1) % pieces_.size()) {
      if (silent_) return session.Silence();
      RtpPiece piece = pieces_[i];
      // The clip again and again as one stream.
      piece.sequence = static_cast<uint16_t>(sequence_of_loop_ * loop_of(sent) + piece.sequence);
      piece.timestamp = static_cast<uint32_t>(9000 * sent);
      if (!session.SendRtp(piece.Bytes())) return;
      if (!piece.marker) continue;
      ++sent;
      if (!session.Pause(kPictureEvery)) return;
    }
  }
  size_t loop_of(size_t sent) const { return sent / (pieces_.back().picture + 1); }

  const std::vector<RtpPiece> pieces_;
  const size_t sequence_of_loop_ = pieces_.size();
  const size_t pictures_per_connection_;
  std::atomic<bool> silent_{false};
  std::atomic<int> connections_{0};
  std::atomic<int> most_in_a_second_{0};
  absl::Mutex mutex_;
  int64_t second_ = 0;
  int in_this_second_ = 0;
  uint16_t port_ = 0;
  Metrics metrics_;
  OpenGate gate_;
  Ignore ignore_;
  std::unique_ptr<FaultRtspServer> server_;
  std::vector<std::unique_ptr<CameraStream>> streams_;
};

// Seconds from `begin` until each camera's state is as `wanted` says, sorted; those that were not
// within `limit` count as the limit.
inline std::vector<double> TimesUntil(const CameraFleet& fleet, BootTime begin, Seconds limit,
                                      const std::function<bool(proto::StreamState)>& wanted) {
  std::vector<double> times(fleet.size(), -1);
  static_cast<void>(Until(limit, [&] {
    bool all = true;
    for (size_t i = 0; i < times.size(); ++i) {
      if (times[i] >= 0) continue;
      all = false;
      if (!wanted(fleet.streams()[i]->Health().state())) continue;
      times[i] = std::chrono::duration<double>(SystemClock().Boot() - begin).count();
    }
    return all;
  }));
  for (double& time : times) time = time < 0 ? static_cast<double>(limit.count()) : time;
  std::sort(times.begin(), times.end());
  return times;
}

}  // namespace cordon::testing
