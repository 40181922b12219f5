// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/status.h"
#include "console/http.h"

namespace cordon {

// The built page, read into memory once: a request never reaches the file system. Immutable,
// thread-safe.
class StaticFiles {
 public:
  // Reads every file below `root` (at most 64 MiB in all). NOT_FOUND when there is no index.html:
  // says how to build the page.
  static absl::StatusOr<StaticFiles> Load(const std::string& root);

  // Nothing for a path that is not there. "/" is index.html. Honours If-None-Match.
  std::optional<HttpResponse> Find(const HttpRequest& request) const;

 private:
  struct File {
    std::string content_type;
    std::string bytes;
    std::string etag;
    bool fingerprinted = false;  // its name changes with its content
  };
  std::map<std::string, File> files_;
};

}  // namespace cordon
