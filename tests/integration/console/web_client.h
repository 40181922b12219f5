// SPDX-License-Identifier: Apache-2.0
// Plain blocking HTTP and WebSocket clients with deadlines, for tests of the console.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace cordon::testing {

struct WebAnswer {
  int status = 0;                              // 0: no answer
  std::map<std::string, std::string> headers;  // lower case
  std::string body;
  nlohmann::json json() const { return nlohmann::json::parse(body, nullptr, false); }
};

using WebHeaders = std::map<std::string, std::string>;

WebAnswer Fetch(uint16_t port, const std::string& method, const std::string& target,
                const std::string& body = "", const WebHeaders& headers = {});
// POST with a JSON body.
WebAnswer Send(uint16_t port, const std::string& target, const nlohmann::json& body,
               const WebHeaders& headers = {});
// The raw bytes as they are, and what comes back until the peer closes or the deadline is over.
std::string Exchange(uint16_t port, const std::string& bytes);

// A WebSocket of the console.
class SocketClient {
 public:
  struct Message {
    bool text = false;
    std::string bytes;
  };
  // `receive_buffer`: of the socket; 0: the system's.
  SocketClient(uint16_t port, const std::string& target, int receive_buffer = 0,
               const std::string& origin = "");
  ~SocketClient();
  bool connected() const;
  // The next message; nothing when none comes in time or the server closed.
  std::optional<Message> Next(int wait_ms = 10'000);
  int close_code() const;  // 0: not closed by the server
  std::string close_reason() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// One console on the feed.
class FeedClient {
 public:
  explicit FeedClient(uint16_t port, int receive_buffer = 0)
      : socket_(port, "/api/feed", receive_buffer) {}
  bool connected() const { return socket_.connected(); }
  std::optional<nlohmann::json> Next(int wait_ms = 10'000);
  // Waits for a message of this type.
  std::optional<nlohmann::json> NextOf(const std::string& type);
  int close_code() const { return socket_.close_code(); }

 private:
  SocketClient socket_;
};

}  // namespace cordon::testing
