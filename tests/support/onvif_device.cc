// SPDX-License-Identifier: Apache-2.0
#include "tests/support/onvif_device.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/clock.h"
#include "ingest/onvif_soap.h"
#include "ingest/onvif_xml.h"
#include "ingest/rtsp_auth.h"

namespace cordon::testing {
namespace {

constexpr int kSliceMs = 20;
constexpr const char* kEnvelope =
    "<?xml version=\"1.0\"?><SOAP-ENV:Envelope "
    "xmlns:SOAP-ENV=\"http://www.w3.org/2003/05/soap-envelope\" "
    "xmlns:tds=\"http://www.onvif.org/ver10/device/wsdl\" "
    "xmlns:trt=\"http://www.onvif.org/ver10/media/wsdl\" "
    "xmlns:tr2=\"http://www.onvif.org/ver20/media/wsdl\" "
    "xmlns:tev=\"http://www.onvif.org/ver10/events/wsdl\" "
    "xmlns:tt=\"http://www.onvif.org/ver10/schema\" "
    "xmlns:wsnt=\"http://docs.oasis-open.org/wsn/b-2\" "
    "xmlns:wsa5=\"http://www.w3.org/2005/08/addressing\" "
    "xmlns:tns1=\"http://www.onvif.org/ver10/topics\" "
    "xmlns:v=\"urn:vendor\"><SOAP-ENV:Body>{}</SOAP-ENV:Body></SOAP-ENV:Envelope>";

std::string Http(int status, const std::string& body, const std::string& headers = "") {
  return fmt::format(
      "HTTP/1.1 {} X\r\nContent-Type: application/soap+xml\r\nContent-Length: {}\r\n{}\r\n{}",
      status, body.size(), headers, body);
}

std::string Fault(const std::string& subcode) {
  const bool sender = subcode != "ter:Action";
  return Http(
      sender ? 400 : 500,
      fmt::format(
          fmt::runtime(kEnvelope),
          fmt::format("<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:{}</SOAP-ENV:Value>"
                      "<SOAP-ENV:Subcode><SOAP-ENV:Value>{}</SOAP-ENV:Value></SOAP-ENV:Subcode>"
                      "</SOAP-ENV:Code><SOAP-ENV:Reason><SOAP-ENV:Text>no</SOAP-ENV:Text>"
                      "</SOAP-ENV:Reason></SOAP-ENV:Fault>",
                      sender ? "Sender" : "Receiver", subcode)));
}

// "name" of a digest header.
std::string Parameter(const std::string& header, const std::string& name) {
  const size_t at = header.find(name + "=");
  if (at == std::string::npos) return {};
  const size_t begin = at + name.size() + 1;
  if (header[begin] != '"') return header.substr(begin, header.find_first_of(",\r", begin) - begin);
  return header.substr(begin + 1, header.find('"', begin + 1) - begin - 1);
}

std::string Profile(const std::string& token, const std::string& encoding, int width, int height,
                    bool media2) {
  const std::string encoder = fmt::format(
      "<tt:Encoding>{}</tt:Encoding><tt:Resolution><tt:Width>{}</tt:Width><tt:Height>{}</"
      "tt:Height></tt:Resolution>"
      "<tt:RateControl><tt:FrameRateLimit>25</tt:FrameRateLimit><tt:BitrateLimit>4096</"
      "tt:BitrateLimit></tt:RateControl>",
      encoding, width, height);
  if (media2) {
    return fmt::format(
        "<tr2:Profiles token=\"{}\"><tr2:Name>{}</tr2:Name><tr2:Configurations><tr2:VideoEncoder "
        "token=\"e\">"
        "{}</tr2:VideoEncoder></tr2:Configurations></tr2:Profiles>",
        token, token, encoder);
  }
  return fmt::format(
      "<trt:Profiles token=\"{}\"><tt:Name>{}</tt:Name><tt:VideoEncoderConfiguration token=\"e\">{}"
      "</tt:VideoEncoderConfiguration></trt:Profiles>",
      token, token, encoder);
}

}  // namespace

OnvifDevice::OnvifDevice(OnvifDeviceOptions options) : options_(std::move(options)) {
  listener_.Start([this](int fd, int) { Serve(fd); });
}

OnvifDevice::~OnvifDevice() { listener_.Stop(); }

std::string OnvifDevice::Url() const {
  return fmt::format("http://127.0.0.1:{}/onvif/device_service", port());
}

// What it says of itself: another host, as behind NAT.
std::string OnvifDevice::Host() const {
  return fmt::format("http://{}:{}", options_.own_host, port());
}

std::string OnvifDevice::Now(Seconds later) const {
  return FormatXmlTime(SystemClock().Wall() + options_.clock_skew + later);
}

bool OnvifDevice::ReadRequest(int fd, std::string& pending, Request& request) const {
  while (true) {
    const size_t end = pending.find("\r\n\r\n");
    if (end != std::string::npos) {
      const std::string head = pending.substr(0, end + 2);
      const size_t at = head.find("Content-Length: ");
      const size_t length =
          at == std::string::npos ? 0 : static_cast<size_t>(std::atoi(head.c_str() + at + 16));
      if (pending.size() >= end + 4 + length) {
        request = {head, pending.substr(end + 4, length)};
        pending.erase(0, end + 4 + length);
        return true;
      }
    }
    char piece[8192];
    const size_t n = listener_.Receive(fd, piece, sizeof piece);
    if (n == 0) return false;
    pending.append(piece, n);
  }
}

void OnvifDevice::Serve(int fd) {
  std::string pending;
  Request request;
  while (ReadRequest(fd, pending, request)) {
    const std::string answer = Answer(request);
    std::string_view rest = answer;
    while (!rest.empty()) {
      const ssize_t n = ::send(fd, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (n <= 0) break;
      rest.remove_prefix(static_cast<size_t>(n));
    }
  }
}

bool OnvifDevice::TokenIsGood(const std::string& body) {
  pugi::xml_document document;
  if (!ParseXml(body, document).ok()) return false;
  const pugi::xml_node token = Descend(document, "Envelope/Header/Security/UsernameToken");
  const std::string created = TextOf(Child(token, "Created"));
  const auto time = ParseXmlTime(created);
  const auto nonce = DecodeBase64(TextOf(Child(token, "Nonce")));
  if (!time || !nonce || TextOf(Child(token, "Username")) != options_.username) return false;
  const auto off = *time - (SystemClock().Wall() + options_.clock_skew);
  if (std::chrono::abs(off) > Seconds(30)) return false;
  const std::string joined = *nonce + created + options_.password;
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  EVP_Digest(joined.data(), joined.size(), digest, &length, EVP_sha1(), nullptr);
  if (Base64({reinterpret_cast<const char*>(digest), length}) != TextOf(Child(token, "Password")))
    return false;
  const absl::MutexLock lock(&mutex_);
  return nonces_.insert(*nonce).second;  // no replay
}

bool OnvifDevice::DigestIsGood(const std::string& head) const {
  const size_t at = head.find("Authorization: Digest ");
  if (at == std::string::npos) return false;
  const std::string header = head.substr(at, head.find("\r\n", at) - at);
  const std::string ha1 = HashHex(false, options_.username + ":onvif:" + options_.password);
  const std::string ha2 = HashHex(false, "POST:" + Parameter(header, "uri"));
  const std::string expected =
      HashHex(false, fmt::format("{}:n0nce:{}:{}:auth:{}", ha1, Parameter(header, "nc"),
                                 Parameter(header, "cnonce"), ha2));
  return expected == Parameter(header, "response");
}

std::string OnvifDevice::Answer(const Request& request) {
  pugi::xml_document document;
  const std::string challenge =
      Http(401, "", "WWW-Authenticate: Digest realm=\"onvif\", nonce=\"n0nce\", qop=\"auth\"\r\n");
  if (!ParseXml(request.body, document).ok()) {
    return options_.check_http_digest ? challenge : Http(400, "");
  }
  const pugi::xml_node call = Descend(document, "Envelope/Body").first_child();
  const std::string action(LocalName(call));
  const bool open = action == "GetSystemDateAndTime" && !options_.time_needs_login;
  if (!open && options_.check_http_digest && !DigestIsGood(request.head)) {
    return challenge;
  }
  {
    const absl::MutexLock lock(&mutex_);
    ++calls_[action];
    received_ += request.head + request.body;
    if (!next_answer_.empty()) return std::exchange(next_answer_, "");
    const auto failure = failures_.find(action);
    if (failure != failures_.end()) {
      const std::string subcode = failure->second;
      failures_.erase(failure);
      return Fault(subcode);
    }
  }
  if (!open && options_.check_token && !TokenIsGood(request.body))
    return Fault("ter:NotAuthorized");
  return AnswerAction(action, request.body);
}

std::string OnvifDevice::AnswerAction(const std::string& action, const std::string& body) {
  std::string content = AnswerDevice(action);
  if (content.empty()) content = AnswerMedia(action, body);
  if (content.empty()) content = AnswerEvents(action, body);
  if (content.empty()) content = "ter:ActionNotSupported";
  if (content.starts_with("ter:")) return Fault(content);
  return Http(200, fmt::format(fmt::runtime(kEnvelope), content));
}

std::string OnvifDevice::AnswerDevice(const std::string& action) {
  if (action == "GetSystemDateAndTime") {
    const std::string now = Now();  // 2026-03-01T12:34:56Z
    return fmt::format(
        "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:UTCDateTime><tt:Time><tt:"
        "Hour>{}</tt:Hour>"
        "<tt:Minute>{}</tt:Minute><tt:Second>{}</tt:Second></tt:Time><tt:Date><tt:Year>{}</"
        "tt:Year><tt:Month>{}</tt:Month>"
        "<tt:Day>{}</tt:Day></tt:Date></tt:UTCDateTime></tds:SystemDateAndTime></"
        "tds:GetSystemDateAndTimeResponse>",
        std::stoi(now.substr(11, 2)), std::stoi(now.substr(14, 2)), std::stoi(now.substr(17, 2)),
        now.substr(0, 4), std::stoi(now.substr(5, 2)), std::stoi(now.substr(8, 2)));
  }
  if (action == "GetDeviceInformation") {
    return "<tds:GetDeviceInformationResponse><tds:Manufacturer>Acme &amp; "
           "Co</tds:Manufacturer><tds:Model>Eye 7</tds:Model>"
           "<tds:FirmwareVersion>1.2</tds:FirmwareVersion><tds:SerialNumber>42</tds:SerialNumber>"
           "</tds:GetDeviceInformationResponse>";
  }
  const auto service = [&](const char* name, const char* path) {
    return fmt::format(
        "<tds:Service><tds:Namespace>http://www.onvif.org/{}/wsdl</tds:Namespace><tds:XAddr>{}/{}</"
        "tds:XAddr>"
        "</tds:Service>",
        name, Host(), path);
  };
  if (action == "GetServices" && options_.services) {
    return "<tds:GetServicesResponse>" + service("ver10/media", "onvif/media") +
           (options_.media2 ? service("ver20/media", "onvif/media2") : "") +
           service("ver10/events", "onvif/events") + "</tds:GetServicesResponse>";
  }
  if (action == "GetCapabilities") {
    return fmt::format(
        "<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Events><tt:XAddr>{}/onvif/events</"
        "tt:XAddr>"
        "</tt:Events><tt:Media><tt:XAddr>{}/onvif/media</tt:XAddr></tt:Media></tds:Capabilities>"
        "</tds:GetCapabilitiesResponse>",
        Host(), Host());
  }
  return {};
}

std::string OnvifDevice::AnswerMedia(const std::string& action, const std::string& body) {
  const bool second = body.find("ver20/media") != std::string::npos;
  if (action == "GetProfiles") {
    const std::string prefix = second ? "tr2" : "trt";
    return "<" + prefix + ":GetProfilesResponse>" + Profile("jpeg", "JPEG", 3000, 2000, second) +
           Profile("sub", "H264", 640, 360, second) +
           Profile("main", second ? "H265" : "H264", 1920, 1080, second) + "</" + prefix +
           ":GetProfilesResponse>";
  }
  if (action == "GetStreamUri") {
    const std::string token = body.find(">sub<") != std::string::npos ? "sub" : "main";
    const std::string uri = fmt::format("rtsp://{}{}:{}/{}?a=1&amp;b=2", options_.stream_user_info,
                                        options_.own_host, options_.stream_port, token);
    return second ? "<tr2:GetStreamUriResponse><tr2:Uri>" + uri +
                        "</tr2:Uri></tr2:GetStreamUriResponse>"
                  : "<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>" + uri +
                        "</tt:Uri></trt:MediaUri></trt:GetStreamUriResponse>";
  }
  return {};
}

std::string OnvifDevice::AnswerEvents(const std::string& action, const std::string& body) {
  const std::string times = fmt::format(
      "<wsnt:CurrentTime>{}</wsnt:CurrentTime><wsnt:TerminationTime>{}</wsnt:TerminationTime>",
      Now(), Now(options_.lifetime));
  if (action == "CreatePullPointSubscription") {
    const size_t at = body.find("<InitialTerminationTime>");
    if (at == std::string::npos && options_.refuses_missing_time) return "ter:InvalidArgVal";
    if (options_.refuses_absolute_times && body.substr(at + 24, 1) != "P")
      return "ter:InvalidArgVal";
    const absl::MutexLock lock(&mutex_);
    subscription_ = ++last_subscription_;
    return fmt::format(
        "<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference><wsa5:Address>{}/"
        "onvif/sub"
        "</wsa5:Address><wsa5:ReferenceParameters><v:Id>{}</v:Id></wsa5:ReferenceParameters>"
        "</tev:SubscriptionReference>{}</tev:CreatePullPointSubscriptionResponse>",
        Host(), subscription_, times);
  }
  const bool subscription_call = action == "PullMessages" || action == "Renew" ||
                                 action == "Unsubscribe" || action == "SetSynchronizationPoint";
  if (!subscription_call) return {};
  {
    const absl::MutexLock lock(&mutex_);
    // The id must come back as a header, its prefix declared.
    const bool ours = body.find(fmt::format(">{}</v:Id>", subscription_)) != std::string::npos &&
                      body.find("xmlns:v=\"urn:vendor\"") != std::string::npos;
    if (subscription_ == 0 || !ours) return "ter:InvalidArgVal";
    if (action == "Unsubscribe") subscription_ = 0;
  }
  if (action == "PullMessages") return Pull();
  if (action == "Renew") {
    return options_.knows_renew ? "<wsnt:RenewResponse>" + times + "</wsnt:RenewResponse>"
                                : "ter:ActionNotSupported";
  }
  return fmt::format("<wsnt:{}Response/>", action);
}

std::string OnvifDevice::Pull() {
  std::string content;
  const absl::MutexLock lock(&mutex_);
  const auto something = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return !messages_.empty() || subscription_ == 0;
  };
  for (int i = 0; i < 50 && !listener_.stopping() && !something(); ++i) {
    mutex_.AwaitWithTimeout(absl::Condition(&something), absl::Milliseconds(kSliceMs));
  }
  while (!messages_.empty()) {
    content += messages_.front();
    messages_.pop_front();
  }
  return "<tev:PullMessagesResponse>" + content + "</tev:PullMessagesResponse>";
}

void OnvifDevice::Notify(const std::string& topic, const std::string& operation,
                         const std::string& source, const std::string& item,
                         const std::string& value) {
  const std::string data =
      item.empty() ? "" : fmt::format("<tt:SimpleItem Name=\"{}\" Value=\"{}\"/>", item, value);
  const std::string property =
      operation.empty() ? "" : fmt::format(" PropertyOperation=\"{}\"", operation);
  const absl::MutexLock lock(&mutex_);
  messages_.push_back(
      fmt::format("<wsnt:NotificationMessage><wsnt:Topic "
                  "Dialect=\"x\">{}</wsnt:Topic><wsnt:Message><tt:Message UtcTime=\"{}\"{}>"
                  "<tt:Source><tt:SimpleItem Name=\"VideoSourceConfigurationToken\" "
                  "Value=\"1\"/><tt:SimpleItem Name=\"Rule\" "
                  "Value=\"{}\"/></tt:Source><tt:Data>{}</tt:Data></tt:Message></wsnt:Message></"
                  "wsnt:NotificationMessage>",
                  topic, Now(), property, source, data));
}

void OnvifDevice::FailNext(const std::string& action, const std::string& subcode) {
  const absl::MutexLock lock(&mutex_);
  failures_[action] = subcode;
}

void OnvifDevice::AnswerNext(const std::string& bytes) {
  const absl::MutexLock lock(&mutex_);
  next_answer_ = bytes;
}

void OnvifDevice::Restart() {
  const absl::MutexLock lock(&mutex_);
  subscription_ = 0;
}

int OnvifDevice::Calls(const std::string& action) const {
  const absl::MutexLock lock(&mutex_);
  const auto found = calls_.find(action);
  return found == calls_.end() ? 0 : found->second;
}

bool OnvifDevice::AwaitCalls(const std::string& action, int count, Milliseconds patience) const {
  const absl::MutexLock lock(&mutex_);
  const auto came = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    const auto found = calls_.find(action);
    return found != calls_.end() && found->second >= count;
  };
  return mutex_.AwaitWithTimeout(absl::Condition(&came), absl::Milliseconds(patience.count()));
}

std::string OnvifDevice::Received() const {
  const absl::MutexLock lock(&mutex_);
  return received_;
}

}  // namespace cordon::testing
