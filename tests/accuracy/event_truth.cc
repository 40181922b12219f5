// SPDX-License-Identifier: Apache-2.0
#include "tests/accuracy/event_truth.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace cordon::accuracy {
namespace {

struct Point {
  double x = 0;
  double y = 0;
};

constexpr double kClear = 0.1;  // of the object's height
constexpr double kPi = 3.14159265358979323846;

std::vector<Point> PointsOf(const google::protobuf::RepeatedPtrField<std::string>& texts) {
  std::vector<Point> points;
  for (const std::string& text : texts) {
    const std::vector<std::string> xy = absl::StrSplit(text, ',');
    Point p;
    if (xy.size() == 2 && absl::SimpleAtod(xy[0], &p.x) && absl::SimpleAtod(xy[1], &p.y)) {
      points.push_back(p);
    }
  }
  return points;
}

double Cross(Point o, Point a, Point b) {
  return (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x);
}

// Distances in picture heights.
double DistanceToSegment(Point p, Point a, Point b, double aspect) {
  for (Point* q : {&p, &a, &b}) q->x *= aspect;
  const double dx = b.x - a.x;
  const double dy = b.y - a.y;
  const double length = dx * dx + dy * dy;
  const double t =
      length > 0 ? std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / length, 0.0, 1.0) : 0;
  return std::hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

bool Inside(const std::vector<Point>& zone, Point p) {
  bool inside = false;
  for (size_t i = 0, j = zone.size() - 1; i < zone.size(); j = i++) {
    const Point& a = zone[i];
    const Point& b = zone[j];
    if ((a.y > p.y) != (b.y > p.y) && p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x) {
      inside = !inside;
    }
  }
  return inside;
}

double DistanceToBorder(const std::vector<Point>& zone, Point p, double aspect) {
  double least = 1e9;
  for (size_t i = 0, j = zone.size() - 1; i < zone.size(); j = i++) {
    least = std::min(least, DistanceToSegment(p, zone[i], zone[j], aspect));
  }
  return least;
}

// +1 when the step goes from the line's left to its right (y grows downwards), -1 back, 0 when it
// does not cross.
int Crossing(Point a, Point b, Point from, Point to) {
  const double before = Cross(a, b, from);
  const double after = Cross(a, b, to);
  if ((before < 0) == (after < 0)) return 0;
  const double one = Cross(from, to, a);
  const double other = Cross(from, to, b);
  if ((one < 0) == (other < 0)) return 0;
  return before < 0 ? 1 : -1;
}

void AddCrossings(const proto::RuleConfig& rule, const std::vector<PathStep>& path, double aspect,
                  std::vector<TimedEvent>& events) {
  const std::vector<Point> line = PointsOf(rule.line());
  int net = 0;
  double crossed = 0;
  for (size_t i = 1; i < path.size(); ++i) {
    const Point to{path[i].x, path[i].y};
    for (size_t k = 0; k + 1 < line.size(); ++k) {
      const int step = Crossing(line[k], line[k + 1], {path[i - 1].x, path[i - 1].y}, to);
      if (step != 0 && net == 0) crossed = path[i].seconds;
      net += step;
    }
    if (net == 0) continue;
    double distance = 1e9;
    for (size_t k = 0; k + 1 < line.size(); ++k) {
      distance = std::min(distance, DistanceToSegment(to, line[k], line[k + 1], aspect));
    }
    if (distance <= kClear * path[i].height) continue;
    events.push_back({rule.id(), net > 0 ? 1 : -1, crossed});
    net = 0;
  }
}

void AddEntries(const proto::RuleConfig& rule, const std::vector<PathStep>& path, double aspect,
                std::vector<TimedEvent>& events) {
  const std::vector<Point> zone = PointsOf(rule.zone());
  bool in = false;
  bool raised = false;
  double since = 0;
  for (const PathStep& step : path) {
    const Point p{step.x, step.y};
    const bool inside = Inside(zone, p);
    if (!in && inside) {
      in = true;
      raised = false;
      since = step.seconds;
    } else if (in && !inside && DistanceToBorder(zone, p, aspect) > kClear * step.height) {
      in = false;
    }
    if (in && !raised && step.seconds - since >= rule.dwell_s()) {
      raised = true;
      events.push_back({rule.id(), 0, since});
    }
  }
}

std::string Text(double x, double y) {
  return fmt::format("{:.4f},{:.4f}", std::clamp(x, 0.0, 1.0), std::clamp(y, 0.0, 1.0));
}

// Uniform numbers from the generator's bits: the library's distributions differ between machines.
class Dice {
 public:
  explicit Dice(unsigned seed) : bits_(seed) {}
  double Between(double low, double high) {
    return low + (high - low) * (static_cast<double>(bits_()) / 4294967296.0);
  }
  size_t Below(size_t n) { return static_cast<size_t>(Between(0, static_cast<double>(n))); }

