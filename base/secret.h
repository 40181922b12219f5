// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace cordon {

// A password or key. It has no stream operator, no formatter and no comparison: it cannot get into a log by accident.
// The bytes are overwritten when it goes.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret&) = default;
  Secret(Secret&&) = default;
  Secret& operator=(const Secret&) = default;
  Secret& operator=(Secret&&) = default;
  ~Secret() {
    volatile char* bytes = value_.data();
    for (size_t i = 0; i < value_.size(); ++i) bytes[i] = 0;
  }
  bool empty() const { return value_.empty(); }
  // For the call that needs it (a digest, a handshake) and nothing else.
  std::string_view Reveal() const { return value_; }

 private:
  std::string value_;
};

}  // namespace cordon
