// SPDX-License-Identifier: Apache-2.0
#include "ingest/rtsp_source.h"

#include <openssl/rand.h>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/mem.h>
}

#include <cstring>
#include <deque>
#include <utility>

#include "base/check.h"
#include "ingest/onvif_metadata.h"
#include "ingest/rtp_decoding_times.h"
#include "ingest/rtp_depacketizer.h"
#include "ingest/rtp_parameter_sets.h"
#include "ingest/rtp_timeline.h"
#include "ingest/rtsp_connection.h"
#include "ingest/rtsp_reporter.h"
#include "ingest/rtsp_text.h"
#include "ingest/rtsp_udp.h"
#include "ingest/sdp.h"

namespace cordon {
namespace {

// How long a gap may stay open. TCP keeps the order, so what is missing there was never sent; the
// small allowance is for servers that mix two senders.
constexpr size_t kTcpReorder = 24;
constexpr Milliseconds kTcpPatience{60};
constexpr size_t kUdpReorder = 128;
constexpr Milliseconds kUdpPatience{200};
// RFC 2326, 12.37: 60 s when the camera says nothing. Asked for at half of it.
constexpr int kDefaultSessionSeconds = 60;
constexpr int kLongestSessionSeconds = 600;
constexpr size_t kMaxSessionId = 128;
// Consecutive RTP packets of our sender with another payload type: the camera has changed its mind,
// not its packet.
constexpr int kWrongPayloadType = 50;
// How far beyond its deadline a read may go while bytes come that are no picture.
constexpr Milliseconds kLongestOverrun{100};
constexpr AVRational kMicrosecondBase{1, 1'000'000};

// What goes into requests must not bring its own lines.
bool IsToken(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return c > 0x20 && c < 0x7f; });
}

class RtspSource final : public PacketSource {
 public:
  RtspSource(RtspOptions options, const Clock& clock)
      : options_(std::move(options)), clock_(clock), net_{clock, wake_} {}
  ~RtspSource() override {
    if (connection_ != nullptr && !session_.empty()) {
      connection_->Close(aggregate_url_, SessionHeader(), options_.deadlines.teardown);
    }
  }

  absl::StatusOr<StreamInfo> Open() override;
  absl::StatusOr<Packet> Read(Milliseconds wait) override;
  void Interrupt() override { wake_.Signal(); }
  const RtspStats* rtsp_stats() const override { return &stats_; }

 private:
  std::string SessionHeader() const { return fmt::format("Session: {}\r\n", session_); }

  absl::Status Describe(const RtspUrl& url);
  absl::Status LearnMethods(const RtspUrl& url);
  absl::Status SetUp();
  absl::Status SetUpUdp(const RtspMessage& reply);
  absl::Status SetUpMetadata();
  // Why the camera's metadata cannot be had; empty when they are set up.
  std::string TryMetadata();
  absl::Status ReadSession(const RtspMessage& reply);
  void MakeReceiver();
  StreamInfo Info() const;

  absl::Status Pump(BootTime deadline);
  absl::Status AwaitData(BootTime until);
  absl::Status Housekeeping();
  void OnFrame(uint8_t channel, std::span<const uint8_t> payload);
  void OnDatagram(bool rtcp, std::span<const uint8_t> packet);
  void OnRtp(std::span<const uint8_t> bytes);
  void OnRtcp(std::span<const uint8_t> bytes);
  void OnDelivery(const RtpSequencer::Delivery& delivery);
  void LearnSequence(std::span<const uint8_t> set);
  void OnAccessUnit(const AccessUnit& unit);

  const RtspOptions options_;
  const Clock& clock_;
  WakeEvent wake_;  // the only member that other threads touch
  const NetContext net_;
  RtspStats stats_;

