// SPDX-License-Identifier: Apache-2.0
#include "cli/console_client.h"

#include <fmt/format.h>

namespace cordon::cli {

absl::StatusOr<nlohmann::json> ConsoleClient::Get(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, http_.Get(address_ + path));
  nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object())
    return absl::UnknownError(
        fmt::format("{}{}: the answer is not a Cordon console's", address_, path));
  return json;
}

absl::StatusOr<nlohmann::json> ConsoleClient::GetList(const std::string& path, const char* list) {
  ASSIGN_OR_RETURN(nlohmann::json json, Get(path));
  if (!json.contains(list) || !json[list].is_array())
    return absl::UnknownError(
        fmt::format("{}{}: the answer is not a Cordon console's", address_, path));
  return std::move(json[list]);
}

absl::Status ConsoleClient::Post(const std::string& path, const nlohmann::json& body) {
  return http_.PostJson(address_ + path, body.dump()).status();
}

absl::Status ConsoleClient::Tell(const std::string& path,
                                 const std::map<std::string, std::string>& query) {
  return http_.Get(address_ + path + "?" + http_.EncodeQuery(query)).status();
}

}  // namespace cordon::cli
