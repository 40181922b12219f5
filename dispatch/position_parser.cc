// SPDX-License-Identifier: Apache-2.0
#include "dispatch/position_parser.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"

namespace cordon {
namespace {

using Json = nlohmann::json;

constexpr double kKnotsToMps = 1852.0 / 3600.0;
constexpr double kKmhToMps = 1.0 / 3.6;
constexpr size_t kMaxPairs = 64;
// Unix seconds stay below this until the year 5138; milliseconds are above it since 1973.
constexpr double kSecondsBelow = 1e11;

std::optional<double> ReadNumber(std::string_view text) {
  double value = 0;
  if (!absl::SimpleAtod(absl::string_view(text.data(), text.size()), &value) ||
      !std::isfinite(value))
    return std::nullopt;
  return value;
}

// Unix time in seconds or milliseconds, or ISO 8601, to microseconds.
std::optional<int64_t> ReadTime(std::string_view text) {
  if (const auto number = ReadNumber(text)) {
    if (*number <= 0 || *number >= kSecondsBelow * 1000) return std::nullopt;
    return static_cast<int64_t>(*number * (*number < kSecondsBelow ? 1e6 : 1e3));
  }
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, std::string(text), &time, &error)) return std::nullopt;
  return absl::ToUnixMicros(time);
}

absl::Status Bad(std::string_view field, std::string_view value) {
  return absl::InvalidArgumentError(
      fmt::format("{}: '{}' cannot be understood", field, value.substr(0, 40)));
}

const std::string* First(const std::map<std::string, std::string>& parameters,
                         std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto found = parameters.find(name);
    if (found != parameters.end()) return &found->second;
  }
  return nullptr;
}

absl::Status ReadPlace(const std::map<std::string, std::string>& parameters,
                       proto::UnitPosition& into) {
  std::string lat, lon;
  if (const std::string* both = First(parameters, {"location"})) {
    const std::vector<std::string> parts = absl::StrSplit(*both, ',');
    if (parts.size() != 2) return Bad("location", *both);
    lat = parts[0];
    lon = parts[1];
  } else {
    const std::string* lat_text = First(parameters, {"lat"});
    const std::string* lon_text = First(parameters, {"lon"});
    if (lat_text == nullptr || lon_text == nullptr)
      return absl::InvalidArgumentError("lat and lon are missing");
    lat = *lat_text;
    lon = *lon_text;
  }
  const auto lat_value = ReadNumber(lat);
  const auto lon_value = ReadNumber(lon);
  if (!lat_value) return Bad("lat", lat);
  if (!lon_value) return Bad("lon", lon);
  into.set_lat(*lat_value);
  into.set_lon(*lon_value);
  return absl::OkStatus();
}

absl::Status ReadKind(const std::string& text, proto::UnitPosition& into) {
  proto::UnitConfig::Kind kind{};
  if (!proto::UnitConfig::Kind_Parse("KIND_" + absl::AsciiStrToUpper(text), &kind))
    return Bad("kind", text);
  into.set_kind(kind);
  return absl::OkStatus();
}

// Figures that help but are not needed: an unreadable one is missing.
void ReadMotion(const std::map<std::string, std::string>& parameters, proto::UnitPosition& into) {
  const auto number = [&](std::initializer_list<const char*> names) -> std::optional<double> {
    const std::string* text = First(parameters, names);
    return text == nullptr ? std::nullopt : ReadNumber(*text);
  };
  if (const auto speed = number({"speed"}); speed && *speed >= 0)
    into.set_speed_mps(*speed * kKnotsToMps);
  if (const auto course = number({"bearing", "heading"}); course && *course >= 0)
    into.set_course_deg(*course);
  if (const auto accuracy = number({"accuracy"}); accuracy && *accuracy > 0)
    into.set_accuracy_m(*accuracy);
}

absl::StatusOr<Json> ReadJson(std::string_view text) {
  // No exceptions, no comments; depth is bounded by the size limit of a request body.
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object())
    return absl::InvalidArgumentError("the body is not a JSON object");
  return json;
}

std::optional<double> NumberAt(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number()) return std::nullopt;
  const double value = found->get<double>();
  return std::isfinite(value) ? std::optional<double>(value) : std::nullopt;
}

std::string TextAt(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = absl::ascii_tolower(static_cast<unsigned char>(c));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

absl::StatusOr<std::string> Decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
      const int low = high >= 0 ? HexDigit(text[i + 2]) : -1;
      if (low < 0) return absl::InvalidArgumentError("the query holds a broken %-escape");
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

}  // namespace