  std::unique_ptr<RtspConnection> connection_;
  std::optional<RtpUdpPair> udp_;
  std::string base_url_;
  std::string aggregate_url_;
  std::string session_;
  std::string keep_alive_method_ = "OPTIONS";
  Milliseconds keep_alive_every_{kDefaultSessionSeconds * 500};
  BootTime next_keep_alive_;
  uint8_t rtp_channel_ = 0;
  uint8_t rtcp_channel_ = 1;
  std::optional<MetadataTrack> metadata_;
  std::optional<uint8_t> metadata_channel_;

  VideoTrack track_;
  std::unique_ptr<RtpSequencer> sequencer_;
  std::unique_ptr<RtpDepacketizer> depacketizer_;
  std::unique_ptr<RtpTimeline> timeline_;
  std::unique_ptr<RtspReporter> reporter_;
  std::deque<Packet> ready_;  // of one Pump
  absl::Status failure_;      // found while handling packets
  bool unread_ = true;        // the connection may hold bytes that a wait would not show
  BootTime playing_since_;
  int wrong_payload_type_ = 0;
  DecodingTimes decoding_times_;
  std::vector<uint8_t> sequence_set_;  // in force
  uint64_t last_run_ = 0;
};

absl::StatusOr<StreamInfo> RtspSource::Open() {
  ASSIGN_OR_RETURN(const RtspUrl url, ParseRtspUrl(options_.url));
  if (url.tls && options_.transport == RtspTransport::kUdp) {
    return absl::InvalidArgumentError(
        "rtsps:// protects TCP only: RTP over UDP would be in clear; set transport: tcp");
  }
  ASSIGN_OR_RETURN(connection_,
                   RtspConnection::Open(net_, options_, url, stats_,
                                        [this](uint8_t channel, std::span<const uint8_t> payload) {
                                          OnFrame(channel, payload);
                                        }));
  RETURN_IF_ERROR(LearnMethods(url));
  RETURN_IF_ERROR(Describe(url));
  MakeReceiver();
  RETURN_IF_ERROR(SetUp());
  RETURN_IF_ERROR(SetUpMetadata());
  RETURN_IF_ERROR(connection_
                      ->Request("PLAY", aggregate_url_, SessionHeader() + "Range: npt=0.000-\r\n",
                                options_.deadlines.reply)
                      .status());
  if (!udp_) connection_->Streaming(rtp_channel_, rtcp_channel_);
  playing_since_ = clock_.Boot();
  next_keep_alive_ = playing_since_ + keep_alive_every_;
  while (stats_.packets == 0) {
    const absl::Status status = Pump(playing_since_ + options_.deadlines.first_packet);
    if (absl::IsDeadlineExceeded(status)) {
      return absl::DeadlineExceededError(
          udp_ ? "PLAY: no video packet came; does a firewall stop UDP? Try transport: tcp"
               : "PLAY: no video packet came in time");
    }
    RETURN_IF_ERROR(status);
  }
  return Info();
}

absl::Status RtspSource::LearnMethods(const RtspUrl& url) {
  const absl::StatusOr<RtspMessage> reply =
      connection_->Request("OPTIONS", url.text, "", options_.deadlines.reply);
  if (reply.ok()) {
    const std::string* methods = reply->Find("Public");
    if (methods != nullptr && methods->find("GET_PARAMETER") != std::string::npos) {
      keep_alive_method_ = "GET_PARAMETER";
    }
    return absl::OkStatus();
  }
  // Only a help for choosing the keep-alive: a camera that does not know OPTIONS may still know the
  // rest. A refused password is not tried again.
  switch (reply.status().code()) {
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kPermissionDenied:
      return absl::OkStatus();
    default:
      return reply.status();
  }
}

