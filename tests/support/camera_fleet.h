// SPDX-License-Identifier: Apache-2.0
// Many small cameras on one scripted server, as a node runs them: what happens when they drop, fall
// silent and come back. The test runs it short, bench/cameras/camera_soak long.
#pragma once

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "base/check.h"
#include "ingest/camera_stream.h"
#include "tests/support/fault_rtsp_server.h"
#include "tests/support/holdings.h"
#include "tests/support/rtp_stream.h"

namespace cordon::testing {

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

// The cameras' side: one scripted server that every camera of a fleet connects to.
class FleetServer {
 public:
  static constexpr Milliseconds kPictureEvery{100};

  // `video`: an elementary stream (EncodeTestVideo). `pictures_per_connection` 0: the server never
  // hangs up by itself.
  FleetServer(const std::string& video, size_t pictures_per_connection)
      : pieces_(Packetize(video, false)), pictures_per_connection_(pictures_per_connection) {
    Serve();
  }

  std::string Url() const { return server_->Url(); }
  // How many connections came in the worst second.
  int most_in_a_second() const { return most_in_a_second_; }

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
  void Serve() {
    server_ = std::make_unique<FaultRtspServer>([this](FaultSession& session) { Play(session); },
                                                std::nullopt, port_);
  }

  void CountConnection() {
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
  std::atomic<int> most_in_a_second_{0};
  absl::Mutex mutex_;
  int64_t second_ = 0;
  int in_this_second_ = 0;
  uint16_t port_ = 0;
  std::unique_ptr<FaultRtspServer> server_;
};

// A FleetServer in a process of its own, so that what the cameras hold can be told from what it
// holds. Make it before the first thread: it forks. Ends with this object, or with this process.
class FleetServerProcess {
 public:
  FleetServerProcess(const std::string& video, size_t pictures_per_connection) {
    CORDON_CHECK(Holdings::Now().threads == 1, "fork comes before the first thread");
    std::array<int, 2> say{};
    CORDON_CHECK(::pipe(say.data()) == 0, "no pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const FleetServer server(video, pictures_per_connection);
      const std::string url = server.Url();
      CORDON_CHECK(::write(say[1], url.data(), url.size()) > 0, "no reader");
      ::close(say[1]);
      while (true) ::pause();
    }
    ::close(say[1]);
    std::array<char, 128> text{};
    const ssize_t length = ::read(say[0], text.data(), text.size());
    CORDON_CHECK(length > 0, "the server did not start");
    url_.assign(text.data(), static_cast<size_t>(length));
    ::close(say[0]);
  }
  ~FleetServerProcess() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  FleetServerProcess(const FleetServerProcess&) = delete;
  FleetServerProcess& operator=(const FleetServerProcess&) = delete;

  const std::string& Url() const { return url_; }

 private:
  pid_t pid_ = -1;
  std::string url_;
};

// Cameras as a node runs them, without analysis.
class CameraFleet {
 public:
  CameraFleet(size_t count, const std::string& url) {
    for (size_t i = 0; i < count; ++i) {
      proto::CameraConfig camera;
      camera.set_id("soak-" + std::to_string(i + 1));
      camera.set_url(url);
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
  // Connections after each camera's first: drops that were overcome.
  uint64_t Reconnects() const {
    uint64_t total = 0;
    for (const auto& stream : streams_) total += stream->Health().reconnects();
    return total;
  }
  // Encoded pictures that the rings hold.
  size_t RingBytes() const {
    size_t total = 0;
    for (const auto& stream : streams_) total += stream->evidence()->bytes();
    return total;
  }
  int most_opening() const { return gate_.most_used(); }

  // What the process holds at a moment when no camera has a connection, the one moment that can be
  // compared with another. `descriptors`: as many as there were before the fleet. Nothing when
  // there was no such moment within a minute.
  std::optional<Holdings> HoldingsBetweenConnections(size_t descriptors) const {
    Holdings now;
    const bool found = Until(Seconds(60), [&] {
      now = Holdings::Now();
      return now.descriptors == descriptors;
    });
    return found ? std::optional<Holdings>(now) : std::nullopt;
  }

 private:
  class Ignore final : public FrameSink {
   public:
    bool HasRoom() const override { return true; }
    void Put(FramePtr /*frame*/) override {}
  };

  Metrics metrics_;
  OpenGate gate_;
  Ignore ignore_;
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
