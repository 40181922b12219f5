// SPDX-License-Identifier: Apache-2.0
// A colour that only a masked area has, followed through the whole chain: what a privacy mask covers
// reaches neither the detector nor anything that is kept, sent or shown. A second camera with the
// same picture and no mask shows the colour at every station, or the test would prove nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <opencv2/imgcodecs.hpp>

#include "base/sqlite.h"
#include "ingest/camera_stream.h"
#include "ingest/clip_reader.h"
#include "tests/integration/console/web_client.h"
#include "tests/integration/live/live_site.h"
#include "tests/support/frame_collector.h"

namespace cordon::testing {
namespace {

// Somebody walks on grey ground; the right of the picture is magenta. The mask reaches a little
// further than the colour, as a mask over a window does.
constexpr const char* kPicture =
    "-f lavfi -i color=0x707070:size=640x360:rate=25:duration=6 -f lavfi -i "
    "color=0x202020:size=36x90:rate=25:duration=6 -filter_complex "
    "\"[0]drawbox=x=336:y=0:w=304:h=360:color=magenta:t=fill[yard];[yard][1]overlay=x='20+40*t':y=200\" "
    "-c:v libx264 -preset ultrafast -crf 18 -pix_fmt yuv420p -bf 0 -g 25";
constexpr const char* kMask = "    masks: [{points: ['0.5,0', '1,0', '1,1', '0.5,1']}]\n";
constexpr const char* kRules =
    "    pre_roll_s: 1\n    post_roll_s: 1\n    rules: [{id: all, kind: intrusion, dwell_s: 0.5, "
    "rearm_s: 1}]\n";

// What a station of the chain held: pictures, and how many of their pixels have the colour.
struct Seen {
  size_t pictures = 0;
  size_t marked = 0;

  void Add(const uint8_t* bgr, size_t pixels) {
    ++pictures;
    for (size_t i = 0; i < pixels; ++i, bgr += 3)
      if (bgr[0] > 140 && bgr[2] > 140 && bgr[1] < 120) ++marked;
  }
  void Add(const BgrPicture& picture) { Add(picture.pixels.data(), picture.pixels.size() / 3); }
  void AddJpeg(std::string_view bytes) {
    const cv::Mat picture =
        cv::imdecode(std::vector<uint8_t>(bytes.begin(), bytes.end()), cv::IMREAD_COLOR);
    if (!picture.empty()) Add(picture.ptr<uint8_t>(), picture.total());
  }
  // Every JPEG that lies in these bytes.
  void AddAllIn(std::string_view bytes) {
    constexpr std::string_view kBegin = "\xFF\xD8\xFF";
    for (size_t at = bytes.find(kBegin); at != bytes.npos; at = bytes.find(kBegin, at + 3))
      AddJpeg(bytes.substr(at));
  }
  void AddClip(const std::string& path) {
    auto clip = ClipReader::Open(path, {}, SystemClock());
    ASSERT_TRUE(clip.ok()) << clip.status();
    for (;;) {
      const auto frame = (*clip)->NextFrame();
      ASSERT_TRUE(frame.ok()) << frame.status();
      if (!frame->has_value()) return;
      AddFrame(***frame);
    }
  }
  void AddFrame(const Frame& frame) {
    const int width = frame.colour->width(), height = frame.colour->height();
    Add(frame.colour->Render({0, 0, width, height}, width, height));
  }
};

class MaskedColour : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string clip = clips_.File("yard.mp4");
    ASSERT_TRUE(RunFfmpeg(kPicture, clip));
    server_ = std::make_unique<RtspServer>(std::vector<std::string>{"yard=" + clip},
                                           clips_.File("cache"));
    ASSERT_TRUE(server_->ready());
  }

  TemporaryFolder clips_;
  std::unique_ptr<RtspServer> server_;
};

