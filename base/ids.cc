// SPDX-License-Identifier: Apache-2.0
#include "base/ids.h"

#include <algorithm>
#include <cstring>

namespace cordon {
namespace {

__extension__ using Bits128 = unsigned __int128;

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

uint64_t SystemSeed() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

std::array<uint8_t, 16> Compose(uint64_t millis, std::mt19937_64& random) {
  std::array<uint8_t, 16> bytes;
  for (int i = 0; i < 6; ++i) bytes[i] = static_cast<uint8_t>(millis >> (8 * (5 - i)));
  const uint64_t a = random(), b = random();
  std::memcpy(&bytes[6], &a, 8);
  std::memcpy(&bytes[14], &b, 2);
  return bytes;
}

// Adds one to the 80 random bits; carries into the time on overflow, which keeps the order.
std::array<uint8_t, 16> Increment(std::array<uint8_t, 16> bytes) {
  for (int i = 15; i >= 0; --i)
    if (++bytes[i] != 0) break;
  return bytes;
}

}  // namespace

std::optional<Ulid> Ulid::Parse(std::string_view text) {
  if (text.size() != kTextLength || text[0] > '7') return std::nullopt;
  std::array<uint8_t, 16> bytes{};
  Bits128 value = 0;
  for (char c : text) {
    const size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    value = (value << 5) | digit;
  }
  for (int i = 15; i >= 0; --i, value >>= 8) bytes[i] = static_cast<uint8_t>(value);
  return Ulid(bytes);
}

std::string Ulid::str() const {
  Bits128 value = 0;
  for (uint8_t byte : bytes_) value = (value << 8) | byte;
  std::string text(kTextLength, '0');
  for (size_t i = kTextLength; i-- > 0; value >>= 5) text[i] = kAlphabet[static_cast<size_t>(value & 31)];
  return text;
}

WallTime Ulid::time() const {
  int64_t millis = 0;
  for (int i = 0; i < 6; ++i) millis = (millis << 8) | bytes_[i];
  return WallFromMicros(millis * 1000);
}

UlidGenerator::UlidGenerator(const Clock& clock) : UlidGenerator(clock, SystemSeed()) {}
UlidGenerator::UlidGenerator(const Clock& clock, uint64_t seed) : clock_(clock), random_(seed) {}

Ulid UlidGenerator::Next() {
  const int64_t millis = std::max<int64_t>(0, ToMicros(clock_.Wall()) / 1000);
  absl::MutexLock lock(&mutex_);
  Ulid next(Compose(static_cast<uint64_t>(millis), random_));
  const bool same_or_earlier = std::memcmp(next.bytes().data(), last_.bytes().data(), 6) <= 0;
  if (same_or_earlier) next = Ulid(Increment(last_.bytes()));
  return last_ = next;
}

}  // namespace cordon