 private:
  std::mt19937 bits_;
};

proto::RuleConfig Line(Dice& dice, PathStep at, double aspect) {
  proto::RuleConfig rule;
  rule.set_kind(proto::RuleConfig::KIND_LINE_CROSSING);
  const double angle = dice.Between(0, 2 * kPi);
  const double half = dice.Between(0.12, 0.3);
  const double dx = std::cos(angle) * half / aspect;
  const double dy = std::sin(angle) * half;
  *rule.add_line() = Text(at.x - dx, at.y - dy);
  *rule.add_line() = Text(at.x + dx, at.y + dy);
  return rule;
}

proto::RuleConfig Zone(Dice& dice, PathStep at, double aspect) {
  proto::RuleConfig rule;
  rule.set_kind(proto::RuleConfig::KIND_INTRUSION);
  const double radius = dice.Between(0.1, 0.22);
  const double turn = dice.Between(0, kPi);
  constexpr int kCorners = 6;
  for (int i = 0; i < kCorners; ++i) {
    const double angle = turn + 2 * kPi * i / kCorners;
    *rule.add_zone() =
        Text(at.x + radius * std::cos(angle) / aspect, at.y + radius * std::sin(angle));
  }
  return rule;
}

}  // namespace

Paths PathsOf(const MotFrames& tracks, const std::map<int, double>& seconds, Size source) {
  // An id that comes back after a longer absence begins a new path: nobody saw what lies between.
  constexpr double kAbsence = 2;
  constexpr int64_t kNextPath = 1'000'000;
  Paths paths;
  std::map<int64_t, int64_t> current;
  for (const auto& [frame, rows] : tracks) {
    const auto time = seconds.find(frame);
    if (time == seconds.end()) continue;
    for (const MotRow& row : rows) {
      int64_t& key = current.emplace(row.id, row.id).first->second;
      if (!paths[key].empty() && time->second - paths[key].back().seconds > kAbsence) {
        key += kNextPath;
      }
      paths[key].push_back({time->second, (row.box.left + row.box.width / 2) / source.width,
                            (row.box.top + row.box.height) / source.height,
                            row.box.height / source.height});
    }
  }
  return paths;
}

std::vector<proto::RuleConfig> RandomRules(const Paths& paths, Size source, unsigned seed,
                                           int lines, int zones, int least) {
  std::vector<const PathStep*> steps;
  for (const auto& [id, path] : paths) {
    for (const PathStep& step : path) steps.push_back(&step);
  }
  std::vector<proto::RuleConfig> rules;
  if (steps.empty()) return rules;
  const double aspect = static_cast<double>(source.width) / source.height;
  Dice dice(seed);
  constexpr int kTries = 5000;
  for (int i = 0; i < kTries && static_cast<int>(rules.size()) < lines + zones; ++i) {
    const bool line = static_cast<int>(rules.size()) < lines;
    const PathStep& at = *steps[dice.Below(steps.size())];
    proto::RuleConfig rule = line ? Line(dice, at, aspect) : Zone(dice, at, aspect);
    rule.set_id(fmt::format("{}{}", line ? "line" : "zone", rules.size() + 1));
    rule.set_dwell_s(0.5);
    rule.set_rearm_s(0);
    rule.set_max_height(1);
    if (static_cast<int>(TrueEvents(rule, paths, source).size()) >= least) rules.push_back(rule);
  }
  return rules;
}

std::vector<TimedEvent> TrueEvents(const proto::RuleConfig& rule, const Paths& paths, Size source) {
  const double aspect = static_cast<double>(source.width) / source.height;
  std::vector<TimedEvent> events;
  for (const auto& [id, path] : paths) {
    if (rule.kind() == proto::RuleConfig::KIND_LINE_CROSSING) {
      AddCrossings(rule, path, aspect, events);
    } else {
      AddEntries(rule, path, aspect, events);
    }
  }
  return events;
}

std::vector<TimedEvent> FromEvents(const std::vector<proto::Event>& events) {
  std::vector<TimedEvent> timed;
  for (const proto::Event& event : events) {
    int direction = 0;
    if (event.direction() == proto::CROSSING_DIRECTION_LEFT_TO_RIGHT) direction = 1;
    if (event.direction() == proto::CROSSING_DIRECTION_RIGHT_TO_LEFT) direction = -1;
    timed.push_back(
        {event.rule_id(), direction, static_cast<double>(event.began_media_time_us()) * 1e-6});
  }
  return timed;
}

EventScore Compare(const std::vector<TimedEvent>& truth, const std::vector<TimedEvent>& ours,
                   double tolerance_s) {
  struct Pair {
    double apart;
    size_t truth;
    size_t ours;
  };
  std::vector<Pair> pairs;
  for (size_t t = 0; t < truth.size(); ++t) {
    for (size_t o = 0; o < ours.size(); ++o) {
      const double apart = std::abs(truth[t].seconds - ours[o].seconds);
      if (truth[t].rule_id == ours[o].rule_id && truth[t].direction == ours[o].direction &&
          apart <= tolerance_s) {
        pairs.push_back({apart, t, o});
      }
    }
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Pair& a, const Pair& b) { return a.apart < b.apart; });
  std::vector<bool> truth_used(truth.size(), false);
  std::vector<bool> ours_used(ours.size(), false);
  EventScore score{static_cast<int>(truth.size()), static_cast<int>(ours.size()), 0};
  for (const Pair& pair : pairs) {
    if (truth_used[pair.truth] || ours_used[pair.ours]) continue;
    truth_used[pair.truth] = ours_used[pair.ours] = true;
    ++score.matched;
  }
  return score;
}

}  // namespace cordon::accuracy