// What a detector is given is cut from the frame's colour, what analysis sees is its luma.
TEST_F(MaskedColour, IsNotInWhatTheAnalysisAndItsDetectorsAreGiven) {
  for (const bool masked : {true, false}) {
    proto::CameraConfig camera;
    camera.set_id("yard");
    camera.set_url(server_->url());
    camera.set_decode(proto::CameraConfig::DECODE_FULL);
    camera.set_analysis_width(480);
    camera.set_analysis_fps(10);
    camera.set_ring_mib(4);
    if (masked)
      for (const char* corner : {"0.5,0", "1,0", "1,1", "0.5,1"})
        (camera.masks().empty() ? camera.add_masks() : camera.mutable_masks(0))->add_points(corner);
    Metrics metrics;
    OpenGate gate;
    FrameCollector frames;
    const auto stream = CameraStream::Make(camera, Secret(), {SystemClock(), metrics, gate, frames});
    ASSERT_TRUE(stream.ok()) << stream.status();
    Seen seen;
    int brightest = 0;
    ASSERT_TRUE(Eventually([&] {
      const auto frame = frames.Take(Milliseconds(100));
      if (!frame) return false;
      seen.AddFrame(**frame);
      const LumaPicture& luma = (*frame)->luma;
      for (int y = 0; y < luma.height; ++y)
        brightest = std::max<int>(
            brightest, *std::max_element(luma.row(y) + luma.width / 2 + 1, luma.row(y) + luma.width));
      return seen.pictures >= 20;
    })) << (*stream)->Health().ShortDebugString();
    if (masked) {
      EXPECT_EQ(seen.marked, 0u);
      EXPECT_LE(brightest, 20);
    } else {
      EXPECT_GT(seen.marked, seen.pictures * 90'000) << "the colour was there to be seen";
      EXPECT_GT(brightest, 90);
    }
  }
}

// The newest alert of a camera whose clip is complete.
std::string AlertWithClip(const LiveSite& site, const std::string& camera) {
  std::string found;
  EXPECT_TRUE(Eventually(
      [&] {
        const auto answer = Fetch(site.port(), "GET", "/api/alerts?camera=" + camera).json();
        for (const nlohmann::json& alert : answer["alerts"])
          if (alert["snapshot"] == true && alert.contains("evidence") &&
              alert["evidence"]["failure"] == "")
            found = alert["id"];
        return !found.empty();
      },
      Seconds(90)))
      << "no alert with a clip of " << camera;
  return found;
}

Seen LivePictures(const LiveSite& site, const std::string& camera) {
  Seen seen;
  constexpr size_t kHeaderBytes = 8;
  EXPECT_TRUE(Eventually([&] {
    SocketClient socket(site.port(), "/api/cameras/" + camera + "/live?pictures=1");
    for (auto message = socket.Next(); message && seen.pictures < 3; message = socket.Next())
      if (!message->text && message->bytes.size() > kHeaderBytes)
        seen.AddJpeg(std::string_view(message->bytes).substr(kHeaderBytes));
    return seen.pictures >= 3;
  }));
  return seen;
}

// Every picture in any column of any table: what came to the dispatcher by the bus and is kept.
Seen PicturesIn(const std::string& database) {
  Seen seen;
  auto db = sqlite::Connection::Open(database, sqlite::Connection::Mode::kReadOnly);
  EXPECT_TRUE(db.ok()) << db.status();
  if (!db.ok()) return seen;
  const auto rows = [&](const std::string& sql, auto&& use) {
    auto select = (*db)->Prepare(sql);
    ASSERT_TRUE(select.ok()) << select.status();
    while (*select->Step()) use(*select);
  };
  std::vector<std::pair<std::string, std::string>> columns;
  rows("SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = "
       "'table'",
       [&](sqlite::Statement& row) { columns.emplace_back(row.Text(0), row.Text(1)); });
  for (const auto& [table, column] : columns)
    rows("SELECT " + column + " FROM " + table,
         [&](sqlite::Statement& row) { seen.AddAllIn(row.Blob(0)); });
  return seen;
}

TEST_F(MaskedColour, IsNotInAnythingThatIsKeptSentOrShown) {
  LiveSite open({{"open", server_->url(), kRules}});
  LiveSite masked({{"masked", server_->url(), std::string(kMask) + kRules}});
  ASSERT_TRUE(open.Start().ok());
  ASSERT_TRUE(masked.Start().ok());
  for (const LiveSite* site : {&open, &masked}) {
    const std::string camera = site == &masked ? "masked" : "open";
    std::map<std::string, Seen> stations;
    stations["live picture"] = LivePictures(*site, camera);
    const std::string alert = AlertWithClip(*site, camera);
    ASSERT_FALSE(alert.empty());
    stations["preview"].AddJpeg(
        Fetch(site->port(), "GET", "/api/cameras/" + camera + "/preview.jpg").body);
    stations["snapshot"].AddJpeg(
        Fetch(site->port(), "GET", "/api/alerts/" + alert + "/snapshot.jpg").body);
    const std::string clip = site->folder().File("clip.mp4");
    std::ofstream(clip, std::ios::binary)
        << Fetch(site->port(), "GET", "/api/clips/" + alert + ".mp4").body;
    ASSERT_NO_FATAL_FAILURE(stations["clip"].AddClip(clip));
    stations["dispatcher's record"] = PicturesIn(site->folder().File("data/dispatch.db"));
    for (const auto& [station, seen] : stations) {
      EXPECT_GT(seen.pictures, 0u) << station << " of " << camera;
      if (site == &masked) {
        EXPECT_EQ(seen.marked, 0u) << station << " shows what is masked";
      } else {
        EXPECT_GT(seen.marked, seen.pictures * 20'000) << station << " should show the colour";
      }
    }
  }
}

}  // namespace
}  // namespace cordon::testing
