// SPDX-License-Identifier: Apache-2.0
// Cameras that drop, fall silent and come back together, on loopback with small pictures.
//   camera_soak drops [--cameras 25] [--drops 1000]      memory, descriptors, threads along the way
//   camera_soak returns [--cameras 200] [--away 30]      how soon a loss is shown, how soon all are
//                                                        back, and how hard they knock
// The server that drops them is a process of its own; what is told is held by the cameras alone,
// with the heap set up as a node's. One line of JSON each; 1 when a budget is missed.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/log.h"
#include "cli/process_usage.h"
#include "tests/support/camera_fleet.h"

namespace cordon::testing {
namespace {

constexpr double kShownWithin = 5;
constexpr double kBackWithin = 10;
constexpr double kMostGrowthMib = 4;
// Of each camera: malloc's caches of its thread fill over the first connections.
constexpr uint64_t kWarmUpDrops = 8;

struct Options {
  std::string what;
  size_t cameras = 0;
  uint64_t drops = 1000;
  int away = 30;
};

std::string SmallVideo() {
  TemporaryFolder folder;
  return EncodeTestVideo(folder, false, 20, 10, "160x120");
}

double At(const std::vector<double>& sorted, double share) {
  return sorted[static_cast<size_t>(share * static_cast<double>(sorted.size() - 1))];
}

double RingMib(const CameraFleet& fleet) {
  return static_cast<double>(fleet.RingBytes()) / 1024 / 1024;
}

void Tell(const CameraFleet& fleet, uint64_t drops, const Holdings& now) {
  fmt::print(stderr,
             "  {:5} drops: resident {:.1f} MiB, heap {:.1f}, allocated {:.1f}, of it rings "
             "{:.1f}; descriptors {}, threads {}\n",
             drops, now.resident_mib, now.heap_mib, now.allocated_mib, RingMib(fleet),
             now.descriptors, now.threads);
}

int Drops(const Options& options) {
  const FleetServerProcess server(SmallVideo(), 2);
  cli::ReturnFreedPictures();
  const size_t descriptors = Holdings::Now().descriptors;
  CameraFleet fleet(options.cameras == 0 ? 25 : options.cameras, server.Url());
  const auto after = [&](uint64_t drops) -> std::optional<Holdings> {
    if (!Until(Seconds(600), [&] { return fleet.Reconnects() >= drops; })) return std::nullopt;
    return fleet.HoldingsBetweenConnections(descriptors);
  };
  const uint64_t warm_up = kWarmUpDrops * fleet.size();
  const std::optional<Holdings> first = after(warm_up);
  if (!first) return 1;
  Tell(fleet, 0, *first);
  const double ring = RingMib(fleet);
  std::optional<Holdings> last = first;
  for (uint64_t drops = 0; drops < options.drops;) {
    drops = std::min(drops + fleet.size(), options.drops);
    last = after(warm_up + drops);
    if (!last) return 1;
    Tell(fleet, drops, *last);
  }
  // What the rings keep is bounded by itself.
  const double grown = last->resident_mib - first->resident_mib - (RingMib(fleet) - ring);
  const bool met = grown <= kMostGrowthMib && last->threads == first->threads;
  fmt::print(
      "{{\"cameras\": {}, \"drops\": {}, \"rss_mib\": [{:.1f}, {:.1f}], \"allocated_mib\": "
      "[{:.1f}, {:.1f}], \"ring_mib\": [{:.1f}, {:.1f}], \"descriptors\": [{}, {}], "
      "\"threads\": [{}, {}], \"met\": {}}}\n",
      fleet.size(), options.drops, first->resident_mib, last->resident_mib, first->allocated_mib,
      last->allocated_mib, ring, RingMib(fleet), first->descriptors, last->descriptors,
      first->threads, last->threads, met);
  return met ? 0 : 1;
}

int Returns(const Options& options) {
  FleetServer server(SmallVideo(), 0);
  CameraFleet fleet(options.cameras == 0 ? 200 : options.cameras, server.Url());
  const auto is_live = [](proto::StreamState state) { return state == proto::STREAM_STATE_LIVE; };
  const auto is_not = [](proto::StreamState state) { return state != proto::STREAM_STATE_LIVE; };
  if (!Until(Seconds(30), [&] { return fleet.AllLive(); })) return 1;
  server.FallSilent();
  const auto shown = TimesUntil(fleet, SystemClock().Boot(), Seconds(20), is_not);
  server.Leave();
  static_cast<void>(Until(Seconds(options.away), [] { return false; }));
  server.Speak();
  server.Return();
  const auto back = TimesUntil(fleet, SystemClock().Boot(), Seconds(60), is_live);
  const bool met = shown.back() <= kShownWithin && At(back, 0.95) <= kBackWithin;
  fmt::print(
      "{{\"cameras\": {}, \"away_s\": {}, \"stall_shown_s\": [{:.1f}, {:.1f}], \"back_s_p50\": "
      "{:.1f}, \"back_s_p95\": {:.1f}, \"back_s_max\": {:.1f}, \"most_opening_at_once\": {}, "
      "\"most_connections_in_a_second\": {}, \"met\": {}}}\n",
      fleet.size(), options.away, At(shown, 0.5), shown.back(), At(back, 0.5), At(back, 0.95),
      back.back(), fleet.most_opening(), server.most_in_a_second(), met);
  return met ? 0 : 1;
}

}  // namespace
}  // namespace cordon::testing

int main(int argc, char** argv) {
  cordon::log::Init("soak", cordon::log::Format::kText, cordon::log::Level::kError);
  cordon::testing::Options options;
  if (argc > 1) options.what = argv[1];
  for (int i = 2; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--cameras") == 0)
      options.cameras = std::strtoul(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--drops") == 0)
      options.drops = std::strtoul(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--away") == 0) options.away = std::atoi(argv[i + 1]);
  }
  if (options.what == "drops") return cordon::testing::Drops(options);
  if (options.what == "returns") return cordon::testing::Returns(options);
  std::fprintf(stderr,
               "usage: camera_soak drops|returns [--cameras N] [--drops N] [--away SECONDS]\n");
  return 2;
}
