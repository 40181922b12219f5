// SPDX-License-Identifier: Apache-2.0
#include "console/static_files.h"

#include <fmt/format.h>

#include <filesystem>

#include "absl/hash/hash.h"
#include "base/file_util.h"

namespace cordon {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxAllBytes = 64 * 1024 * 1024;

std::string ContentType(const fs::path& path) {
  static const std::map<std::string, std::string> kTypes = {
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".json", "application/json"},
      {".woff2", "font/woff2"},
      {".ico", "image/x-icon"},
  };
  const auto found = kTypes.find(path.extension().string());
  return found == kTypes.end() ? "application/octet-stream" : found->second;
}

}  // namespace

absl::StatusOr<StaticFiles> StaticFiles::Load(const std::string& root) {
  StaticFiles all;
  size_t total = 0;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root, error)) {
    if (!entry.is_regular_file(error)) continue;
    ASSIGN_OR_RETURN(std::string bytes, ReadFile(entry.path().string(), kMaxAllBytes));
    total += bytes.size();
    if (total > kMaxAllBytes)
      return absl::ResourceExhaustedError(
          fmt::format("{} holds more than a page; set console.web_root to the built page", root));
    const std::string name = "/" + fs::relative(entry.path(), root, error).generic_string();
    const size_t hash = absl::HashOf(bytes);
    all.files_[name] = {ContentType(entry.path()), std::move(bytes),
                        fmt::format("\"{:016x}\"", hash), name.starts_with("/assets/")};
  }
  const auto index = all.files_.find("/index.html");
  if (index == all.files_.end())
    return absl::NotFoundError(
        fmt::format("{}: no built page there; run 'npm ci && npm run build' in console/web, or set "
                    "console.web_root",
                    root));
  all.files_["/"] = index->second;
  return all;
}

std::optional<HttpResponse> StaticFiles::Find(const HttpRequest& request) const {
  const auto found = files_.find(request.path);
  if (found == files_.end()) return std::nullopt;
  const File& file = found->second;
  HttpResponse response{200, file.content_type, {}, {{"ETag", file.etag}}};
  response.headers.emplace_back(
      "Cache-Control", file.fingerprinted ? "public, max-age=31536000, immutable" : "no-cache");
  if (request.Header("if-none-match") == file.etag) {
    response.status = 304;
  } else {
    response.body = file.bytes;
  }
  return response;
}

}  // namespace cordon
