// SPDX-License-Identifier: Apache-2.0
#include "ingest/rtsp_udp.h"

#include <cerrno>

namespace cordon {
namespace {

// A key frame of a 4K camera in one burst; the kernel halves it where net.core.rmem_max is small
// (docs/operations.md).
constexpr int kReceiveBuffer = 4 << 20;
constexpr int kAttempts = 32;
constexpr size_t kLargestPacket = 64 * 1024;
constexpr int kMostPackets = 512;  // in one call

OwnedFd BindTo(const NetAddress& any) {
  OwnedFd fd(::socket(any.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP));
  if (!fd.valid() || ::bind(fd.get(), any.raw(), any.length) != 0) return {};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof kReceiveBuffer);
  return fd;
}

uint16_t PortOf(const OwnedFd& fd) {
  NetAddress own;
  own.length = sizeof own.storage;
  if (::getsockname(fd.get(), own.raw(), &own.length) != 0) return 0;
  return own.port();
}

}  // namespace

absl::StatusOr<RtpUdpPair> RtpUdpPair::Open(const NetAddress& camera) {
  RtpUdpPair pair;
  NetAddress any;
  any.storage.ss_family = static_cast<sa_family_t>(camera.family());
  any.length = camera.length;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    any.set_port(0);
    OwnedFd first = BindTo(any);
    const uint16_t port = first.valid() ? PortOf(first) : 0;
    if (port == 0) continue;
    // The other half of the pair that the system's choice belongs to.
    any.set_port(port ^ 1);
    OwnedFd second = BindTo(any);
    if (!second.valid()) continue;
    const bool even = port % 2 == 0;
    pair.rtp_ = std::move(even ? first : second);
    pair.rtcp_ = std::move(even ? second : first);
    pair.rtp_port_ = static_cast<uint16_t>(port & ~1);
    pair.camera_rtp_ = pair.camera_rtcp_ = camera;
    pair.camera_rtp_.set_port(0);
    pair.camera_rtcp_.set_port(0);
    pair.buffer_.resize(kLargestPacket);
    return pair;
  }
  return absl::UnavailableError("no free pair of UDP ports");
}

void RtpUdpPair::SetCameraPorts(uint16_t rtp, uint16_t rtcp) {
  camera_rtp_.set_port(rtp);
  camera_rtcp_.set_port(rtcp);
}

void RtpUdpPair::PunchThrough() {
  // Neither RTP nor RTCP, so that nobody takes it for either.
  constexpr char kNothing[4] = {};
  if (camera_rtp_.port() != 0) {
    ::sendto(rtp_.get(), kNothing, sizeof kNothing, 0, camera_rtp_.raw(), camera_rtp_.length);
  }
  SendReport({kNothing, sizeof kNothing});
}

void RtpUdpPair::SendReport(std::string_view packet) {
  if (camera_rtcp_.port() == 0) return;
  ::sendto(rtcp_.get(), packet.data(), packet.size(), 0, camera_rtcp_.raw(), camera_rtcp_.length);
}

uint64_t RtpUdpPair::Receive(const Sink& sink) {
  return ReceiveOne(rtp_, false, sink) + ReceiveOne(rtcp_, true, sink);
}

uint64_t RtpUdpPair::ReceiveOne(const OwnedFd& socket, bool rtcp, const Sink& sink) {
  uint64_t foreign = 0;
  for (int i = 0; i < kMostPackets; ++i) {
    NetAddress from;
    from.length = sizeof from.storage;
    const ssize_t n =
        ::recvfrom(socket.get(), buffer_.data(), buffer_.size(), 0, from.raw(), &from.length);
    if (n < 0 && errno == ECONNREFUSED)
      continue;  // the camera's answer to a report it does not listen for
    if (n < 0) break;
    if (!from.SameHost(camera_rtp_)) {
      ++foreign;
      continue;
    }
    sink(rtcp, std::span(buffer_).first(static_cast<size_t>(n)));
  }
  return foreign;
}

}  // namespace cordon
