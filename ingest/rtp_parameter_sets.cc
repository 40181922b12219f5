// SPDX-License-Identifier: Apache-2.0
#include "ingest/rtp_parameter_sets.h"

#include <algorithm>
#include <array>
#include <utility>

namespace cordon {
namespace {

constexpr uint32_t kMaxSide = 16384;
constexpr uint32_t kMaxReorder = 16;

// Bits of a NAL unit, emulation prevention bytes left out. Reading beyond the end gives zeros and
// is remembered.
class Bits {
 public:
  explicit Bits(std::span<const uint8_t> nal) : nal_(nal) {}

  uint32_t Read(int count) {
    uint32_t value = 0;
    for (int i = 0; i < count; ++i) value = value << 1 | Bit();
    return value;
  }
  void Skip(int count) {
    for (int i = 0; i < count; ++i) Bit();
  }
  bool Flag() { return Bit() != 0; }
  // Exp-Golomb, unsigned and signed.
  uint32_t Ue() {
    int zeros = 0;
    while (zeros < 32 && !ended_ && Bit() == 0) ++zeros;
    if (zeros == 32) {
      ended_ = true;
      return 0;
    }
    return (1U << zeros) - 1 + Read(zeros);
  }
  int32_t Se() {
    const uint32_t code = Ue();
    const auto magnitude = static_cast<int32_t>((code + 1) / 2);
    return code % 2 == 1 ? magnitude : -magnitude;
  }
  bool ended() const { return ended_; }

 private:
  uint32_t Bit() {
    if (bit_ == 0) {
      if (at_ < nal_.size() && zeros_ >= 2 && nal_[at_] == 3) {
        ++at_;
        zeros_ = 0;
      }
      if (at_ >= nal_.size()) {
        ended_ = true;
        return 0;
      }
      byte_ = nal_[at_++];
      zeros_ = byte_ == 0 ? zeros_ + 1 : 0;
      bit_ = 8;
    }
    return byte_ >> --bit_ & 1U;
  }