absl::Status RtspSource::Describe(const RtspUrl& url) {
  ASSIGN_OR_RETURN(const RtspMessage reply,
                   connection_->Request("DESCRIBE", url.text, "Accept: application/sdp\r\n",
                                        options_.deadlines.reply));
  absl::StatusOr<SdpSession> sdp = ParseSdp(reply.body);
  if (!sdp.ok()) return Annotate(sdp.status(), "DESCRIBE");
  ASSIGN_OR_RETURN(track_, ChooseVideo(*sdp));
  if (options_.metadata != nullptr) metadata_ = ChooseMetadata(*sdp);
  base_url_ = url.text;
  for (const char* name : {"Content-Base", "Content-Location"}) {
    const std::string* base = reply.Find(name);
    if (base != nullptr && !base->empty() && IsToken(*base) && !HasUserInfo(*base)) {
      base_url_ = *base;
      break;
    }
  }
  aggregate_url_ = IsToken(sdp->control) ? JoinControl(base_url_, sdp->control) : base_url_;
  if (!IsToken(track_.control))
    return absl::DataLossError("DESCRIBE: the control attribute holds blanks");
  return absl::OkStatus();
}

absl::Status RtspSource::SetUp() {
  std::string transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";
  if (options_.transport == RtspTransport::kUdp) {
    ASSIGN_OR_RETURN(udp_, RtpUdpPair::Open(connection_->peer()));
    transport = fmt::format("Transport: RTP/AVP;unicast;client_port={}-{}\r\n", udp_->rtp_port(),
                            udp_->rtp_port() + 1);
  }
  // In a description whose media has no control of its own the session's is meant.
  const std::string url =
      track_.control.empty() ? aggregate_url_ : JoinControl(base_url_, track_.control);
  ASSIGN_OR_RETURN(const RtspMessage reply,
                   connection_->Request("SETUP", url, transport, options_.deadlines.reply));
  RETURN_IF_ERROR(ReadSession(reply));
  const std::string* agreed = reply.Find("Transport");
  if (agreed == nullptr) return absl::DataLossError("SETUP: the camera names no transport");
  if (udp_) return SetUpUdp(reply);
  const std::vector<std::string_view> channels =
      text::Split(HeaderParameter(*agreed, "interleaved"), '-');
  unsigned rtp = 0;
  unsigned rtcp = 1;
  if (text::ParseNumber(channels[0], rtp)) rtcp = rtp + 1;
  if (channels.size() > 1 && !text::ParseNumber(channels[1], rtcp)) rtcp = rtp + 1;
  if (rtp > 255 || rtcp > 255)
    return absl::DataLossError("SETUP: the camera's channels are no bytes");
  rtp_channel_ = static_cast<uint8_t>(rtp);
  rtcp_channel_ = static_cast<uint8_t>(rtcp);
  return absl::OkStatus();
}

absl::Status RtspSource::SetUpUdp(const RtspMessage& reply) {
  const std::vector<std::string_view> ports =
      text::Split(HeaderParameter(*reply.Find("Transport"), "server_port"), '-');
  unsigned rtp = 0;
  unsigned rtcp = 0;
  if (text::ParseNumber(ports[0], rtp)) rtcp = rtp + 1;
  if (ports.size() > 1 && !text::ParseNumber(ports[1], rtcp)) rtcp = rtp + 1;
  if (rtp > 65535 || rtcp > 65535)
    return absl::DataLossError("SETUP: the camera's ports are no ports");
  udp_->SetCameraPorts(static_cast<uint16_t>(rtp), static_cast<uint16_t>(rtcp));
  udp_->PunchThrough();
  return absl::OkStatus();
}

absl::Status RtspSource::SetUpMetadata() {
  if (!metadata_ || !options_.metadata->Wanted()) return absl::OkStatus();
  const std::string why = TryMetadata();
  if (wake_.signalled()) return absl::CancelledError("SETUP: interrupted");
  // A camera that took offence has closed the connection: the next one is made without.
  if (!why.empty()) options_.metadata->Refuse(why);
  return absl::OkStatus();
}