absl::StatusOr<std::map<std::string, std::string>> ParseQuery(std::string_view query) {
  std::map<std::string, std::string> parameters;
  if (query.empty()) return parameters;
  size_t pairs = 0;
  for (const absl::string_view part :
       absl::StrSplit(absl::string_view(query.data(), query.size()), '&')) {
    const std::string_view pair(part.data(), part.size());
    if (pair.empty()) continue;
    if (++pairs > kMaxPairs)
      return absl::InvalidArgumentError("the query holds too many parameters");
    const size_t equals = pair.find('=');
    ASSIGN_OR_RETURN(std::string name, Decode(pair.substr(0, equals)));
    ASSIGN_OR_RETURN(std::string value,
                     Decode(equals == std::string_view::npos ? "" : pair.substr(equals + 1)));
    parameters.emplace(std::move(name), std::move(value));
  }
  return parameters;
}

absl::StatusOr<proto::UnitPosition> ParseOsmAndQuery(
    const std::map<std::string, std::string>& parameters) {
  proto::UnitPosition position;
  position.set_source("osmand");
  const std::string* id = First(parameters, {"id", "deviceid"});
  if (id == nullptr || id->empty()) return absl::InvalidArgumentError("id is missing");
  position.set_unit_id(*id);
  if (const std::string* valid = First(parameters, {"valid"});
      valid != nullptr && (*valid == "false" || *valid == "0"))
    return absl::FailedPreconditionError(
        fmt::format("unit {}: the device itself calls this fix invalid", *id));
  RETURN_IF_ERROR(ReadPlace(parameters, position));
  if (const std::string* time = First(parameters, {"timestamp"})) {
    const auto micros = ReadTime(*time);
    if (!micros) return Bad("timestamp", *time);
    position.set_fix_time_us(*micros);
  }
  if (const std::string* kind = First(parameters, {"kind"}))
    RETURN_IF_ERROR(ReadKind(*kind, position));
  ReadMotion(parameters, position);
  return position;
}

absl::StatusOr<proto::UnitPosition> ParseOsmAndJson(std::string_view text) {
  ASSIGN_OR_RETURN(const Json json, ReadJson(text));
  proto::UnitPosition position;
  position.set_source("osmand");
  position.set_unit_id(TextAt(json, "device_id"));
  if (position.unit_id().empty()) return absl::InvalidArgumentError("device_id is missing");
  const auto location = json.find("location");
  if (location == json.end() || !location->is_object())
    return absl::InvalidArgumentError("location is missing");
  const auto coords = location->find("coords");
  if (coords == location->end() || !coords->is_object())
    return absl::InvalidArgumentError("location.coords is missing");
  const auto lat = NumberAt(*coords, "latitude");
  const auto lon = NumberAt(*coords, "longitude");
  if (!lat || !lon)
    return absl::InvalidArgumentError("location.coords needs the numbers latitude and longitude");
  position.set_lat(*lat);
  position.set_lon(*lon);
  if (const auto time = location->find("timestamp"); time != location->end()) {
    const std::string time_text = time->is_string() ? time->get<std::string>() : time->dump();
    const auto micros = ReadTime(time_text);
    if (!micros) return Bad("location.timestamp", time_text);
    position.set_fix_time_us(*micros);
  }
  if (const auto speed = NumberAt(*coords, "speed"); speed && *speed >= 0)
    position.set_speed_mps(*speed);
  if (const auto course = NumberAt(*coords, "heading"); course && *course >= 0)
    position.set_course_deg(*course);
  if (const auto accuracy = NumberAt(*coords, "accuracy"); accuracy && *accuracy > 0)
    position.set_accuracy_m(*accuracy);
  return position;
}

absl::StatusOr<proto::UnitPosition> ParseOwnTracks(std::string_view text,
                                                   const std::string& device) {
  ASSIGN_OR_RETURN(const Json json, ReadJson(text));
  const std::string type = TextAt(json, "_type");
  if (type != "location")
    return absl::UnimplementedError(
        fmt::format("_type '{}' is not a location", type.substr(0, 40)));
  if (TextAt(json, "t") == "p")
    return absl::UnavailableError("a ping says that the phone lives, not where it is now");
  proto::UnitPosition position;
  position.set_source("owntracks");
  position.set_unit_id(device.empty() ? TextAt(json, "tid") : device);
  if (position.unit_id().empty())
    return absl::InvalidArgumentError("neither X-Limit-D nor tid names the device");
  const auto lat = NumberAt(json, "lat");
  const auto lon = NumberAt(json, "lon");
  if (!lat || !lon) return absl::InvalidArgumentError("lat and lon are missing");
  position.set_lat(*lat);
  position.set_lon(*lon);
  if (const auto time = NumberAt(json, "tst"); time && *time > 0 && *time < kSecondsBelow)
    position.set_fix_time_us(static_cast<int64_t>(*time * 1e6));
  if (const auto accuracy = NumberAt(json, "acc"); accuracy && *accuracy > 0)
    position.set_accuracy_m(*accuracy);
  if (const auto course = NumberAt(json, "cog"); course && *course >= 0)
    position.set_course_deg(*course);
  if (const auto speed = NumberAt(json, "vel"); speed && *speed >= 0)
    position.set_speed_mps(*speed * kKmhToMps);
  return position;
}

}  // namespace cordon
