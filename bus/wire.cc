// SPDX-License-Identifier: Apache-2.0
#include "bus/wire.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "base/ids.h"
#include "base/limits.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace cordon::wire {
namespace {

namespace pb = google::protobuf;

constexpr std::array<uint32_t, 256> MakeTable() {
  constexpr uint32_t kReflectedCastagnoli = 0x82f63b78;
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit)
      value = (value >> 1) ^ ((value & 1) != 0 ? kReflectedCastagnoli : 0);
    table[i] = value;
  }
  return table;
}
constexpr std::array<uint32_t, 256> kTable = MakeTable();

uint32_t UpdateByTable(uint32_t crc, std::string_view bytes) {
  for (const char c : bytes) crc = (crc >> 8) ^ kTable[(crc ^ static_cast<uint8_t>(c)) & 0xff];
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t UpdateByInstruction(uint32_t crc,
                                                               std::string_view bytes) {
  uint64_t wide = crc;
  while (bytes.size() >= 8) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data(), 8);
    wide = __builtin_ia32_crc32di(wide, word);
    bytes.remove_prefix(8);
  }
  return UpdateByTable(static_cast<uint32_t>(wide), bytes);
}
#endif

uint32_t Update(uint32_t crc, std::string_view bytes) {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2");
  if (has_instruction) return UpdateByInstruction(crc, bytes);
#endif
  return UpdateByTable(crc, bytes);
}

void PutLittleEndian(char* at, uint32_t value) {
  for (int i = 0; i < 4; ++i) at[i] = static_cast<char>(value >> (8 * i));
}

uint32_t GetLittleEndian(const char* at) {
  uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = (value << 8) | static_cast<uint8_t>(at[i]);
  return value;
}

bool ParseBounded(std::string_view bytes, pb::Message& into) {
  pb::io::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
  pb::io::CodedInputStream input(&stream);
  input.SetRecursionLimit(kMaxDepth);
  return into.ParseFromCodedStream(&input) && input.ConsumedEntireMessage();
}

absl::Status CheckFiniteField(const pb::Message& message, const pb::FieldDescriptor& field) {
  const pb::Reflection& access = *message.GetReflection();
  const int count = field.is_repeated() ? access.FieldSize(message, &field) : 1;
  for (int i = 0; i < count; ++i) {
    bool finite = true;
    switch (field.cpp_type()) {
      case pb::FieldDescriptor::CPPTYPE_DOUBLE:
        finite = std::isfinite(field.is_repeated() ? access.GetRepeatedDouble(message, &field, i)
                                                   : access.GetDouble(message, &field));
        break;
      case pb::FieldDescriptor::CPPTYPE_FLOAT:
        finite = std::isfinite(field.is_repeated() ? access.GetRepeatedFloat(message, &field, i)
                                                   : access.GetFloat(message, &field));
        break;
      case pb::FieldDescriptor::CPPTYPE_MESSAGE:
        RETURN_IF_ERROR(CheckFinite(field.is_repeated()
                                        ? access.GetRepeatedMessage(message, &field, i)
                                        : access.GetMessage(message, &field)));
        break;
      default:
        return absl::OkStatus();
    }
    if (!finite)
      return absl::InvalidArgumentError(
          fmt::format("{} is not a finite number", field.full_name()));
  }
  return absl::OkStatus();
}

absl::Status CheckAlert(const proto::Alert& alert) {
  constexpr size_t kMaxName = 64;
  if (!alert.id().empty() && !Ulid::Parse(alert.id()))
    return absl::InvalidArgumentError("the alert's id is not a ULID");
  if (alert.snapshot_jpeg().size() > limits::kMaxSnapshotBytes)
    return absl::InvalidArgumentError(
        fmt::format("the snapshot has {} bytes; at most {} are allowed",
                    alert.snapshot_jpeg().size(), limits::kMaxSnapshotBytes));
  if (static_cast<size_t>(alert.event().explanation().path_size()) > limits::kMaxPathPoints)
    return absl::InvalidArgumentError(
        fmt::format("the path has more than {} points", limits::kMaxPathPoints));
  if (alert.event().camera_id().size() > kMaxName || alert.event().rule_id().size() > kMaxName)
    return absl::InvalidArgumentError("a camera's or rule's name is too long");
  return absl::OkStatus();
}

}  // namespace

