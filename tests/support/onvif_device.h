// SPDX-License-Identifier: Apache-2.0
// An ONVIF device for tests: a real HTTP server on loopback that speaks SOAP, checks
// WS-UsernameToken and HTTP digest, and can be as odd as real ones are.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/time.h"
#include "tests/support/loopback_listener.h"

namespace cordon::testing {

struct OnvifDeviceOptions {
  std::string username = "admin";
  std::string password = "s3cret-Canary-77";
  bool check_http_digest = false;
  bool check_token = true;  // WS-UsernameToken
  Seconds clock_skew{0};    // device minus real
  bool media2 = true;
  bool services = true;  // false: knows only GetCapabilities
  bool time_needs_login = false;
  bool refuses_absolute_times = false;
  bool refuses_missing_time = true;
  bool knows_renew = true;
  Seconds lifetime{60};                 // granted, whatever was asked
  std::string own_host = "10.255.0.1";  // what it believes its address is
  uint16_t stream_port = 8554;
  std::string stream_user_info = "admin:leaked@";
};

class OnvifDevice {
 public:
  explicit OnvifDevice(OnvifDeviceOptions options = {});
  ~OnvifDevice();
  OnvifDevice(const OnvifDevice&) = delete;
  OnvifDevice& operator=(const OnvifDevice&) = delete;

  std::string Url() const;
  uint16_t port() const { return listener_.port(); }

  // One item each; an empty data name makes a message without data.
  void Notify(const std::string& topic, const std::string& operation, const std::string& source,
              const std::string& item, const std::string& value);
  // The next call of this action is answered by a fault ("ter:ActionNotSupported", ...).
  void FailNext(const std::string& action, const std::string& subcode);
  // The next answer is these bytes instead.
  void AnswerNext(const std::string& bytes);
  // Forgets all subscriptions, as after a restart.
  void Restart();
  int Calls(const std::string& action) const;
  bool AwaitCalls(const std::string& action, int count, Milliseconds patience) const;
  // Everything that clients sent, to look for secrets.
  std::string Received() const;

 private:
  struct Request {
    std::string head;
    std::string body;
  };
  void Serve(int fd);
  bool ReadRequest(int fd, std::string& pending, Request& request) const;
  std::string Answer(const Request& request);
  std::string AnswerAction(const std::string& action, const std::string& body);
  std::string AnswerDevice(const std::string& action);
  std::string AnswerMedia(const std::string& action, const std::string& body);
  std::string AnswerEvents(const std::string& action, const std::string& body);
  std::string Pull();
  bool TokenIsGood(const std::string& body);
  bool DigestIsGood(const std::string& head) const;
  std::string Now(Seconds later = Seconds(0)) const;
  std::string Host() const;

  const OnvifDeviceOptions options_;
  mutable absl::Mutex mutex_;
  std::deque<std::string> messages_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, int> calls_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::string> failures_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> nonces_ ABSL_GUARDED_BY(mutex_);
  std::string next_answer_ ABSL_GUARDED_BY(mutex_);
  std::string received_ ABSL_GUARDED_BY(mutex_);
  int subscription_ ABSL_GUARDED_BY(mutex_) = 0;  // number of the live one; 0: none
  int last_subscription_ ABSL_GUARDED_BY(mutex_) = 0;
  LoopbackListener listener_;  // last: its threads use all of the above
};

}  // namespace cordon::testing
