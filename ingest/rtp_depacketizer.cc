// SPDX-License-Identifier: Apache-2.0
#include "ingest/rtp_depacketizer.h"

#include <array>
#include <utility>

#include "ingest/rtp_access_unit.h"

namespace cordon {
namespace {

// So many units in a row that the codec does not have, and no slice among them, are another codec;
// one is a bit error.
constexpr int kWrongCodecUnits = 16;

// Two-byte length, then the unit (STAP-A of RFC 6184, 5.7.1; AP of RFC 7798, 4.4.2). False when it
// contradicts itself.
template <class Take>
bool ForEachAggregated(std::span<const uint8_t> rest, Take take) {
  while (rest.size() >= 2) {
    const size_t length = static_cast<size_t>(rest[0]) << 8 | rest[1];
    rest = rest.subspan(2);
    if (length == 0 || length > rest.size()) return false;
    take(rest.first(length));
    rest = rest.subspan(length);
  }
  return rest.empty();
}

// What the two codecs share: only headers and types differ.
class Depacketizer : public RtpDepacketizer {
 public:
  Depacketizer(size_t max_bytes, RtspStats& stats, Sink sink, std::string_view codec)
      : builder_(max_bytes, stats, std::move(sink)), codec_(codec) {}

  absl::Status Push(const RtpSequencer::Delivery& delivery) final {
    builder_.BeginPacket(delivery);
    if (!delivery.packet.payload.empty()) Payload(delivery.packet.payload);
    builder_.EndPacket(delivery.packet.marker);
    if (wrong_ < kWrongCodecUnits) return absl::OkStatus();
    return absl::DataLossError(
        fmt::format("the payload is no {} any more: the camera changed its codec", codec_));
  }

 protected:
  virtual void Payload(std::span<const uint8_t> payload) = 0;

  void Malformed() { builder_.NoteMalformed(); }
  void WrongUnit() {
    ++wrong_;
    Malformed();
  }
  void Unit(std::span<const uint8_t> nal, const NalRole& role) {
    if (role.slice) wrong_ = 0;
    builder_.AddNal(nal, role);
  }
  void FragmentEnd(const NalRole& role) {
    if (role.slice) wrong_ = 0;
    builder_.EndFragment(role);
  }

  AccessUnitBuilder builder_;

 private:
  const std::string_view codec_;
  int wrong_ = 0;
};

class H264Depacketizer final : public Depacketizer {
 public:
  H264Depacketizer(const VideoTrack& track, size_t max_bytes, RtspStats& stats, Sink sink)
      : Depacketizer(max_bytes, stats, std::move(sink), "H.264") {
    for (const std::string& set : track.parameter_sets) {
      builder_.AddParameterSet((set[0] & 0x1f) - kSps,
                               {reinterpret_cast<const uint8_t*>(set.data()), set.size()});
    }
  }

 private:
  static constexpr int kSlice = 1;
  static constexpr int kIdr = 5;
  static constexpr int kSei = 6;
  static constexpr int kSps = 7;
  static constexpr int kPps = 8;
  static constexpr int kDelimiter = 9;
  static constexpr int kLastSingle = 23;
  static constexpr int kStapA = 24;
  static constexpr int kFuA = 28;

  // Types 2 to 4 (data partitions) are of a profile no camera has; 0 and 22 up are reserved.
  static bool Known(int type) { return type == kSlice || (type >= kIdr && type <= 21); }

  static NalRole RoleOf(std::span<const uint8_t> nal) {
    const int type = nal[0] & 0x1f;
    NalRole role;
    role.slice = type == kSlice || type == kIdr;
    role.first_slice =
        role.slice && nal.size() > 1 && (nal[1] & 0x80) != 0;  // first_mb_in_slice is 0
    role.key = type == kIdr || (type == kSei && IsH264RecoveryPoint(nal));
    role.delimiter = type == kDelimiter;
    if (type == kSps || type == kPps) role.parameter_set = type - kSps;
    return role;
  }

  void Take(std::span<const uint8_t> nal) {
    if ((nal[0] & 0x80) != 0 || !Known(nal[0] & 0x1f)) return WrongUnit();
    Unit(nal, RoleOf(nal));
  }

  void Payload(std::span<const uint8_t> payload) override {
    const int type = payload[0] & 0x1f;
    if (type == kFuA) return Fragment(payload);
    if (type == kStapA) {
      if (!ForEachAggregated(payload.subspan(1), [this](auto nal) { Take(nal); })) Malformed();
      return;
    }
    if (type <= kLastSingle) return Take(payload);
    WrongUnit();
  }