  std::span<const uint8_t> nal_;
  size_t at_ = 0;
  int zeros_ = 0;
  uint8_t byte_ = 0;
  int bit_ = 0;
  bool ended_ = false;
};

void SkipScalingLists(Bits& bits, int count) {
  for (int list = 0; list < count; ++list) {
    if (!bits.Flag()) continue;
    int32_t last = 8;
    int32_t next = 8;
    for (int i = 0; i < (list < 6 ? 16 : 64) && !bits.ended(); ++i) {
      if (next != 0) next = (last + bits.Se() % 256 + 256) % 256;
      if (next != 0) last = next;
    }
  }
}

void SkipHrd(Bits& bits) {
  const uint32_t count = std::min(bits.Ue(), 31U) + 1;
  bits.Skip(8);
  for (uint32_t i = 0; i < count; ++i) {
    bits.Ue();
    bits.Ue();
    bits.Skip(1);
  }
  bits.Skip(20);
}

void ReadH264Vui(Bits& bits, SequenceFacts& facts) {
  constexpr uint32_t kExtendedAspect = 255;
  if (bits.Flag() && bits.Read(8) == kExtendedAspect) bits.Skip(32);
  if (bits.Flag()) bits.Skip(1);  // overscan
  if (bits.Flag()) {              // video signal type
    bits.Skip(4);
    if (bits.Flag()) bits.Skip(24);
  }
  if (bits.Flag()) {  // chroma location
    bits.Ue();
    bits.Ue();
  }
  if (bits.Flag()) {  // timing
    const uint32_t units = bits.Read(32);
    const uint32_t scale = bits.Read(32);
    bits.Skip(1);
    const double rate = units > 0 ? scale / (2.0 * units) : 0;
    if (rate >= 0.1 && rate <= 300) facts.frame_rate = rate;
  }
  const bool nal_hrd = bits.Flag();
  if (nal_hrd) SkipHrd(bits);
  const bool vcl_hrd = bits.Flag();
  if (vcl_hrd) SkipHrd(bits);
  if (nal_hrd || vcl_hrd) bits.Skip(1);
  bits.Skip(1);
  if (!bits.Flag()) return;  // bitstream restriction
  bits.Skip(1);
  for (int i = 0; i < 4; ++i) bits.Ue();
  const uint32_t reorder = bits.Ue();
  if (!bits.ended() && reorder <= kMaxReorder) facts.reorder = static_cast<int>(reorder);
}

bool SetSize(SequenceFacts& facts, uint32_t width, uint32_t height, uint32_t crop_x,
             uint32_t crop_y) {
  if (width == 0 || height == 0 || width > kMaxSide || height > kMaxSide) return false;
  if (crop_x >= width || crop_y >= height) return false;
  facts.width = static_cast<int>(width - crop_x);
  facts.height = static_cast<int>(height - crop_y);
  return true;
}

// Profiles whose sets carry the chroma format.
bool HasChroma(uint32_t profile) {
  constexpr std::array<uint32_t, 13> kProfiles = {100, 110, 122, 244, 44,  83, 86,
                                                  118, 128, 138, 139, 134, 135};
  return std::find(kProfiles.begin(), kProfiles.end(), profile) != kProfiles.end();
}

// Reads over the picture order count; true when its type forbids reordering.
bool ReadPictureOrder(Bits& bits) {
  const uint32_t type = bits.Ue();
  if (type == 0) bits.Ue();
  if (type == 1) {
    bits.Skip(1);
    bits.Se();
    bits.Se();
    const uint32_t count = std::min(bits.Ue(), 255U);
    for (uint32_t i = 0; i < count; ++i) bits.Se();
  }
  return type == 2;
}

std::optional<SequenceFacts> ParseH264(std::span<const uint8_t> nal) {
  constexpr uint32_t kBaseline = 66;
  Bits bits(nal.subspan(1));
  const uint32_t profile = bits.Read(8);
  bits.Skip(16);
  bits.Ue();
  uint32_t chroma = 1;
  if (HasChroma(profile)) {
    chroma = bits.Ue();
    if (chroma > 3) return std::nullopt;
    if (chroma == 3) bits.Skip(1);
    bits.Ue();
    bits.Ue();
    bits.Skip(1);
    if (bits.Flag()) SkipScalingLists(bits, chroma == 3 ? 12 : 8);
  }
  bits.Ue();
  SequenceFacts facts;
  if (ReadPictureOrder(bits) || profile == kBaseline) facts.reorder = 0;
  bits.Ue();
  bits.Skip(1);
  const uint32_t columns = bits.Ue();
  const uint32_t rows = bits.Ue();
  const uint32_t fields = bits.Flag() ? 1 : 2;
  if (fields == 2) bits.Skip(1);
  bits.Skip(1);
  uint32_t crop[4] = {};
  if (bits.Flag()) {
    for (uint32_t& side : crop) side = std::min(bits.Ue(), kMaxSide);
  }
  if (columns > kMaxSide || rows > kMaxSide) return std::nullopt;
  const uint32_t unit_x = chroma == 1 || chroma == 2 ? 2 : 1;
  const uint32_t unit_y = (chroma == 1 ? 2 : 1) * fields;
  if (!SetSize(facts, (columns + 1) * 16, (rows + 1) * 16 * fields, (crop[0] + crop[1]) * unit_x,
               (crop[2] + crop[3]) * unit_y)) {
    return std::nullopt;
  }
  if (bits.ended()) return std::nullopt;
  if (bits.Flag()) ReadH264Vui(bits, facts);
  return facts;
}

void SkipProfileTierLevel(Bits& bits, uint32_t sub_layers) {
  bits.Skip(96);
  std::array<std::pair<bool, bool>, 8> present{};
  for (uint32_t i = 0; i < sub_layers; ++i) {
    present[i].first = bits.Flag();
    present[i].second = bits.Flag();
  }
  if (sub_layers > 0) bits.Skip(static_cast<int>(2 * (8 - sub_layers)));
  for (uint32_t i = 0; i < sub_layers; ++i) {
    if (present[i].first) bits.Skip(88);
    if (present[i].second) bits.Skip(8);
  }
}

std::optional<SequenceFacts> ParseH265(std::span<const uint8_t> nal) {
  if (nal.size() < 3) return std::nullopt;
  Bits bits(nal.subspan(2));
  bits.Skip(4);
  const uint32_t sub_layers = bits.Read(3);
  bits.Skip(1);
  SkipProfileTierLevel(bits, sub_layers);
  bits.Ue();
  const uint32_t chroma = bits.Ue();
  if (chroma > 3) return std::nullopt;
  if (chroma == 3) bits.Skip(1);
  const uint32_t width = bits.Ue();
  const uint32_t height = bits.Ue();
  uint32_t crop[4] = {};
  if (bits.Flag()) {
    for (uint32_t& side : crop) side = std::min(bits.Ue(), kMaxSide);
  }
  SequenceFacts facts;
  const uint32_t unit_x = chroma == 1 || chroma == 2 ? 2 : 1;
  const uint32_t unit_y = chroma == 1 ? 2 : 1;
  if (!SetSize(facts, width, height, (crop[0] + crop[1]) * unit_x, (crop[2] + crop[3]) * unit_y))
    return std::nullopt;
  bits.Ue();
  bits.Ue();
  bits.Ue();
  const uint32_t first = bits.Flag() ? 0 : sub_layers;
  uint32_t reorder = 0;
  for (uint32_t i = first; i <= sub_layers; ++i) {
    bits.Ue();
    reorder = bits.Ue();
    bits.Ue();
  }
  if (bits.ended()) return std::nullopt;
  if (reorder <= kMaxReorder) facts.reorder = static_cast<int>(reorder);
  return facts;
}

int TypeOf(VideoCodec codec, uint8_t first) {
  return codec == VideoCodec::kH264 ? first & 0x1f : first >> 1 & 0x3f;
}
int SequenceType(VideoCodec codec) { return codec == VideoCodec::kH264 ? 7 : 33; }
bool IsSlice(VideoCodec codec, int type) {
  return codec == VideoCodec::kH264 ? type >= 1 && type <= 5 : type < 32;
}

}  // namespace

std::optional<SequenceFacts> ParseSequenceSet(VideoCodec codec, std::span<const uint8_t> nal) {
  if (nal.size() < 4 || TypeOf(codec, nal[0]) != SequenceType(codec)) return std::nullopt;
  return codec == VideoCodec::kH264 ? ParseH264(nal) : ParseH265(nal);
}

std::span<const uint8_t> FindSequenceSet(VideoCodec codec, std::span<const uint8_t> unit) {
  for (size_t at = 0; at + 4 < unit.size(); ++at) {
    if (unit[at] != 0 || unit[at + 1] != 0 || unit[at + 2] != 1) continue;
    const size_t start = at + 3;
    const int type = TypeOf(codec, unit[start]);
    if (IsSlice(codec, type)) return {};
    if (type != SequenceType(codec)) continue;
    size_t end = start;
    while (end + 2 < unit.size() && (unit[end] != 0 || unit[end + 1] != 0 || unit[end + 2] > 1))
      ++end;
    return unit.subspan(start, (end + 2 < unit.size() ? end : unit.size()) - start);
  }
  return {};
}

}  // namespace cordon
