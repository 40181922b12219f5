// SPDX-License-Identifier: Apache-2.0
#include "cli/http_client.h"

#include <curl/curl.h>

#include "base/check.h"

namespace cordon::cli {
namespace {

constexpr long kTimeoutMs = 3000;
constexpr size_t kMaxAnswer = 16 * 1024 * 1024;

size_t Collect(char* bytes, size_t size, size_t count, void* into) {
  auto& answer = *static_cast<std::string*>(into);
  if (answer.size() + size * count > kMaxAnswer) return 0;
  answer.append(bytes, size * count);
  return size * count;
}

}  // namespace

HttpClient::HttpClient() : curl_(curl_easy_init()) {
  CORDON_CHECK(curl_ != nullptr, "libcurl cannot start");
  CURL* curl = static_cast<CURL*>(curl_);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, kTimeoutMs);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, Collect);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
}

HttpClient::~HttpClient() { curl_easy_cleanup(static_cast<CURL*>(curl_)); }

absl::StatusOr<std::string> HttpClient::Get(const std::string& url) {
  curl_easy_setopt(static_cast<CURL*>(curl_), CURLOPT_HTTPGET, 1L);
  return Perform(url);
}

absl::StatusOr<std::string> HttpClient::PostJson(const std::string& url, const std::string& json) {
  CURL* curl = static_cast<CURL*>(curl_);
  curl_slist* headers = curl_slist_append(nullptr, "Content-Type: application/json");
  curl_easy_setopt(curl, CURLOPT_POST, 1L);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(json.size()));
  curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, json.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  absl::StatusOr<std::string> answer = Perform(url);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, nullptr);
  curl_slist_free_all(headers);
  return answer;
}

absl::StatusOr<std::string> HttpClient::Perform(const std::string& url) {
  CURL* curl = static_cast<CURL*>(curl_);
  std::string answer;
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK)
    return absl::UnavailableError(
        fmt::format("{}: {}", url.substr(0, url.find('?')), curl_easy_strerror(code)));
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (status < 200 || status > 299)
    return absl::UnknownError(fmt::format("{}: answered {}: {}", url.substr(0, url.find('?')),
                                          status, answer.substr(0, 200)));
  return answer;
}

std::string HttpClient::EncodeQuery(const std::map<std::string, std::string>& parameters) const {
  std::string query;
  for (const auto& [name, value] : parameters) {
    char* escaped =
        curl_easy_escape(static_cast<CURL*>(curl_), value.c_str(), static_cast<int>(value.size()));
    query +=
        fmt::format("{}{}={}", query.empty() ? "" : "&", name, escaped == nullptr ? "" : escaped);
    curl_free(escaped);
  }
  return query;
}

}  // namespace cordon::cli
