// SPDX-License-Identifier: Apache-2.0
// What our RTSP client is told about one camera, and what it counts. No FFmpeg here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/secret.h"
#include "base/time.h"

namespace cordon {

class OnvifMetadata;

enum class RtspTransport { kTcp, kUdp, kHttpTunnel };

// The longest that each phase may take. Each is counted from the phase's own beginning, so a camera
// that sends one byte a second cannot stretch it.
struct RtspDeadlines {
  Milliseconds resolve{3'000};
  Milliseconds connect{4'000};         // TCP handshake
  Milliseconds tls{5'000};             // TLS handshake
  Milliseconds reply{5'000};           // each request until its whole reply
  Milliseconds first_packet{6'000};    // PLAY until the first RTP packet
  Milliseconds first_picture{10'000};  // PLAY until the first whole picture
  Milliseconds teardown{300};          // a polite goodbye; never waited for longer
};

// Which addresses a camera may have. Names and numbers are resolved once and the check is made on
// the address that is then connected to, so a name cannot change its meaning in between.
struct AddressPolicy {
  // "10.1.0.0/16", "fd00::/8"; when not empty only these are allowed, whatever they are.
  std::vector<std::string> networks;
  // When `networks` is empty: any address but link-local, multicast, broadcast and unspecified
  // ones; loopback only when the URL says it plainly (127.0.0.1, ::1, localhost).
};

struct RtspOptions {
  std::string url;  // rtsp://HOST[:PORT]/PATH or rtsps://...; never with user info
  std::string username;
  Secret password;
  RtspTransport transport = RtspTransport::kTcp;
  bool allow_basic_auth = false;   // Basic over a clear connection
  std::string certificate_sha256;  // 64 hex digits: this certificate and no other; empty: verify
                                   // chain and name
  std::string ca_file;             // PEM of further authorities; empty: the system's
  AddressPolicy addresses;
  RtspDeadlines deadlines;
  // Takes the camera's metadata stream, where it offers one, beside the video; null: not asked for.
  // Must outlive the source; used on its thread.
  OnvifMetadata* metadata = nullptr;
  size_t max_picture_bytes =
      8 * 1024 * 1024;  // one access unit; larger ones are dropped and counted
};

// Totals of one connection. Exact, not sampled.
struct RtspStats {
  uint64_t packets = 0;           // RTP packets of the video that were used
  uint64_t bytes = 0;             // of their payload
  uint64_t pictures = 0;          // access units handed out
  uint64_t lost_packets = 0;      // sequence numbers that never came
  uint64_t gaps = 0;              // places where something was missing
  uint64_t reordered = 0;         // came out of order and were put in order
  uint64_t duplicates = 0;        // same sequence number again
  uint64_t late = 0;              // came after they had been given up
  uint64_t sequence_resets = 0;   // the camera began a new numbering
  uint64_t foreign_packets = 0;   // other SSRC or channel than ours: dropped
  uint64_t source_changes = 0;    // our SSRC fell silent and another took its place
  uint64_t malformed = 0;         // RTP, RTCP or payload that contradicts its format
  uint64_t dropped_pictures = 0;  // began but could not be completed (loss, size)
  uint64_t garbage_bytes = 0;     // skipped to find the next packet in a broken byte stream
  uint64_t time_jumps = 0;        // breaks of the time line (a new run each)
  uint64_t camera_clock_steps =
      0;  // the wall clock of the sender reports stepped by more than a second
  uint64_t sender_reports = 0;
};

}  // namespace cordon
