// SPDX-License-Identifier: Apache-2.0
#include "cli/units_file.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "base/file_util.h"
#include "base/limits.h"
#include "dispatch/eta.h"

namespace cordon::cli {
namespace {

using nlohmann::json;

constexpr double kMostAccuracyMetres = 10'000;
constexpr size_t kMostBytes = 64 * 1024 * 1024;

struct Refusal {
  std::string why;
};

double Number(const json& entry, const char* key, double low, double high) {
  const auto at = entry.find(key);
  if (at == entry.end()) throw Refusal{fmt::format("{} is missing", key)};
  if (!at->is_number()) throw Refusal{fmt::format("{} is not a number", key)};
  const double value = at->get<double>();
  if (!std::isfinite(value) || value < low || value > high)
    throw Refusal{fmt::format("{} is {}, it goes from {} to {}", key, value, low, high)};
  return value;
}

std::optional<double> OptionalNumber(const json& entry, const char* key, double low, double high) {
  const auto at = entry.find(key);
  if (at == entry.end() || at->is_null()) return std::nullopt;
  return Number(entry, key, low, high);
}

// NaN and infinities are no JSON, but some writers emit them: as null they cost their own entry and
// not the file.
std::string WithoutNaN(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool quoted = false;
  for (size_t i = 0; i < text.size();) {
    if (quoted && text[i] == '\\' && i + 1 < text.size()) {
      out.append(text.substr(i, 2));
      i += 2;
      continue;
    }
    if (text[i] == '"') quoted = !quoted;
    const std::string_view rest = text.substr(i);
    size_t word = 0;
    if (!quoted) {
      for (const std::string_view name : {"NaN", "-NaN", "Infinity", "-Infinity"})
        if (rest.starts_with(name)) word = name.size();
    }
    if (word > 0) {
      out += "null";
      i += word;
    } else {
      out += text[i++];
    }
  }
  return out;
}

// nlohmann's own words without its error number.
std::string Reason(const json::exception& error) {
  const std::string what = error.what();
  const size_t end = what.find("] ");
  return end == std::string::npos ? what : what.substr(end + 2);
}

WallTime FixTime(const json& value) {
  if (value.is_number() && std::abs(value.get<double>()) < 1e10)
    return WallFromMicros(static_cast<int64_t>(value.get<double>() * 1e6));
  absl::Time time;
  if (value.is_string() &&
      absl::ParseTime(absl::RFC3339_full, value.get<std::string>(), &time, nullptr))
    return WallFromMicros(absl::ToUnixMicros(time));
  throw Refusal{"fix_time is neither Unix seconds nor like 2026-03-01T12:34:56Z"};
}

proto::UnitConfig::Kind KindOf(const json& value) {
  const std::string text = value.is_string() ? value.get<std::string>() : "";
  if (text == "car") return proto::UnitConfig::KIND_CAR;
  if (text == "motorcycle") return proto::UnitConfig::KIND_MOTORCYCLE;
  if (text == "foot") return proto::UnitConfig::KIND_FOOT;
  throw Refusal{"kind is not car, motorcycle or foot"};
}

UnitState ReadEntry(const json& entry, WallTime now, Seconds fresh, Seconds stale) {
  if (!entry.is_object()) throw Refusal{"not an object"};
  UnitState unit;
  unit.id = UnitId(entry.value("id", ""));
  if (unit.id.empty()) throw Refusal{"id is missing"};
  unit.place.lat = Number(entry, "lat", -90, 90);
  unit.place.lon = Number(entry, "lon", -180, 180);
  if (!IsPlausible(unit.place)) throw Refusal{"0,0 is what a receiver without a fix says"};
  if (const auto at = entry.find("kind"); at != entry.end()) unit.kind = KindOf(*at);
  if (const auto at = entry.find("status"); at != entry.end()) {
    const auto status = UnitStatusFromName(at->is_string() ? at->get<std::string>() : "");
    if (!status)
      throw Refusal{"status is not one of available, assigned, en_route, on_scene, busy, ..."};
    unit.status = *status;
  }
  if (const auto at = entry.find("fix_time"); at != entry.end() && !at->is_null())
    unit.age = std::max(Nanoseconds(0), Nanoseconds(now - FixTime(*at)));
  if (const auto v = OptionalNumber(entry, "accuracy_m", 0, kMostAccuracyMetres))
    unit.accuracy = Metres{*v};
  unit.speed_mps = OptionalNumber(entry, "speed_mps", 0, 100);
  unit.course_deg = OptionalNumber(entry, "course_deg", 0, 360);
  unit.freshness = unit.age <= fresh   ? Freshness::kFresh
                   : unit.age <= stale ? Freshness::kUsable
                                       : Freshness::kStale;
  unit.source = "file";
  return unit;
}

}  // namespace

absl::StatusOr<UnitsFile> ParseUnits(std::string_view text, const std::string& what, WallTime now,
                                     Seconds fresh, Seconds stale) {
  UnitsFile file;
  try {
    const json all = json::parse(WithoutNaN(text));
    if (!all.is_array())
      return absl::InvalidArgumentError(fmt::format(
          "{}: not a JSON array of units [{{\"id\":..., \"lat\":..., \"lon\":...}}]", what));
    absl::flat_hash_set<std::string> ids;
    for (size_t i = 0; i < all.size(); ++i) {
      if (file.units.size() >= limits::kMaxUnits) {
        file.refused.push_back(fmt::format("{}: {} entries beyond the first {} units are left out",
                                           what, all.size() - i, limits::kMaxUnits));
        break;
      }
      try {
        UnitState unit = ReadEntry(all[i], now, fresh, stale);
        if (!ids.insert(unit.id.str()).second)
          throw Refusal{fmt::format("there is already a unit {}", unit.id.str())};
        file.units.push_back(std::move(unit));
      } catch (const Refusal& refusal) {
        file.refused.push_back(fmt::format("{}: entry {}: {}; left out", what, i + 1, refusal.why));
      } catch (const json::exception& e) {
        file.refused.push_back(
            fmt::format("{}: entry {}: a field has the wrong type; left out", what, i + 1));
      }
    }
  } catch (const json::exception& e) {
    return absl::InvalidArgumentError(fmt::format("{}: not JSON: {}", what, Reason(e)));
  }
  return file;
}

absl::StatusOr<UnitsFile> ReadUnits(const UnitsSource& file, WallTime now) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(file.path, kMostBytes));
  return ParseUnits(text, file.path, now, file.fresh, file.stale);
}

void TellRefused(std::span<const std::string> refused) {
  for (const std::string& line : refused) std::fprintf(stderr, "cordon: %s\n", line.c_str());
}

}  // namespace cordon::cli
