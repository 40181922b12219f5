// SPDX-License-Identifier: Apache-2.0
// Cameras that drop, fall silent and come back together, on loopback with small pictures.
//   camera_soak drops [--cameras 100] [--drops 1000]     memory, descriptors, threads along the way
//   camera_soak returns [--cameras 200] [--away 30]      how soon a loss is shown, how soon all are
//                                                        back, and how hard they knock
// Server and cameras share the process. One line of JSON each; 1 when a budget is missed.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/support/camera_fleet.h"

namespace cordon::testing {
namespace {

constexpr double kShownWithin = 5;
constexpr double kBackWithin = 10;
constexpr double kMostGrowthMib = 8;

struct Options {
  std::string what;
  size_t cameras = 0;
  int drops = 1000;
  int away = 30;
};

std::string SmallVideo() {
  TemporaryFolder folder;
  return EncodeTestVideo(folder, false, 20, 10, "160x120");
}

double At(const std::vector<double>& sorted, double share) {
  return sorted[static_cast<size_t>(share * static_cast<double>(sorted.size() - 1))];
}

int Drops(const Options& options) {
  CameraFleet fleet(options.cameras == 0 ? 100 : options.cameras, SmallVideo(), 2);
  const auto wait = [&](int connections) {
    return Until(Seconds(1200), [&] { return fleet.connections() >= connections; });
  };
  const int warm_up = static_cast<int>(2 * fleet.size());
  if (!wait(warm_up)) return 1;
  const Holdings before = Holdings::Now();
  if (!wait(warm_up + options.drops)) return 1;
  const Holdings after = Holdings::Now();
  const double growth = after.resident_mib - before.resident_mib;
  const bool met = growth <= kMostGrowthMib &&
                   after.descriptors <= before.descriptors + fleet.size() &&
                   after.threads <= before.threads + fleet.size();
  fmt::print(
      "{{\"cameras\": {}, \"drops\": {}, \"rss_mib\": [{:.1f}, {:.1f}], \"descriptors\": [{}, {}], "
      "\"threads\": [{}, {}], \"met\": {}}}\n",
      fleet.size(), options.drops, before.resident_mib, after.resident_mib, before.descriptors,
      after.descriptors, before.threads, after.threads, met);
  return met ? 0 : 1;
}

int Returns(const Options& options) {
  CameraFleet fleet(options.cameras == 0 ? 200 : options.cameras, SmallVideo(), 0);
  const auto is_live = [](proto::StreamState state) { return state == proto::STREAM_STATE_LIVE; };
  const auto is_not = [](proto::StreamState state) { return state != proto::STREAM_STATE_LIVE; };
  if (!Until(Seconds(30), [&] { return fleet.AllLive(); })) return 1;
  fleet.FallSilent();
  const auto shown = TimesUntil(fleet, SystemClock().Boot(), Seconds(20), is_not);
  fleet.Leave();
  static_cast<void>(Until(Seconds(options.away), [] { return false; }));
  fleet.Speak();
  fleet.Return();
  const auto back = TimesUntil(fleet, SystemClock().Boot(), Seconds(60), is_live);
  const bool met = shown.back() <= kShownWithin && At(back, 0.95) <= kBackWithin;
  fmt::print(
      "{{\"cameras\": {}, \"away_s\": {}, \"stall_shown_s\": [{:.1f}, {:.1f}], \"back_s_p50\": "
      "{:.1f}, \"back_s_p95\": {:.1f}, \"back_s_max\": {:.1f}, \"most_opening_at_once\": {}, "
      "\"most_connections_in_a_second\": {}, \"met\": {}}}\n",
      fleet.size(), options.away, At(shown, 0.5), shown.back(), At(back, 0.5), At(back, 0.95),
      back.back(), fleet.most_opening(), fleet.most_in_a_second(), met);
  return met ? 0 : 1;
}

}  // namespace
}  // namespace cordon::testing

int main(int argc, char** argv) {
  cordon::testing::Options options;
  if (argc > 1) options.what = argv[1];
  for (int i = 2; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--cameras") == 0)
      options.cameras = std::strtoul(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--drops") == 0) options.drops = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--away") == 0) options.away = std::atoi(argv[i + 1]);
  }
  if (options.what == "drops") return cordon::testing::Drops(options);
  if (options.what == "returns") return cordon::testing::Returns(options);
  std::fprintf(stderr,
               "usage: camera_soak drops|returns [--cameras N] [--drops N] [--away SECONDS]\n");
  return 2;
}