std::string RtspSource::TryMetadata() {
  if (metadata_->encoding != kPlainMetadata) {
    return fmt::format("it is {}: set the camera to plain XML (vnd.onvif.metadata)",
                       Printable(text::Lower(metadata_->encoding)));
  }
  if (udp_) return "it is read inside the RTSP connection alone: set transport to tcp or http";
  if (!IsToken(metadata_->control)) return "DESCRIBE: its control attribute holds blanks";
  const int channel = std::max(rtp_channel_, rtcp_channel_) + 1;
  const absl::StatusOr<RtspMessage> reply = connection_->Request(
      "SETUP", JoinControl(base_url_, metadata_->control),
      fmt::format("{}Transport: RTP/AVP/TCP;unicast;interleaved={}-{}\r\n", SessionHeader(),
                  channel, channel + 1),
      options_.deadlines.reply);
  if (!reply.ok()) return std::string(MessageOf(reply.status()));
  const std::string* agreed = reply->Find("Transport");
  const std::string_view channels =
      agreed == nullptr ? "" : HeaderParameter(*agreed, "interleaved");
  unsigned given = 0;
  if (!text::ParseNumber(text::Split(channels, '-')[0], given) || given > 255 ||
      given == rtp_channel_ || given == rtcp_channel_) {
    return "SETUP: the camera names no channel of its own for it";
  }
  metadata_channel_ = static_cast<uint8_t>(given);
  options_.metadata->Begin(metadata_->payload_type);
  return "";
}

absl::Status RtspSource::ReadSession(const RtspMessage& reply) {
  const std::string* header = reply.Find("Session");
  if (header == nullptr) return absl::DataLossError("SETUP: the camera gives no session");
  const std::string id(text::Trim(std::string_view(*header).substr(0, header->find(';'))));
  if (id.empty() || id.size() > kMaxSessionId || !IsToken(id)) {
    return absl::DataLossError("SETUP: the camera's session id is not usable");
  }
  session_ = id;
  int seconds = 0;
  if (!text::ParseNumber(HeaderParameter(*header, "timeout"), seconds))
    seconds = kDefaultSessionSeconds;
  keep_alive_every_ = Milliseconds(500) * std::clamp(seconds, 2, kLongestSessionSeconds);
  return absl::OkStatus();
}

void RtspSource::MakeReceiver() {
  const bool udp = options_.transport == RtspTransport::kUdp;
  timeline_ = std::make_unique<RtpTimeline>(track_.clock_rate, stats_);
  depacketizer_ = NewDepacketizer(track_, options_.max_picture_bytes, stats_,
                                  [this](const AccessUnit& unit) { OnAccessUnit(unit); });
  sequencer_ = std::make_unique<RtpSequencer>(
      udp ? kUdpReorder : kTcpReorder, udp ? kUdpPatience : kTcpPatience, stats_,
      [this](const RtpSequencer::Delivery& delivery) { OnDelivery(delivery); });
  reporter_ = std::make_unique<RtspReporter>(track_.clock_rate);
}

StreamInfo RtspSource::Info() const {
  StreamInfo info;
  info.codec.reset(avcodec_parameters_alloc());
  CORDON_CHECK(info.codec != nullptr, "out of memory");
  info.codec->codec_type = AVMEDIA_TYPE_VIDEO;
  info.codec->codec_id = track_.codec == VideoCodec::kH264 ? AV_CODEC_ID_H264 : AV_CODEC_ID_HEVC;
  std::string extradata;
  info.nominal_fps = track_.frame_rate;
  for (const std::string& set : track_.parameter_sets) {
    const auto facts =
        ParseSequenceSet(track_.codec, {reinterpret_cast<const uint8_t*>(set.data()), set.size()});
    if (facts) {
      info.codec->width = facts->width;
      info.codec->height = facts->height;
      if (info.nominal_fps == 0) info.nominal_fps = facts->frame_rate;
    }
    extradata.append("\0\0\0\1", 4);
    extradata += set;
  }
  if (!extradata.empty()) {
    info.codec->extradata =
        static_cast<uint8_t*>(av_mallocz(extradata.size() + AV_INPUT_BUFFER_PADDING_SIZE));
    CORDON_CHECK(info.codec->extradata != nullptr, "out of memory");
    std::memcpy(info.codec->extradata, extradata.data(), extradata.size());
    info.codec->extradata_size = static_cast<int>(extradata.size());
  }
  info.live = true;
  return info;
}

