// SPDX-License-Identifier: Apache-2.0
// The built page in a real browser, against a real console. Skips where the page is not built or no
// browser is installed.
#include <gtest/gtest.h>

#include <thread>

#include "absl/synchronization/notification.h"
#include "dispatch/demo_city.h"
#include "tests/integration/console/browser_script.h"
#include "tests/integration/console/desk.h"

namespace cordon::testing {
namespace {

// A parked unit that keeps reporting, as a device does, however long the browser takes.
class Reporter {
 public:
  Reporter(Desk& desk, const std::string& unit, LatLon place)
      : thread_([this, &desk, unit, place] {
          do desk.UnitAt(unit, place);
          while (!stop_.WaitForNotificationWithTimeout(absl::Seconds(1)));
        }) {}
  ~Reporter() {
    stop_.Notify();
    thread_.join();
  }

 private:
  absl::Notification stop_;
  std::thread thread_;
};

TEST(ConsoleBrowser, OperatorSeesAnAlertAndSendsAUnit) {
  SKIP_WITHOUT_BROWSER();
  Desk::Options options;
  options.page = WebFolder() + "/dist";
  options.roads = DemoRoads();
  const LatLon centre = DemoCityCentre();
  for (const char* id : {"gate", "yard"}) {
    proto::CameraConfig& camera = *options.site.add_cameras();
    camera.set_id(id);
    camera.set_name(std::string("<img src=x onerror=alert(1)> ") + id);
    camera.set_lat(centre.lat);
    camera.set_lon(centre.lon);
  }
  Desk desk(std::move(options));
  const Reporter car(desk, "car-1", Offset(centre, 30, Metres{900}));
  desk.Raise("gate", Offset(centre, 90, Metres{600}), "<script>alert(2)</script>", "",
             proto::RuleConfig::SEVERITY_LOW);
  BrowserScript script("node " + WebFolder() + "/e2e.mjs " + desk.url());
  const std::string first = script.Line();
  if (first.starts_with("SKIP")) GTEST_SKIP() << first;
  ASSERT_EQ(first, "READY");
  desk.Raise("yard", centre);
  EXPECT_EQ(script.Line(), "OK");
}

}  // namespace
}  // namespace cordon::testing
