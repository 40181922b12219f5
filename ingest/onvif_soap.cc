// SPDX-License-Identifier: Apache-2.0
#include "ingest/onvif_soap.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>

#include "absl/strings/escaping.h"
#include "base/check.h"
#include "ingest/rtsp_auth.h"
#include "ingest/rtsp_connection.h"
#include "ingest/rtsp_text.h"

namespace cordon {
namespace {

constexpr const char* kWsse =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
constexpr const char* kWsu =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
constexpr const char* kDigestType =
    "http://docs.oasis-open.org/wss/2004/01/"
    "oasis-200401-wss-username-token-profile-1.0#PasswordDigest";
constexpr const char* kBase64Type =
    "http://docs.oasis-open.org/wss/2004/01/"
    "oasis-200401-wss-soap-message-security-1.0#Base64Binary";

std::string Random(size_t size) {
  std::string bytes(size, '\0');
  CORDON_CHECK(
      RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(size)) == 1,
      "no random numbers");
  return bytes;
}

// Base64(SHA-1(nonce + created + password)), UsernameToken profile 1.1, 3.1.
std::string PasswordDigest(const std::string& nonce, const std::string& created,
                           const Secret& password) {
  std::string joined = nonce + created;
  joined += password.Reveal();
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_Digest(joined.data(), joined.size(), digest.data(), &length, EVP_sha1(), nullptr);
  return Base64({reinterpret_cast<const char*>(digest.data()), length});
}

std::string SecurityHeader(const SoapSecurity& security) {
  const std::string nonce = Random(16);
  const std::string created = FormatXmlTime(security.device_now);
  return fmt::format(
      "<wsse:Security s:mustUnderstand=\"1\" xmlns:wsse=\"{}\" "
      "xmlns:wsu=\"{}\"><wsse:UsernameToken>"
      "<wsse:Username>{}</wsse:Username><wsse:Password Type=\"{}\">{}</wsse:Password>"
      "<wsse:Nonce EncodingType=\"{}\">{}</wsse:Nonce><wsu:Created>{}</wsu:Created>"
      "</wsse:UsernameToken></wsse:Security>",
      kWsse, kWsu, EscapeXml(security.username), kDigestType,
      PasswordDigest(nonce, created, security.password), kBase64Type, Base64(nonce), created);
}

std::string Uuid() {
  const std::string hex = absl::BytesToHexString(Random(16));
  return fmt::format("urn:uuid:{}-{}-4{}-8{}-{}", hex.substr(0, 8), hex.substr(8, 4),
                     hex.substr(13, 3), hex.substr(17, 3), hex.substr(20, 12));
}

// Subcode values of every level, joined: "Sender NotAuthorized".
std::string FaultCodes(const pugi::xml_node& fault) {
  std::string codes;
  for (pugi::xml_node code = Child(fault, "Code"); code; code = Child(code, "Subcode")) {
    codes += TextOf(Child(code, "Value")) + " ";
  }
  if (codes.empty()) codes = TextOf(Child(fault, "faultcode"));  // SOAP 1.1, as some cameras answer
  return codes;
}

absl::Status FromFault(const pugi::xml_node& fault) {
  const std::string codes = FaultCodes(fault);
  std::string reason = TextOf(Descend(fault, "Reason/Text"));
  if (reason.empty()) reason = TextOf(Child(fault, "faultstring"));
  const std::string said =
      fmt::format("the camera answers: {} ({})", Printable(reason), Printable(text::Trim(codes)));
  const auto has = [&](std::string_view word) { return codes.find(word) != std::string::npos; };
  if (has("NotAuthorized") || has("FailedAuthentication") || has("Unauthorized") ||
      has("InvalidSecurity")) {
    return absl::UnauthenticatedError(said);
  }
  if (has("ActionNotSupported")) return absl::UnimplementedError(said);
  if (has("Sender") || has("Client")) return absl::InvalidArgumentError(said);
  return absl::UnavailableError(said);
}

bool TakeNumber(std::string_view& rest, size_t digits, int& value) {
  if (rest.size() < digits || !text::ParseNumber(rest.substr(0, digits), value)) return false;
  rest.remove_prefix(digits);
  return true;
}

bool TakeChar(std::string_view& rest, char c) {
  if (rest.empty() || rest.front() != c) return false;
  rest.remove_prefix(1);
  return true;
}

}  // namespace

