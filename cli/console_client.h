// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/status.h"
#include "cli/http_client.h"

namespace cordon::cli {

// A console's HTTP interface (docs/api.md) as JSON. Used by one thread.
class ConsoleClient {
 public:
  // `address` as "http://127.0.0.1:8080".
  explicit ConsoleClient(std::string address) : address_(std::move(address)) {}

  // Errors as HttpClient; UNKNOWN too when the answer is not what a Cordon console says.
  absl::StatusOr<nlohmann::json> Get(const std::string& path);
  // The array `list` of the object at `path`.
  absl::StatusOr<nlohmann::json> GetList(const std::string& path, const char* list);
  absl::Status Post(const std::string& path, const nlohmann::json& body);
  // GET with a query, the answer unread.
  absl::Status Tell(const std::string& path, const std::map<std::string, std::string>& query);

  const std::string& address() const { return address_; }

 private:
  const std::string address_;
  HttpClient http_;
};

}  // namespace cordon::cli
