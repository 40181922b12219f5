// SPDX-License-Identifier: Apache-2.0
// CURVE key files. A folder holds NAME.key (secret, mode 0600) for whoever runs on this machine and
// NAME.pub for every peer that may talk to it; the file's name is the peer's name.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/secret.h"
#include "base/status.h"

namespace cordon {

// The dispatcher's key is called this.
inline constexpr char kDispatcherName[] = "dispatch";

struct CurveKeys {
  std::string public_key;  // Z85, 40 characters
  Secret secret_key;       // Z85, 40 characters
};

// A key folder as one process sees it.
struct KeyRing {
  std::string own_name;
  CurveKeys own;
  std::map<std::string, std::string> peers;  // public key (Z85) -> name; own key included
  std::string dispatcher_public_key;         // empty when FOLDER/dispatch.pub is missing
};

CurveKeys GenerateCurveKeys();

// Writes FOLDER/NAME.key (0600) and FOLDER/NAME.pub; makes the folder (0700). ALREADY_EXISTS when
// there is one: a key is never overwritten. INVALID_ARGUMENT: a name that no node can have.
absl::Status GenerateKeyFiles(const std::string& folder, const std::string& name);

// NOT_FOUND (no NAME.key; says which command makes it), FAILED_PRECONDITION (readable by others),
// INVALID_ARGUMENT (not a key; the same key under two names).
absl::StatusOr<KeyRing> LoadKeyRing(const std::string& folder, const std::string& own_name);

struct KeyFileInfo {
  std::string name;
  std::string public_key;
  bool has_secret = false;
};
// Sorted by name. NOT_FOUND: no such folder.
absl::StatusOr<std::vector<KeyFileInfo>> ListKeyFiles(const std::string& folder);

}  // namespace cordon
