// SPDX-License-Identifier: Apache-2.0
#include "bus/keys.h"

#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <regex>

#include "absl/strings/ascii.h"
#include "base/check.h"
#include "base/file_util.h"

namespace cordon {
namespace {

namespace fs = std::filesystem;

constexpr size_t kKeyText = 40;
constexpr size_t kMaxKeyFile = 4096;
constexpr size_t kMaxKeys = 4096;

std::string KeyPath(const std::string& folder, const std::string& name) {
  return folder + "/" + name + ".key";
}
std::string PubPath(const std::string& folder, const std::string& name) {
  return folder + "/" + name + ".pub";
}

bool IsKeyText(const std::string& text) {
  std::array<uint8_t, 32> bytes{};
  return text.size() == kKeyText && zmq_z85_decode(bytes.data(), text.c_str()) != nullptr;
}

absl::StatusOr<std::string> ReadKey(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxKeyFile));
  std::string key(absl::StripAsciiWhitespace(text));
  if (!IsKeyText(key))
    return absl::InvalidArgumentError(fmt::format("{} does not hold a CURVE key", path));
  return key;
}

absl::Status CheckName(const std::string& name) {
  static const std::regex pattern("[a-z0-9][a-z0-9-]{0,31}");
  if (std::regex_match(name, pattern)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("'{}' cannot be the name of a node: 1 to 32 of a-z, 0-9 and -, or '{}'", name,
                  kDispatcherName));
}

std::string HowToGenerate(const std::string& folder, const std::string& name) {
  return fmt::format("make it with 'cordon keys generate {} --name {}'", folder, name);
}

absl::StatusOr<std::vector<std::string>> PublicKeyNames(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (it->path().extension() == ".pub" && names.size() < kMaxKeys)
      names.push_back(it->path().stem().string());
  if (error)
    return absl::NotFoundError(
        fmt::format("cannot read the keys folder {}: {}", folder, error.message()));
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

CurveKeys GenerateCurveKeys() {
  std::array<char, kKeyText + 1> public_key{}, secret_key{};
  CORDON_CHECK(zmq_curve_keypair(public_key.data(), secret_key.data()) == 0,
               "this libzmq has CURVE");
  CurveKeys keys{public_key.data(), Secret(secret_key.data())};
  std::fill(secret_key.begin(), secret_key.end(), '\0');
  return keys;
}

absl::Status GenerateKeyFiles(const std::string& folder, const std::string& name) {
  RETURN_IF_ERROR(CheckName(name));
  if (!fs::exists(folder)) {
    const fs::path parent = fs::path(folder).parent_path();
    if (!parent.empty()) RETURN_IF_ERROR(MakeDirectories(parent.string()));
    if (::mkdir(folder.c_str(), 0700) != 0)
      return absl::ErrnoToStatus(errno, fmt::format("cannot create folder {}", folder));
  }
  for (const std::string& path : {KeyPath(folder, name), PubPath(folder, name)})
    if (fs::exists(path))
      return absl::AlreadyExistsError(
          fmt::format("{} exists; a key is never overwritten: move it away first", path));
  const CurveKeys keys = GenerateCurveKeys();
  RETURN_IF_ERROR(
      WriteFileDurably(KeyPath(folder, name), fmt::format("{}\n", keys.secret_key.Reveal()), 0600));
  return WriteFileDurably(PubPath(folder, name), keys.public_key + "\n", 0644);
}

absl::StatusOr<KeyRing> LoadKeyRing(const std::string& folder, const std::string& own_name) {
  KeyRing ring;
  ring.own_name = own_name;
  const std::string path = KeyPath(folder, own_name);
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0)
    return absl::NotFoundError(
        fmt::format("{} is missing: {}", path, HowToGenerate(folder, own_name)));
  if ((info.st_mode & 077) != 0)
    return absl::FailedPreconditionError(
        fmt::format("{} can be read by others: run 'chmod 600 {}'", path, path));
  ASSIGN_OR_RETURN(std::string secret, ReadKey(path));
  std::array<char, kKeyText + 1> derived{};
  if (zmq_curve_public(derived.data(), secret.c_str()) != 0)
    return absl::InvalidArgumentError(fmt::format("{} does not hold a CURVE key", path));
  ring.own = {derived.data(), Secret(std::move(secret))};
  ASSIGN_OR_RETURN(const std::vector<std::string> names, PublicKeyNames(folder));
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(const std::string key, ReadKey(PubPath(folder, name)));
    const auto [other, is_new] = ring.peers.emplace(key, name);
    if (!is_new)
      return absl::InvalidArgumentError(
          fmt::format("{} and {} in {} hold the same key: each peer needs its own", other->second,
                      name, folder));
    if (name == kDispatcherName) ring.dispatcher_public_key = key;
  }
  ring.peers.emplace(ring.own.public_key, own_name);
  return ring;
}

absl::StatusOr<std::vector<KeyFileInfo>> ListKeyFiles(const std::string& folder) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, PublicKeyNames(folder));
  std::vector<KeyFileInfo> infos;
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(std::string key, ReadKey(PubPath(folder, name)));
    infos.push_back({name, std::move(key), fs::exists(KeyPath(folder, name))});
  }
  return infos;
}

}  // namespace cordon