  void Fragment(std::span<const uint8_t> payload) {
    if (payload.size() < 3) return Malformed();
    const uint8_t head = payload[1];
    const auto header = static_cast<uint8_t>((payload[0] & 0xe0) | (head & 0x1f));
    if ((header & 0x80) != 0 || !Known(header & 0x1f)) return WrongUnit();
    if ((head & 0x80) != 0) {
      builder_.BeginFragment({&header, 1}, payload.subspan(2));
    } else {
      builder_.ContinueFragment(payload.subspan(2));
    }
    if ((head & 0x40) != 0 && builder_.in_fragment()) FragmentEnd(RoleOf(builder_.fragment()));
  }
};

class H265Depacketizer final : public Depacketizer {
 public:
  H265Depacketizer(const VideoTrack& track, size_t max_bytes, RtspStats& stats, Sink sink)
      : Depacketizer(max_bytes, stats, std::move(sink), "H.265") {
    for (const std::string& set : track.parameter_sets) {
      builder_.AddParameterSet(TypeOf(static_cast<uint8_t>(set[0])) - kVps,
                               {reinterpret_cast<const uint8_t*>(set.data()), set.size()});
    }
  }

 private:
  static constexpr int kLastSlice = 31;
  static constexpr int kFirstIrap = 16;
  static constexpr int kLastIrap = 23;
  static constexpr int kVps = 32;
  static constexpr int kPps = 34;
  static constexpr int kDelimiter = 35;
  static constexpr int kLastKnown = 40;
  static constexpr int kAggregation = 48;
  static constexpr int kFragmentation = 49;

  static int TypeOf(uint8_t first) { return first >> 1 & 0x3f; }

  // Base layer, and a temporal id, which is never 0 plus one.
  static bool SaneHeader(std::span<const uint8_t> nal) {
    return nal.size() > 2 && (nal[0] & 0x81) == 0 && (nal[1] & 0xf8) == 0 && (nal[1] & 0x07) != 0;
  }

  static NalRole RoleOf(std::span<const uint8_t> nal) {
    const int type = TypeOf(nal[0]);
    NalRole role;
    role.slice = type <= kLastSlice;
    role.first_slice = role.slice && (nal[2] & 0x80) != 0;  // first_slice_segment_in_pic_flag
    role.key = type >= kFirstIrap && type <= kLastIrap;
    role.delimiter = type == kDelimiter;
    if (type >= kVps && type <= kPps) role.parameter_set = type - kVps;
    return role;
  }

  void Take(std::span<const uint8_t> nal) {
    if (!SaneHeader(nal) || TypeOf(nal[0]) > kLastKnown) return WrongUnit();
    Unit(nal, RoleOf(nal));
  }

  void Payload(std::span<const uint8_t> payload) override {
    const int type = TypeOf(payload[0]);
    if (type == kFragmentation) return Fragment(payload);
    if (type != kAggregation) return Take(payload);
    if (!SaneHeader(payload)) return WrongUnit();
    if (!ForEachAggregated(payload.subspan(2), [this](auto nal) { Take(nal); })) Malformed();
  }

  void Fragment(std::span<const uint8_t> payload) {
    if (payload.size() < 4 || !SaneHeader(payload)) return WrongUnit();
    const uint8_t head = payload[2];
    const int type = head & 0x3f;
    if (type > kLastKnown) return WrongUnit();
    const std::array<uint8_t, 2> header = {static_cast<uint8_t>((payload[0] & 0x81) | type << 1),
                                           payload[1]};
    if ((head & 0x80) != 0) {
      builder_.BeginFragment(header, payload.subspan(3));
    } else {
      builder_.ContinueFragment(payload.subspan(3));
    }
    if ((head & 0x40) != 0 && builder_.in_fragment()) FragmentEnd(RoleOf(builder_.fragment()));
  }
};

}  // namespace

std::unique_ptr<RtpDepacketizer> NewDepacketizer(const VideoTrack& track, size_t max_picture_bytes,
                                                 RtspStats& stats, RtpDepacketizer::Sink sink) {
  if (track.codec == VideoCodec::kH264) {
    return std::make_unique<H264Depacketizer>(track, max_picture_bytes, stats, std::move(sink));
  }
  return std::make_unique<H265Depacketizer>(track, max_picture_bytes, stats, std::move(sink));
}

}  // namespace cordon
