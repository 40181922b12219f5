// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "base/status.h"

namespace cordon::cli {

// A plain HTTP client on one kept connection. Used by one thread.
class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // The body of a 2xx answer. UNAVAILABLE: no answer within 3 s. UNKNOWN: another status; the
  // message holds it and the body's beginning.
  absl::StatusOr<std::string> Get(const std::string& url);
  absl::StatusOr<std::string> PostJson(const std::string& url, const std::string& json);

  // "a=1&b=x%20y"
  std::string EncodeQuery(const std::map<std::string, std::string>& parameters) const;

 private:
  absl::StatusOr<std::string> Perform(const std::string& url);
  void* curl_ = nullptr;  // CURL*
};

}  // namespace cordon::cli
