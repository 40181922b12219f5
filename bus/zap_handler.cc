// SPDX-License-Identifier: Apache-2.0
#include "bus/zap_handler.h"

#include <zmq.h>

#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"

namespace cordon {
namespace {

constexpr char kZapEndpoint[] = "inproc://zeromq.zap.01";
constexpr size_t kKeyBytes = 32;
constexpr size_t kRequestParts = 7;  // version, id, domain, address, identity, mechanism, key
constexpr Seconds kLookAgain{1};

// All parts of one request, or empty.
std::vector<std::string> ReceiveParts(void* handle) {
  std::vector<std::string> parts;
  int more = 1;
  while (more != 0 && parts.size() < 16) {
    zmq_msg_t message;
    zmq_msg_init(&message);
    if (zmq_msg_recv(&message, handle, ZMQ_DONTWAIT) < 0) {
      zmq_msg_close(&message);
      return {};
    }
    parts.emplace_back(static_cast<const char*>(zmq_msg_data(&message)), zmq_msg_size(&message));
    more = zmq_msg_more(&message);
    zmq_msg_close(&message);
  }
  return parts;
}

void SendParts(void* handle, const std::vector<std::string>& parts) {
  for (size_t i = 0; i < parts.size(); ++i)
    zmq_send(handle, parts[i].data(), parts[i].size(), i + 1 < parts.size() ? ZMQ_SNDMORE : 0);
}

std::string Z85(const std::string& key) {
  std::string text(41, '\0');
  zmq_z85_encode(text.data(), reinterpret_cast<const uint8_t*>(key.data()), kKeyBytes);
  text.resize(40);
  return text;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ZapHandler>> ZapHandler::Start(void* context, KeyRing keys,
                                                              std::string keys_dir,
                                                              Metrics& metrics) {
  void* handle = zmq_socket(context, ZMQ_REP);
  CORDON_CHECK(handle != nullptr, "the context has sockets left");
  Socket socket(handle);
  const int no_linger = 0;
  zmq_setsockopt(handle, ZMQ_LINGER, &no_linger, sizeof no_linger);
  if (zmq_bind(handle, kZapEndpoint) != 0)
    return absl::InternalError("cannot start the authenticator");
  return std::unique_ptr<ZapHandler>(
      new ZapHandler(std::move(socket), std::move(keys), std::move(keys_dir), metrics));
}

ZapHandler::ZapHandler(Socket socket, KeyRing keys, std::string keys_dir, Metrics& metrics)
    : socket_(std::move(socket)),
      keys_(std::move(keys)),
      keys_dir_(std::move(keys_dir)),
      admitted_(metrics.Counter("cordon_bus_handshakes_total",
                                "Peers that connected with a key, by outcome.",
                                {{"outcome", "admitted"}})),
      rejected_(metrics.Counter("cordon_bus_handshakes_total",
                                "Peers that connected with a key, by outcome.",
                                {{"outcome", "rejected"}})),
      turned_away_(SystemClock(), log::Level::kWarning,
                   "a peer with an unknown key was turned away; if it is one of yours, put its "
                   ".pub file into the keys "
                   "folder",
                   keys_dir_),
      thread_([this] { Run(); }) {}

ZapHandler::~ZapHandler() {
  stopping_ = true;
  stop_.Signal();
  thread_.join();
}

void ZapHandler::ExpectStranger(const std::string& public_key) {
  absl::MutexLock lock(&mutex_);
  expected_stranger_ = public_key;
}

void ZapHandler::Run() {
  SetThreadName("zap");
  while (!stopping_) {
    WaitReadable({socket_.handle()}, stop_, Milliseconds(1000));
    Answer();
  }
}

void ZapHandler::Answer() {
  const std::vector<std::string> request = ReceiveParts(socket_.handle());
  if (request.empty()) return;
  std::string name;
  std::string key;
  if (request.size() == kRequestParts && request[0] == "1.0" && request[5] == "CURVE" &&
      request[6].size() == kKeyBytes) {
    key = Z85(request[6]);
    name = NameOf(key);
  }
  const std::string id = request.size() > 1 ? request[1] : "";
  if (!name.empty()) {
    admitted_.Increment();
    SendParts(socket_.handle(), {"1.0", id, "200", "OK", name, ""});
    return;
  }
  SendParts(socket_.handle(), {"1.0", id, "400", "unknown key", "", ""});
  {
    absl::MutexLock lock(&mutex_);
    if (key == expected_stranger_ && !key.empty()) return;
  }
  rejected_.Increment();
  turned_away_.Note(fmt::format("{} {}", request.size() > 3 ? request[3] : "", key));
}

std::string ZapHandler::NameOf(const std::string& public_key) {
  if (SystemClock().Boot() - looked_ >= kLookAgain) ReloadKeys();
  const auto peer = keys_.peers.find(public_key);
  return peer == keys_.peers.end() ? "" : peer->second;
}

void ZapHandler::ReloadKeys() {
  looked_ = SystemClock().Boot();
  absl::StatusOr<KeyRing> ring = LoadKeyRing(keys_dir_, keys_.own_name);
  if (ring.ok()) {
    keys_.peers = std::move(ring->peers);
  } else {
    log::Warning("the keys folder cannot be read again; the known keys stay",
                 {{"why", MessageOf(ring.status())}});
  }
}

}  // namespace cordon
