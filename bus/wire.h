// SPDX-License-Identifier: Apache-2.0
// What one ZeroMQ message of Cordon is: a 12-byte header and one serialised proto::Envelope.
//
//   offset 0  'C' 'D'            magic
//          2  u8                 version of the framing, kFrameVersion
//          3  u8                 0
//          4  u32 little endian  bytes of the envelope
//          8  u32 little endian  CRC32C of the envelope
//         12  the envelope
//
// Everything is checked before a parser sees it: size, magic, version, length, CRC; then the
// parser's recursion limit; then that every floating point number is finite. Pure functions, no
// threads, no sockets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "proto/alert.pb.h"
#include "proto/envelope.pb.h"

namespace cordon::wire {

inline constexpr uint8_t kFrameVersion = 1;
inline constexpr size_t kHeaderBytes = 12;
// Hello.protocol. Another one is refused in words; fields may be added without a new one
// (proto/README.md).
inline constexpr uint32_t kProtocolVersion = 1;
// Nesting of messages; ours need 7.
inline constexpr int kMaxDepth = 16;

// Castagnoli polynomial, reflected (RFC 3720); uses the processor's instruction where there is one.
uint32_t Crc32c(std::string_view bytes);

// RESOURCE_EXHAUSTED when the frame would exceed limits::kMaxMessageBytes.
absl::StatusOr<std::string> EncodeFrame(const proto::Envelope& envelope);

// RESOURCE_EXHAUSTED (too large), FAILED_PRECONDITION (framing of another version), DATA_LOSS
// (anything else wrong).
absl::StatusOr<proto::Envelope> DecodeFrame(std::string_view frame);

// The record inside Data, checked against its CRC. DATA_LOSS with the reason in words.
absl::StatusOr<proto::OutboxRecord> DecodeRecord(std::string_view bytes, uint32_t crc32c);

// What an outbox may take: a record is set, ids and pictures within their limits, numbers finite.
// INVALID_ARGUMENT.
absl::Status CheckRecord(const proto::OutboxRecord& record);

// INVALID_ARGUMENT naming the first float or double that is NaN or infinite.
absl::Status CheckFinite(const google::protobuf::Message& message);

}  // namespace cordon::wire