absl::StatusOr<Packet> RtspSource::Read(Milliseconds wait) {
  CORDON_CHECK(connection_ != nullptr, "Read before Open");
  const BootTime deadline = clock_.Boot() + wait;
  while (ready_.empty()) {
    if (!failure_.ok()) return failure_;
    if (stats_.pictures == 0 && clock_.Boot() - playing_since_ > options_.deadlines.first_picture) {
      return absl::UnavailableError("the camera sends packets but no whole picture");
    }
    RETURN_IF_ERROR(Pump(deadline));
    // Where other channels always have one more byte, that is no video.
    if (ready_.empty() && clock_.Boot() > deadline + kLongestOverrun) {
      return absl::DeadlineExceededError("no picture came in time");
    }
  }
  Packet packet = std::move(ready_.front());
  ready_.pop_front();
  return packet;
}

absl::Status RtspSource::Pump(BootTime deadline) {
  RETURN_IF_ERROR(Housekeeping());
  if (!unread_) {
    BootTime until = std::min(deadline, next_keep_alive_);
    if (const auto wake = sequencer_->WakeAt()) until = std::min(until, *wake);
    const absl::Status waited = AwaitData(until);
    if (!waited.ok() && !absl::IsDeadlineExceeded(waited)) return waited;
    sequencer_->Expire(clock_.Boot());
    if (!waited.ok() && clock_.Boot() >= deadline && ready_.empty()) return waited;
  }
  if (unread_) {
    const absl::StatusOr<bool> more = connection_->Receive();
    unread_ = more.value_or(false);
    if (!more.ok() && failure_.ok()) failure_ = more.status();
  }
  // Pictures that came before the fault are handed out before it.
  return ready_.empty() ? failure_ : absl::OkStatus();
}

absl::Status RtspSource::AwaitData(BootTime until) {
  std::array<WaitFor, 3> waits = {connection_->interest()};
  size_t count = 1;
  if (udp_) {
    waits[count++] = udp_->rtp_interest();
    waits[count++] = udp_->rtcp_interest();
  }
  RETURN_IF_ERROR(Wait(net_, std::span(waits).first(count), until, "stream"));
  unread_ = waits[0].ready;
  if (waits[1].ready || waits[2].ready) {
    stats_.foreign_packets += udp_->Receive(
        [this](bool rtcp, std::span<const uint8_t> packet) { OnDatagram(rtcp, packet); });
  }
  return absl::OkStatus();
}

absl::Status RtspSource::Housekeeping() {
  const BootTime now = clock_.Boot();
  if (now >= next_keep_alive_) {
    next_keep_alive_ = now + keep_alive_every_;
    RETURN_IF_ERROR(connection_->Send(keep_alive_method_, aggregate_url_, SessionHeader()));
  }
  if (const auto report = reporter_->Due(*sequencer_, stats_, now)) {
    if (udp_) {
      udp_->SendReport(*report);
    } else {
      RETURN_IF_ERROR(connection_->SendFrame(rtcp_channel_, *report));
    }
  }
  return absl::OkStatus();
}

void RtspSource::OnFrame(uint8_t channel, std::span<const uint8_t> payload) {
  if (metadata_channel_ && channel == *metadata_channel_) {
    return options_.metadata->OnRtp(payload);
  }
  // Frames of a former session, or before SETUP, come too.
  if (sequencer_ == nullptr || udp_ || (channel != rtp_channel_ && channel != rtcp_channel_)) {
    ++stats_.foreign_packets;
    return;
  }
  OnDatagram(channel == rtcp_channel_, payload);
}

