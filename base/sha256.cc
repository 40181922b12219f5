// SPDX-License-Identifier: Apache-2.0
#include "base/sha256.h"

#include <sodium/crypto_hash_sha256.h>

#include <array>
#include <fstream>
#include <vector>

namespace cordon {
namespace {

using Digest = std::array<unsigned char, crypto_hash_sha256_BYTES>;

std::string Hex(const Digest& digest) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : digest) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

}  // namespace

std::string Sha256Hex(std::string_view bytes) {
  Digest digest{};
  crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(bytes.data()),
                     bytes.size());
  return Hex(digest);
}

absl::StatusOr<std::string> Sha256HexOfFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(path + ": cannot be opened");
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  std::vector<char> piece(1 << 20);
  while (file) {
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    crypto_hash_sha256_update(&state, reinterpret_cast<const unsigned char*>(piece.data()),
                              static_cast<unsigned long long>(file.gcount()));
  }
  if (!file.eof()) return absl::DataLossError(path + ": cannot be read to its end");
  Digest digest{};
  crypto_hash_sha256_final(&state, digest.data());
  return Hex(digest);
}

}  // namespace cordon