uint32_t Crc32c(std::string_view bytes) { return ~Update(~uint32_t{0}, bytes); }

absl::Status CheckFinite(const pb::Message& message) {
  std::vector<const pb::FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const pb::FieldDescriptor* field : fields)
    RETURN_IF_ERROR(CheckFiniteField(message, *field));
  return absl::OkStatus();
}

absl::StatusOr<std::string> EncodeFrame(const proto::Envelope& envelope) {
  const size_t size = envelope.ByteSizeLong();
  if (size + kHeaderBytes > limits::kMaxMessageBytes)
    return absl::ResourceExhaustedError(
        fmt::format("a message of {} bytes exceeds the bus's {}", size, limits::kMaxMessageBytes));
  std::string frame(kHeaderBytes + size, '\0');
  CORDON_CHECK(envelope.SerializeToArray(&frame[kHeaderBytes], static_cast<int>(size)),
               "all required fields are set");
  frame[0] = 'C';
  frame[1] = 'D';
  frame[2] = static_cast<char>(kFrameVersion);
  PutLittleEndian(&frame[4], static_cast<uint32_t>(size));
  PutLittleEndian(&frame[8], Crc32c(std::string_view(frame).substr(kHeaderBytes)));
  return frame;
}

absl::StatusOr<proto::Envelope> DecodeFrame(std::string_view frame) {
  if (frame.size() > limits::kMaxMessageBytes)
    return absl::ResourceExhaustedError(fmt::format("a frame of {} bytes exceeds the bus's {}",
                                                    frame.size(), limits::kMaxMessageBytes));
  if (frame.size() < kHeaderBytes || frame[0] != 'C' || frame[1] != 'D')
    return absl::DataLossError("not a frame of Cordon's bus");
  if (static_cast<uint8_t>(frame[2]) != kFrameVersion)
    return absl::FailedPreconditionError(
        fmt::format("framing version {}; this Cordon speaks {}: use the same release on both sides",
                    static_cast<int>(static_cast<uint8_t>(frame[2])), kFrameVersion));
  const std::string_view body = frame.substr(kHeaderBytes);
  if (GetLittleEndian(&frame[4]) != body.size())
    return absl::DataLossError("the frame is cut off or too long");
  if (GetLittleEndian(&frame[8]) != Crc32c(body))
    return absl::DataLossError("the frame's checksum does not match");
  proto::Envelope envelope;
  if (!ParseBounded(body, envelope)) return absl::DataLossError("the envelope cannot be parsed");
  if (const absl::Status finite = CheckFinite(envelope); !finite.ok())
    return absl::DataLossError(finite.message());
  return envelope;
}

absl::StatusOr<proto::OutboxRecord> DecodeRecord(std::string_view bytes, uint32_t crc32c) {
  if (bytes.size() > limits::kMaxMessageBytes)
    return absl::DataLossError("the record is too large");
  if (Crc32c(bytes) != crc32c) return absl::DataLossError("the record's checksum does not match");
  proto::OutboxRecord record;
  if (!ParseBounded(bytes, record)) return absl::DataLossError("the record cannot be parsed");
  if (const absl::Status fit = CheckRecord(record); !fit.ok())
    return absl::DataLossError(fit.message());
  return record;
}

absl::Status CheckRecord(const proto::OutboxRecord& record) {
  RETURN_IF_ERROR(CheckFinite(record));
  switch (record.record_case()) {
    case proto::OutboxRecord::kAlert:
      return CheckAlert(record.alert());
    case proto::OutboxRecord::kEvidence:
      if (!Ulid::Parse(record.evidence().alert_id()))
        return absl::InvalidArgumentError("the evidence names no alert");
      return absl::OkStatus();
    case proto::OutboxRecord::RECORD_NOT_SET:
      return absl::InvalidArgumentError("the record holds neither an alert nor evidence");
  }
  return absl::InvalidArgumentError("the record holds something unknown");
}

}  // namespace cordon::wire
