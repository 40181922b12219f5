// SPDX-License-Identifier: Apache-2.0
#include "ingest/rtp_access_unit.h"

#include <algorithm>
#include <utility>

namespace cordon {
namespace {

constexpr std::array<uint8_t, 4> kStartCode = {0, 0, 0, 1};
constexpr size_t kMaxSetsOfAKind = 16 * 1024;

void AppendWithStartCode(std::vector<uint8_t>& to, std::span<const uint8_t> nal) {
  to.insert(to.end(), kStartCode.begin(), kStartCode.end());
  to.insert(to.end(), nal.begin(), nal.end());
}

}  // namespace

AccessUnitBuilder::AccessUnitBuilder(size_t max_bytes, RtspStats& stats, RtpDepacketizer::Sink sink)
    : max_bytes_(max_bytes), stats_(stats), sink_(std::move(sink)) {}

void AccessUnitBuilder::BeginPacket(const RtpSequencer::Delivery& delivery) {
  const bool broken = delivery.lost_before > 0 || delivery.fresh;
  if (broken) {
    AbandonFragment();
    // Whether the tail of the open picture or the head of the next is missing cannot be known: both
    // are marked.
    loss_ = loss_ || delivery.lost_before > 0;
  }
  if (started_ && (delivery.fresh || delivery.packet.timestamp != timestamp_)) {
    const bool loss = loss_;
    if (has_slice_) {
      Emit(false);
      loss_ = loss_ || (loss && broken);
    } else if (abandoned_) {
      GiveUpPicture();
    }
  }
  fresh_ = fresh_ || delivery.fresh;
  // Before the very first picture nothing is missing.
  loss_ = loss_ || (delivery.fresh && stats_.pictures > 0);
  started_ = true;
  timestamp_ = delivery.packet.timestamp;
  received_ = delivery.received;
}

void AccessUnitBuilder::EndPacket(bool marker) {
  if (!marker || !marker_trusted_) return;
  AbandonFragment();
  if (has_slice_) {
    Emit(true);
  } else if (abandoned_) {
    GiveUpPicture();
  }
  // A marker on parameter sets or SEI alone says nothing: they belong to the picture that follows.
}

bool AccessUnitBuilder::Fits(size_t more) {
  if (bytes_.size() + more + kStartCode.size() <= max_bytes_) return true;
  oversize_ = true;
  return false;
}

void AccessUnitBuilder::AddNal(std::span<const uint8_t> nal, const NalRole& role) {
  if (in_fragment_) {
    AbandonFragment();
    NoteMalformed();
  }
  if (!Fits(nal.size())) {
    abandoned_ = true;
    return;
  }
  AppendWithStartCode(bytes_, nal);
  Account(nal, role);
}

void AccessUnitBuilder::BeginFragment(std::span<const uint8_t> header,
                                      std::span<const uint8_t> piece) {
  if (in_fragment_) {
    AbandonFragment();
    NoteMalformed();
  }
  if (!Fits(header.size() + piece.size())) return;
  fragment_start_ = bytes_.size() + kStartCode.size();
  AppendWithStartCode(bytes_, header);
  bytes_.insert(bytes_.end(), piece.begin(), piece.end());
  in_fragment_ = true;
}

void AccessUnitBuilder::ContinueFragment(std::span<const uint8_t> piece) {
  if (!in_fragment_) {
    // Its beginning was lost; if nothing was lost it is the camera's mistake.
    if (!loss_ && !oversize_) NoteMalformed();
    abandoned_ = true;
    loss_ = true;
    return;
  }
  if (!Fits(piece.size())) return AbandonFragment();
  bytes_.insert(bytes_.end(), piece.begin(), piece.end());
}

std::span<const uint8_t> AccessUnitBuilder::fragment() const {
  if (!in_fragment_) return {};
  return std::span(bytes_).subspan(fragment_start_);
}

void AccessUnitBuilder::EndFragment(const NalRole& role) {
  if (!in_fragment_) return;
  in_fragment_ = false;
  Account(std::span(bytes_).subspan(fragment_start_), role);
}

void AccessUnitBuilder::AbandonFragment() {
  if (!in_fragment_) return;
  in_fragment_ = false;
  abandoned_ = true;
  loss_ = true;
  bytes_.resize(fragment_start_ - kStartCode.size());
}

void AccessUnitBuilder::NoteMalformed() { ++stats_.malformed; }

void AccessUnitBuilder::Account(std::span<const uint8_t> nal, const NalRole& role) {
  if (role.slice && !role.first_slice && !has_slice_ && emitted_by_marker_ && !loss_ &&
      timestamp_ == emitted_timestamp_) {
    // The marker came in the middle of a picture: this camera sets it on every slice.
    marker_trusted_ = false;
    loss_ = true;
    NoteMalformed();
  }
  has_slice_ = has_slice_ || role.slice;
  key_ = key_ || role.key;
  if (role.delimiter && bytes_.size() == nal.size() + kStartCode.size())
    delimiter_end_ = bytes_.size();
  if (role.parameter_set >= 0) LearnParameterSet(role.parameter_set, nal);
}

void AccessUnitBuilder::LearnParameterSet(int kind, std::span<const uint8_t> nal) {
  const auto k = static_cast<size_t>(kind);
  if (!has_set_[k])
    sets_[k].clear();  // newer than what was known; further ones of this unit are added
  has_set_[k] = true;
  AddParameterSet(kind, nal);
}

void AccessUnitBuilder::AddParameterSet(int kind, std::span<const uint8_t> nal) {
  std::vector<uint8_t>& sets = sets_[static_cast<size_t>(kind)];
  if (sets.size() + nal.size() + kStartCode.size() <= kMaxSetsOfAKind)
    AppendWithStartCode(sets, nal);
}

std::span<const uint8_t> AccessUnitBuilder::WithParameterSets() {
  bool complete = true;
  for (size_t k = 0; k < sets_.size(); ++k)
    complete = complete && (has_set_[k] || sets_[k].empty());
  if (!key_ || complete) return bytes_;
  const auto body = bytes_.begin() + static_cast<ptrdiff_t>(delimiter_end_);
  with_sets_.assign(bytes_.begin(), body);
  for (const std::vector<uint8_t>& sets : sets_)
    with_sets_.insert(with_sets_.end(), sets.begin(), sets.end());
  with_sets_.insert(with_sets_.end(), body, bytes_.end());
  return with_sets_;
}

void AccessUnitBuilder::Emit(bool by_marker) {
  if (oversize_) return GiveUpPicture();
  ++stats_.pictures;
  emitted_by_marker_ = by_marker;
  emitted_timestamp_ = timestamp_;
  sink_({.bytes = WithParameterSets(),
         .timestamp = timestamp_,
         .received = received_,
         .key = key_,
         .loss_before = loss_,
         .fresh = fresh_});
  loss_ = false;
  fresh_ = false;
  Reset();
}

void AccessUnitBuilder::GiveUpPicture() {
  ++stats_.dropped_pictures;
  Reset();
  loss_ = true;
}

void AccessUnitBuilder::Reset() {
  bytes_.clear();
  delimiter_end_ = 0;
  in_fragment_ = has_slice_ = key_ = oversize_ = abandoned_ = started_ = false;
  has_set_.fill(false);
}

bool IsH264RecoveryPoint(std::span<const uint8_t> nal) {
  constexpr uint8_t kRecoveryPoint = 6;
  size_t at = 1;
  while (at + 2 < nal.size()) {
    size_t type = 0;
    while (at < nal.size() && nal[at] == 0xff) type += nal[at++];
    if (at >= nal.size()) return false;
    type += nal[at++];
    size_t size = 0;
    while (at < nal.size() && nal[at] == 0xff) size += nal[at++];
    if (at >= nal.size()) return false;
    size += nal[at++];
    if (at + size > nal.size()) return false;
    // recovery_frame_cnt is the first Exp-Golomb number: a leading 1 is zero.
    if (type == kRecoveryPoint) return size > 0 && (nal[at] & 0x80) != 0;
    at += size;
  }
  return false;
}

}  // namespace cordon
