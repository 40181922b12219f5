// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/time.h"

namespace cordon {

// When something is in force, in the site's own time zone. Entries are "DAYS HH:MM-HH:MM": DAYS is
// daily, a day (mon ... sun), a range (mon-fri), a list (sat,sun) or holiday. A time range that
// ends before it begins runs into the next day. On a holiday the holiday entries count instead of
// the day's, if there is one; otherwise it is a day like any other. Without entries it is always in
// force. Immutable, thread-safe.
class Schedule {
 public:
  Schedule();  // always
  // `holidays`: "YYYY-MM-DD". INVALID_ARGUMENT names the entry, the date or the zone and how to
  // write it.
  static absl::StatusOr<Schedule> Parse(std::span<const std::string> entries,
                                        const std::string& time_zone,
                                        std::span<const std::string> holidays);

  bool always() const { return entries_.empty(); }
  bool ActiveAt(WallTime time) const;

 private:
  struct Entry {
    unsigned days = 0;  // bit 0: Monday ... bit 6: Sunday, bit 7: holidays
    int from = 0;       // minutes of the day
    int until = 0;      // ... up to 2880: into the next day
  };
  struct Zone;
  bool DayHas(int64_t day, const Entry& entry) const;
  static absl::StatusOr<Entry> ParseEntry(const std::string& text);

  std::vector<Entry> entries_;
  bool has_holiday_entry_ = false;
  std::vector<int64_t> holidays_;  // days since 1970-01-01, sorted
  std::shared_ptr<const Zone> zone_;
};

}  // namespace cordon
