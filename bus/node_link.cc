// SPDX-License-Identifier: Apache-2.0
#include "bus/node_link.h"

#include <zmq.h>

#include <algorithm>

#include "bus/node_directory.h"
#include "bus/wire.h"

namespace cordon {
namespace {

// Announcements that cannot be sent are tried again, but not in a circle.
constexpr Milliseconds kLeastWait{20};

}  // namespace

NodeLink::NodeLink(BusContext& context, std::string endpoint, NodeId node, Socket socket,
                   const Clock& clock, std::string trouble)
    : node_(std::move(node)),
      clock_(clock),
      trouble_(clock, log::Level::kWarning, std::move(trouble), node_.str()),
      link_(context.sockets(), ZMQ_DEALER, std::move(endpoint), std::move(socket)),
      announce_(clock.Boot()) {}

bool NodeLink::Tend() {
  const BootTime now = clock_.Boot();
  const bool fresh = link_.Tend(now);
  if (fresh) announce_ = now;
  if (now >= announce_ && Send(AnnouncementOf(node_)))
    announce_ = now + NodeDirectory::kAnnounceEvery;
  return fresh;
}

std::optional<proto::Envelope> NodeLink::Receive() {
  const std::optional<Incoming> incoming = link_.socket().Receive(false);
  if (!incoming) return std::nullopt;
  absl::StatusOr<proto::Envelope> envelope = wire::DecodeFrame(incoming->frame);
  if (envelope.ok()) return *std::move(envelope);
  trouble_.Note(MessageOf(envelope.status()));
  return std::nullopt;
}

bool NodeLink::Send(const proto::Envelope& envelope) {
  const absl::StatusOr<std::string> frame = wire::EncodeFrame(envelope);
  return frame.ok() && link_.socket().Send(*frame) == SendResult::kSent;
}

void NodeLink::Wait(const WakeEvent& wake, Milliseconds most) {
  const auto until = std::chrono::ceil<Milliseconds>(announce_ - clock_.Boot());
  WaitReadable({link_.socket().handle(), link_.socket().monitor()}, wake,
               std::min(most, std::max(until, kLeastWait)));
}

}  // namespace cordon
