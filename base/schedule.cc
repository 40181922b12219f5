// SPDX-License-Identifier: Apache-2.0
#include "base/schedule.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace cordon {
namespace {

constexpr unsigned kHolidayBit = 1U << 7;
constexpr unsigned kAllDays = 0x7F;
constexpr int kDayMinutes = 24 * 60;

int DayOfWeek(std::string_view name) {
  static constexpr std::array<std::string_view, 7> kNames = {"mon", "tue", "wed", "thu",
                                                             "fri", "sat", "sun"};
  const auto* at = std::find(kNames.begin(), kNames.end(), name);
  return at == kNames.end() ? -1 : static_cast<int>(at - kNames.begin());
}

// Bits of "mon-fri", "sat,sun", "daily", "holiday"; 0: not understood.
unsigned ParseDays(std::string_view text) {
  unsigned days = 0;
  for (const absl::string_view part :
       absl::StrSplit(absl::string_view(text.data(), text.size()), ',')) {
    const std::string_view item(part.data(), part.size());
    const size_t dash = item.find('-');
    const int first = DayOfWeek(item.substr(0, dash));
    const int last = dash == std::string_view::npos ? first : DayOfWeek(item.substr(dash + 1));
    if (item == "daily") {
      days |= kAllDays;
    } else if (item == "holiday") {
      days |= kHolidayBit;
    } else if (first < 0 || last < 0) {
      return 0;
    } else {
      for (int day = first;; day = (day + 1) % 7) {
        days |= 1U << day;
        if (day == last) break;
      }
    }
  }
  return days;
}

}  // namespace

struct Schedule::Zone {
  absl::TimeZone zone;
};

Schedule::Schedule() = default;

absl::StatusOr<Schedule::Entry> Schedule::ParseEntry(const std::string& text) {
  const absl::Status bad = absl::InvalidArgumentError(
      fmt::format("'{}' is not a schedule: write 'mon-fri 18:00-06:00', 'sat,sun 00:00-24:00', "
                  "'daily 08:00-17:00' or 'holiday 00:00-24:00'",
                  text));
  std::string lower = text;
  absl::AsciiStrToLower(&lower);
  const std::vector<std::string> words =
      absl::StrSplit(lower, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (words.size() != 2) return bad;
  Entry entry;
  entry.days = ParseDays(words[0]);
  int from_hour = 0, from_minute = 0, until_hour = 0, until_minute = 0, length = 0;
  const int fields = std::sscanf(words[1].c_str(), "%2d:%2d-%2d:%2d%n", &from_hour, &from_minute,
                                 &until_hour, &until_minute, &length);
  entry.from = from_hour * 60 + from_minute;
  entry.until = until_hour * 60 + until_minute;
  const bool good = entry.days != 0 && fields == 4 &&
                    static_cast<size_t>(length) == words[1].size() && from_hour >= 0 &&
                    from_minute >= 0 && from_minute < 60 && until_hour >= 0 && until_minute >= 0 &&
                    until_minute < 60 && entry.from < kDayMinutes && entry.until <= kDayMinutes &&
                    entry.from != entry.until;
  if (!good) return bad;
  if (entry.until < entry.from) entry.until += kDayMinutes;
  return entry;
}

absl::StatusOr<Schedule> Schedule::Parse(std::span<const std::string> entries,
                                         const std::string& time_zone,
                                         std::span<const std::string> holidays) {
  Schedule schedule;
  auto zone = std::make_shared<Zone>();
  if (!absl::LoadTimeZone(time_zone, &zone->zone)) {
    return absl::InvalidArgumentError(fmt::format(
        "time zone '{}' is unknown: use an IANA name such as Europe/Lisbon (package tzdata)",
        time_zone));
  }
  for (const std::string& text : entries) {
    ASSIGN_OR_RETURN(const Entry entry, ParseEntry(text));
    schedule.entries_.push_back(entry);
    schedule.has_holiday_entry_ |= (entry.days & kHolidayBit) != 0;
  }
  for (const std::string& date : holidays) {
    absl::CivilDay day;
    if (!absl::ParseCivilTime(date, &day)) {
      return absl::InvalidArgumentError(
          fmt::format("holiday '{}' is no date: write YYYY-MM-DD", date));
    }
    schedule.holidays_.push_back(day - absl::CivilDay(1970, 1, 1));
  }
  std::sort(schedule.holidays_.begin(), schedule.holidays_.end());
  schedule.zone_ = std::move(zone);
  return schedule;
}

bool Schedule::DayHas(int64_t day, const Entry& entry) const {
  const bool holiday =
      has_holiday_entry_ && std::binary_search(holidays_.begin(), holidays_.end(), day);
  if (holiday) return (entry.days & kHolidayBit) != 0;
  const int64_t weekday = ((day + 3) % 7 + 7) % 7;  // 1970-01-01 was a Thursday
  return (entry.days >> weekday & 1U) != 0;
}

bool Schedule::ActiveAt(WallTime time) const {
  if (entries_.empty()) return true;
  const absl::CivilSecond civil =
      absl::ToCivilSecond(absl::FromUnixMicros(ToMicros(time)), zone_->zone);
  const int64_t day = absl::CivilDay(civil) - absl::CivilDay(1970, 1, 1);
  const int minute = civil.hour() * 60 + civil.minute();
  for (const Entry& entry : entries_) {
    if (DayHas(day, entry) && minute >= entry.from && minute < entry.until) return true;
    // The part of yesterday's entry that runs into today.
    if (DayHas(day - 1, entry) && minute + kDayMinutes < entry.until) return true;
  }
  return false;
}

}  // namespace cordon
