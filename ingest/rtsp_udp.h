// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "ingest/rtsp_net.h"

namespace cordon {

// A pair of UDP sockets on an even port (RTP) and the odd one above it (RTCP). Packets of other
// hosts than the camera are dropped and counted. One thread.
class RtpUdpPair {
 public:
  using Sink = std::function<void(bool rtcp, std::span<const uint8_t> packet)>;

  // UNAVAILABLE when no pair is free.
  static absl::StatusOr<RtpUdpPair> Open(const NetAddress& camera);

  uint16_t rtp_port() const { return rtp_port_; }
  // Where reports go, and the first packet that opens the way back through a firewall.
  void SetCameraPorts(uint16_t rtp, uint16_t rtcp);
  void PunchThrough();
  void SendReport(std::string_view packet);

  // Takes in what has arrived, without waiting. Returns how many packets came from elsewhere.
  uint64_t Receive(const Sink& sink);

  WaitFor rtp_interest() const { return {.fd = rtp_.get()}; }
  WaitFor rtcp_interest() const { return {.fd = rtcp_.get()}; }

 private:
  RtpUdpPair() = default;
  uint64_t ReceiveOne(const OwnedFd& socket, bool rtcp, const Sink& sink);

  OwnedFd rtp_;
  OwnedFd rtcp_;
  uint16_t rtp_port_ = 0;
  NetAddress camera_rtp_;
  NetAddress camera_rtcp_;
  std::vector<uint8_t> buffer_;
};

}  // namespace cordon
