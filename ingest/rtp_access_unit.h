// SPDX-License-Identifier: Apache-2.0
// Collects NAL units into one access unit; the part that H.264 and H.265 share.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ingest/rtp_depacketizer.h"

namespace cordon {

// What a NAL unit means for the picture it is in.
struct NalRole {
  bool slice = false;        // part of a coded picture
  bool first_slice = false;  // begins a picture
  bool key = false;          // decoding may begin at its picture
  bool delimiter = false;    // must stay in front of everything
  int parameter_set = -1;    // 0, 1, 2 in the order they must precede a key frame in; -1: none
};

// Owner: one depacketizer. Buffers keep their capacity, so a running stream does not allocate.
class AccessUnitBuilder {
 public:
  AccessUnitBuilder(size_t max_bytes, RtspStats& stats, RtpDepacketizer::Sink sink);

  // Before the payload of each packet: ends the previous unit when the timestamp moved.
  void BeginPacket(const RtpSequencer::Delivery& delivery);
  // After it: ends the unit at the marker.
  void EndPacket(bool marker);

  void AddNal(std::span<const uint8_t> nal, const NalRole& role);
  // A fragmented NAL unit: header and first piece, further pieces, end.
  void BeginFragment(std::span<const uint8_t> header, std::span<const uint8_t> piece);
  void ContinueFragment(std::span<const uint8_t> piece);
  // The whole unit, so that its role can be found; empty when there is none. Follow with
  // EndFragment.
  std::span<const uint8_t> fragment() const;
  void EndFragment(const NalRole& role);
  bool in_fragment() const { return in_fragment_; }
  // Its rest is missing or contradictory.
  void AbandonFragment();
  void NoteMalformed();

  // From the description; those of the stream replace them.
  void AddParameterSet(int kind, std::span<const uint8_t> nal);

 private:
  void Emit(bool by_marker);
  void Reset();
  void GiveUpPicture();
  bool Fits(size_t more);
  void Append(std::span<const uint8_t> nal);
  void Account(std::span<const uint8_t> nal, const NalRole& role);
  std::span<const uint8_t> WithParameterSets();
  void LearnParameterSet(int kind, std::span<const uint8_t> nal);

  const size_t max_bytes_;
  RtspStats& stats_;
  const RtpDepacketizer::Sink sink_;

  std::vector<uint8_t> bytes_;
  std::vector<uint8_t> with_sets_;
  size_t fragment_start_ = 0;  // of its NAL header within bytes_
  bool in_fragment_ = false;
  bool started_ = false;  // timestamp_ is of an open unit
  uint32_t timestamp_ = 0;
  BootTime received_;
  bool has_slice_ = false;
  bool key_ = false;
  bool abandoned_ = false;  // a piece of this picture had to be dropped
  bool oversize_ = false;
  size_t delimiter_end_ = 0;
  bool loss_ = false;
  bool fresh_ = false;
  std::array<bool, 3> has_set_{};
  // The newest of each kind with start codes; several of a kind (ids) when one unit brought
  // several.
  std::array<std::vector<uint8_t>, 3> sets_;

  bool marker_trusted_ = true;
  bool emitted_by_marker_ = false;
  uint32_t emitted_timestamp_ = 0;
};

// True when decoding may begin at a picture with this SEI message: a recovery point without delay
// (H.264 annex D.2.8).
bool IsH264RecoveryPoint(std::span<const uint8_t> nal);

}  // namespace cordon
