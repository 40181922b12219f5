// SPDX-License-Identifier: Apache-2.0
// Requests and answers as the handlers see them: no Boost here.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace cordon {

struct HttpRequest {
  std::string method;  // "GET", "POST", "DELETE"
  std::string path;    // without query, not decoded: ids hold no character that needs it
  std::map<std::string, std::string> query;
  std::map<std::string, std::string> headers;  // lower-case names; only those that handlers use
  std::string body;
  bool from_loopback = false;
  std::string address;  // of the peer

  std::string_view Header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string_view{} : std::string_view(found->second);
  }
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

// {"error": message} with the status that fits the code: 400, 404, 409, 429, 501, 503, 504 or 500.
HttpResponse ErrorResponse(const absl::Status& status);
HttpResponse TextResponse(int status, std::string text);

}  // namespace cordon