void RtspSource::OnDatagram(bool rtcp, std::span<const uint8_t> packet) {
  if (rtcp) {
    OnRtcp(packet);
  } else {
    OnRtp(packet);
  }
}

void RtspSource::OnRtp(std::span<const uint8_t> bytes) {
  const std::optional<RtpPacket> packet = ParseRtp(bytes);
  if (!packet) {
    ++stats_.malformed;
    return;
  }
  if (packet->payload_type != track_.payload_type) {
    ++stats_.foreign_packets;
    if (packet->ssrc == sequencer_->ssrc() && ++wrong_payload_type_ > kWrongPayloadType) {
      failure_ =
          absl::DataLossError(fmt::format("the camera changed the payload type from {} to {}",
                                          track_.payload_type, packet->payload_type));
    }
    return;
  }
  wrong_payload_type_ = 0;
  const BootTime now = clock_.Boot();
  sequencer_->Push(*packet, now);
  reporter_->OnPacket(*packet, now);
}

void RtspSource::OnRtcp(std::span<const uint8_t> bytes) {
  const std::optional<RtcpContent> content = ParseRtcp(bytes);
  if (!content) {
    ++stats_.malformed;
    return;
  }
  if (content->report) {
    if (content->report->ssrc == sequencer_->ssrc()) {
      timeline_->OnSenderReport(*content->report);
      reporter_->OnSenderReport(*content->report, clock_.Boot());
    } else if (sequencer_->ssrc()) {
      ++stats_.foreign_packets;
    }
  }
  if (content->bye && content->bye == sequencer_->ssrc()) {
    failure_ = absl::UnavailableError("the camera ended the stream");
  }
}

void RtspSource::OnDelivery(const RtpSequencer::Delivery& delivery) {
  const absl::Status status = depacketizer_->Push(delivery);
  if (!status.ok()) failure_ = status;
}

void RtspSource::LearnSequence(std::span<const uint8_t> set) {
  if (set.empty() || std::equal(set.begin(), set.end(), sequence_set_.begin(), sequence_set_.end()))
    return;
  sequence_set_.assign(set.begin(), set.end());
  const std::optional<SequenceFacts> facts = ParseSequenceSet(track_.codec, set);
  if (facts) decoding_times_.SetReorder(facts->reorder);
}

void RtspSource::OnAccessUnit(const AccessUnit& unit) {
  if (unit.fresh) timeline_->Break();
  if (unit.key) LearnSequence(FindSequenceSet(track_.codec, unit.bytes));
  const RtpTimeline::Position position = timeline_->Place(unit.timestamp, unit.received);
  Packet packet;
  packet.av.reset(av_packet_alloc());
  CORDON_CHECK(packet.av != nullptr &&
                   av_new_packet(packet.av.get(), static_cast<int>(unit.bytes.size())) == 0,
               "out of memory");
  std::memcpy(packet.av->data, unit.bytes.data(), unit.bytes.size());
  packet.av->time_base = kMicrosecondBase;
  packet.av->pts = ToMicros(position.media);
  packet.av->dts = decoding_times_.Next(packet.av->pts, position.run != last_run_);
  last_run_ = position.run;
  if (unit.key) packet.av->flags |= AV_PKT_FLAG_KEY;
  packet.run = position.run;
  packet.loss_before = unit.loss_before;
  packet.camera = position.camera;
  packet.received = unit.received;
  packet.received_wall =
      clock_.Wall() - std::chrono::duration_cast<Microseconds>(clock_.Boot() - unit.received);
  ready_.push_back(std::move(packet));
}

}  // namespace

std::unique_ptr<PacketSource> NewRtspSource(RtspOptions options, const Clock& clock) {
  return std::make_unique<RtspSource>(std::move(options), clock);
}

}  // namespace cordon
