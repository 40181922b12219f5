// SPDX-License-Identifier: Apache-2.0
// What the RTSP tests share: short deadlines, a clip cut into packets, and a client that collects
// pictures.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "ingest/rtsp_source.h"
#include "tests/support/fault_rtsp_server.h"
#include "tests/support/holdings.h"
#include "tests/support/rtp_stream.h"

namespace cordon::testing {

// A deadline may be exceeded by this at most.
inline constexpr Milliseconds kGrace{1000};

inline RtspOptions QuickOptions(const std::string& url) {
  RtspOptions options;
  options.url = url;
  options.deadlines = {.resolve = Milliseconds(500),
                       .connect = Milliseconds(500),
                       .tls = Milliseconds(500),
                       .reply = Milliseconds(400),
                       .first_packet = Milliseconds(400),
                       .first_picture = Milliseconds(600),
                       .teardown = Milliseconds(300)};
  return options;
}

// Elementary streams of the test video, made once for the process: 100 pictures, key frame
// every 25.
inline const std::string& TestVideo(bool h265) {
  static const std::string streams[2] = {[] {
                                           TemporaryFolder folder;
                                           return EncodeTestVideo(folder, false, 100, 25);
                                         }(),
                                         [] {
                                           TemporaryFolder folder;
                                           return EncodeTestVideo(folder, true, 100, 25);
                                         }()};
  return streams[h265 ? 1 : 0];
}

// What a run against a server gave.
struct Viewing {
  absl::Status opened;
  absl::Status ended;  // why reading stopped
  std::vector<Packet> pictures;
  RtspStats stats;
  std::unique_ptr<PacketSource> source;
  StreamInfo info;

  std::vector<size_t> Losses() const {  // indices of the pictures behind a loss
    std::vector<size_t> at;
    for (size_t i = 0; i < pictures.size(); ++i) {
      if (pictures[i].loss_before) at.push_back(i);
    }
    return at;
  }
};

// Opens and reads until `most` pictures came, an error, or nothing for `quiet`.
inline Viewing Play(RtspOptions options, size_t most = 1000,
                    Milliseconds quiet = Milliseconds(400)) {
  Viewing run;
  run.source = NewRtspSource(std::move(options), SystemClock());
  absl::StatusOr<StreamInfo> info = run.source->Open();
  run.opened = info.status();
  if (info.ok()) {
    run.info = *std::move(info);
    while (run.pictures.size() < most) {
      absl::StatusOr<Packet> packet = run.source->Read(quiet);
      if (!packet.ok()) {
        run.ended = packet.status();
        break;
      }
      run.pictures.push_back(*std::move(packet));
    }
  }
  run.stats = *run.source->rtsp_stats();
  return run;
}

// A camera that sends these packets at once after PLAY, then stays.
inline FaultRtspServer::Script Camera(std::vector<RtpPiece> pieces, bool h265 = false) {
  return [pieces = std::move(pieces), h265](FaultSession& session) {
    if (!session.ServeUntilPlay(Sdp(h265))) return;
    for (const RtpPiece& piece : pieces) {
      if (!session.SendRtp(piece.Bytes())) return;
    }
    session.Hold();
  };
}

inline std::string BytesOf(const Packet& packet) {
  return {reinterpret_cast<const char*>(packet.av->data), static_cast<size_t>(packet.av->size)};
}

}  // namespace cordon::testing