std::string FormatXmlTime(WallTime time) {
  const std::string full = FormatWall(time);  // 2026-03-01T12:34:56.789Z
  return full.substr(0, full.find('.')) + "Z";
}

std::optional<WallTime> ParseXmlTime(std::string_view text) {
  std::string_view rest = text::Trim(text);
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  const bool form = TakeNumber(rest, 4, year) && TakeChar(rest, '-') &&
                    TakeNumber(rest, 2, month) && TakeChar(rest, '-') && TakeNumber(rest, 2, day) &&
                    TakeChar(rest, 'T') && TakeNumber(rest, 2, hour) && TakeChar(rest, ':') &&
                    TakeNumber(rest, 2, minute) && TakeChar(rest, ':') &&
                    TakeNumber(rest, 2, second);
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!form || month < 0 || day < 0 || !date.ok() || hour < 0 || hour > 24 || minute < 0 ||
      minute > 59 || second < 0 || second > 60) {
    return std::nullopt;
  }
  int64_t micros = 0;
  if (TakeChar(rest, '.')) {
    int64_t unit = 100'000;
    for (; !rest.empty() && rest.front() >= '0' && rest.front() <= '9';
         rest.remove_prefix(1), unit /= 10) {
      micros += unit * (rest.front() - '0');
    }
  }
  int offset = 0;
  if (!rest.empty() && (rest.front() == '+' || rest.front() == '-')) {
    const int sign = rest.front() == '+' ? 1 : -1;
    rest.remove_prefix(1);
    int hours = 0, minutes = 0;
    if (!TakeNumber(rest, 2, hours) || !TakeChar(rest, ':') || !TakeNumber(rest, 2, minutes))
      return std::nullopt;
    offset = sign * (hours * 60 + minutes);
  } else {
    TakeChar(rest, 'Z');  // some cameras leave it out and mean UTC
  }
  if (!rest.empty()) return std::nullopt;
  return WallTime(std::chrono::sys_days(date)) + std::chrono::hours(hour) +
         std::chrono::minutes(minute - offset) + std::chrono::seconds(second) +
         Microseconds(micros);
}

std::string WriteEnvelope(const SoapRequest& request, const std::optional<SoapSecurity>& security) {
  std::string head;
  if (!request.action.empty()) {
    head += fmt::format(
        "<wsa:Action s:mustUnderstand=\"1\">{}</wsa:Action><wsa:MessageID>{}</wsa:MessageID>"
        "<wsa:ReplyTo><wsa:Address>http://www.w3.org/2005/08/addressing/anonymous</wsa:Address></"
        "wsa:ReplyTo>"
        "<wsa:To s:mustUnderstand=\"1\">{}</wsa:To>{}",
        request.action, Uuid(), EscapeXml(request.to), request.reference_parameters);
  }
  if (security) head += SecurityHeader(*security);
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope "
      "xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" "
      "xmlns:wsa=\"http://www.w3.org/2005/08/addressing\"><s:Header>{}</s:Header><s:Body>{}</"
      "s:Body></s:Envelope>",
      head, request.body);
}

absl::StatusOr<pugi::xml_node> ReadBody(int http_status, std::string_view text,
                                        pugi::xml_document& document) {
  if (http_status == 401)
    return absl::UnauthenticatedError("the camera refuses the user or password");
  const absl::Status parsed = ParseXml(text, document);
  const pugi::xml_node body = parsed.ok() ? Descend(document, "Envelope/Body") : pugi::xml_node();
  if (body) {
    const pugi::xml_node fault = Child(body, "Fault");
    if (fault) return FromFault(fault);
    if (http_status < 300) return body;
  }
  if (http_status >= 300) {
    return absl::UnavailableError(fmt::format("the camera answers HTTP {}", http_status));
  }
  RETURN_IF_ERROR(parsed);
  return absl::DataLossError("the camera's answer is no SOAP; is this the ONVIF device service?");
}

}  // namespace cordon
