// SPDX-License-Identifier: Apache-2.0
// The live picture in a real browser: plays H.264 as it comes, shows masked cameras by pictures,
// and never shows a stale picture as live.
#include <gtest/gtest.h>

#include "tests/integration/console/browser_script.h"
#include "tests/integration/live/live_site.h"

namespace cordon::testing {
namespace {

TEST(LiveBrowser, PlaysFallsBackAndSaysWhenItIsStale) {
  SKIP_WITHOUT_BROWSER();
  TemporaryFolder clips;
  const std::string clip = MakeClip(clips, "clip.mp4", 640, 360, 25, 4);
  auto server = std::make_unique<RtspServer>(
      std::vector<std::string>{"gate=" + clip, "yard=" + clip}, clips.File("cache"));
  ASSERT_TRUE(server->ready());
  LiveSite site(
      {{"gate", server->url(0), ""},
       {"yard", server->url(1), "    masks: [{points: ['0,0', '0.5,0', '0.5,1', '0,1']}]\n"}},
      WebFolder() + "/dist");
  ASSERT_TRUE(site.Start().ok());
  const char* keep = std::getenv("CORDON_SCREENSHOTS");  // a folder, to look at what was seen
  BrowserScript script("node " + WebFolder() + "/live.e2e.mjs " + site.url() + " " +
                       (keep == nullptr ? "" : keep));
  const std::string first = script.Line();
  if (first.starts_with("SKIP")) GTEST_SKIP() << first;
  ASSERT_EQ(first, "WATCHING");
  server->Stop(SIGKILL);
  EXPECT_EQ(script.Line(), "OK");
}

}  // namespace
}  // namespace cordon::testing
