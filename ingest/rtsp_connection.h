// SPDX-License-Identifier: Apache-2.0
// The control connection of one RTSP session: requests and replies with authentication, and the
// interleaved frames between them.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/rtsp_auth.h"
#include "ingest/rtsp_message.h"
#include "ingest/rtsp_net.h"
#include "ingest/rtsp_options.h"
#include "ingest/rtsp_url.h"

namespace cordon {

// One thread. After any error but DEADLINE_EXCEEDED from Receive it is of no further use.
class RtspConnection {
 public:
  // Frames of the camera, in the order of arrival; the payload is valid during the call.
  using FrameSink = std::function<void(uint8_t channel, std::span<const uint8_t> payload)>;

  // Resolves, checks the address, connects, and does TLS and the HTTP tunnel where asked. What the
  // options, `net`, `stats` and `frames` refer to must outlive it.
  static absl::StatusOr<std::unique_ptr<RtspConnection>> Open(const NetContext& net,
                                                              const RtspOptions& options,
                                                              const RtspUrl& url, RtspStats& stats,
                                                              FrameSink frames);

  // Sends a request and waits for its reply, answering a 401 as often as RtspAuthenticator allows.
  // `headers` are whole lines, each with CRLF. A status other than 2xx is an error whose code says
  // what kind: UNAUTHENTICATED, PERMISSION_DENIED (403), NOT_FOUND (404), INVALID_ARGUMENT
  // (redirect, transport refused), UNAVAILABLE (others).
  absl::StatusOr<RtspMessage> Request(std::string_view method, const std::string& url,
                                      std::string_view headers, Milliseconds patience);

  // Sends a request whose reply is looked at when it comes, by Receive.
  absl::Status Send(std::string_view method, const std::string& url, std::string_view headers);
  // Sends an interleaved frame; dropped when the camera does not take it at once (it is a report,
  // not data).
  absl::Status SendFrame(uint8_t channel, std::string_view payload);

  // Takes in what has arrived, without waiting; frames go to the sink. True when more may be there
  // that a wait would not show (TLS keeps decrypted bytes): call again first. UNAVAILABLE when the
  // camera closed, tore down or forgot the session; DATA_LOSS when the byte stream is broken;
  // UNAUTHENTICATED.
  absl::StatusOr<bool> Receive();

  // The stream carries frames from now on.
  void Streaming(uint8_t rtp_channel, uint8_t rtcp_channel) {
    parser_.Streaming(rtp_channel, rtcp_channel);
  }

  // Tells the camera goodbye and waits at most `patience` for it to close.
  void Close(const std::string& teardown_url, std::string_view headers, Milliseconds patience);

  WaitFor interest() const { return stream_->ReadInterest(); }
  const NetAddress& peer() const { return peer_; }

 private:
  RtspConnection(const NetContext& net, const RtspOptions& options, bool tls, RtspStats& stats,
                 FrameSink frames);

  absl::Status Connect(const RtspOptions& options, const RtspUrl& url);
  absl::Status ReadSome(bool& any);
  // Handles what is in the buffer until a reply to `cseq` comes (0: until it is empty).
  absl::StatusOr<bool> Drain(int cseq, RtspMessage& reply);
  absl::Status OnStrayReply(const RtspMessage& reply);
  absl::Status OnCameraRequest(const RtspMessage& request);
  absl::StatusOr<RtspMessage> Await(int cseq, BootTime deadline, std::string_view method);

  const NetContext& net_;
  const RtspDeadlines& deadlines_;
  RtspStats& stats_;
  const FrameSink frames_;
  RtspAuthenticator authenticator_;
  std::unique_ptr<ByteStream> stream_;
  NetAddress peer_;
  RtspParser parser_;
  std::vector<uint8_t> buffer_;
  size_t begin_ = 0;  // of what is not parsed yet
  size_t end_ = 0;
  int cseq_ = 0;
};

// Printable ASCII of what a camera said, for a message to people; at most 80 characters.
std::string Printable(std::string_view text);

}  // namespace cordon
