// SPDX-License-Identifier: Apache-2.0
// Sources other than RTSP: HTTP-FLV, HLS, folders.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/clock.h"
#include "ingest/source_factory.h"
#include "tests/support/loopback_listener.h"
#include "tests/support/made_clips.h"

namespace cordon::testing {
namespace {

std::string FileText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Serves a folder's files over HTTP, one request for each connection.
class HttpFolder {
 public:
  explicit HttpFolder(std::string folder) : folder_(std::move(folder)) {
    listener_.Start([this](int fd, int) { Serve(fd); });
  }
  std::string Url(const std::string& name) const {
    return fmt::format("http://127.0.0.1:{}/{}", listener_.port(), name);
  }

 private:
  void Serve(int fd) const {
    std::string head;
    char piece[2048];
    while (head.find("\r\n\r\n") == std::string::npos) {
      const size_t n = listener_.Receive(fd, piece, sizeof piece);
      if (n == 0) return;
      head.append(piece, n);
    }
    const size_t begin = head.find('/') + 1;
    const std::string path = folder_ + "/" + head.substr(begin, head.find(' ', begin) - begin);
    const bool found = std::filesystem::is_regular_file(path);
    const std::string body = found ? FileText(path) : "";
    std::string answer = fmt::format("HTTP/1.0 {}\r\nContent-Length: {}\r\n\r\n{}",
                                     found ? "200 OK" : "404 Not Found", body.size(), body);
    std::string_view rest = answer;
    while (!rest.empty()) {
      const ssize_t n = ::send(fd, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      rest.remove_prefix(static_cast<size_t>(n));
    }
  }
  const std::string folder_;
  LoopbackListener listener_;
};

class SourcesTest : public ::testing::Test {
 protected:
  // Pictures that came before the source ended, at most `most`.
  size_t Play(const std::string& url, size_t most = 1000) {
    proto::CameraConfig camera;
    camera.set_id("gate");
    camera.set_url(url);
    auto source = MakePacketSource(camera, Secret(), SystemClock(), url);
    if (!source.ok()) {
      end_ = source.status();
      return 0;
    }
    const absl::StatusOr<StreamInfo> info = (*source)->Open();
    end_ = info.status();
    size_t pictures = 0;
    uint64_t run = 0;
    while (end_.ok() && pictures < most) {
      const absl::StatusOr<Packet> packet = (*source)->Read(Seconds(5));
      end_ = packet.status();
      if (!packet.ok()) break;
      ++pictures;
      runs_ += packet->run != run ? 1 : 0;
      run = packet->run;
    }
    return pictures;
  }
  TemporaryFolder folder_;
  absl::Status end_;
  int runs_ = 0;
};

TEST_F(SourcesTest, HttpFlvGivesEveryPicture) {
  MakeClip(folder_, "live.flv");
  const HttpFolder http(folder_.File(""));
  EXPECT_EQ(Play(http.Url("live.flv")), 50u) << end_;
}

TEST_F(SourcesTest, HlsFollowsThePlaylist) {
  MakeClip(folder_, "live.m3u8", 320, 240, 25, 4, 25, "-f hls -hls_time 1 -hls_list_size 0");
  const HttpFolder http(folder_.File(""));
  EXPECT_EQ(Play(http.Url("live.m3u8")), 100u) << end_;
}

TEST_F(SourcesTest, AnHlsPlaylistThatNamesAnotherHostOrAFileGetsNothing) {
  const std::string clip = MakeClip(folder_, "secret.ts");
  const HttpFolder other(folder_.File(""));
  const HttpFolder http(folder_.File(""));
  for (const std::string& segment : {other.Url("secret.ts"), "file://" + clip, clip}) {
    std::ofstream(folder_.File("bad.m3u8"))
        << "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n" << segment << "\n#EXT-X-ENDLIST\n";
    EXPECT_EQ(Play(http.Url("bad.m3u8")), 0u) << segment;
    EXPECT_FALSE(end_.ok()) << segment;
  }
}

TEST_F(SourcesTest, AnAbsentStreamIsSaid) {
  const HttpFolder http(folder_.File(""));
  EXPECT_EQ(Play(http.Url("absent.flv")), 0u);
  EXPECT_EQ(end_.code(), absl::StatusCode::kNotFound) << end_;
}

TEST_F(SourcesTest, APasswordIsNotSentInClearUnlessAllowed) {
  proto::CameraConfig camera;
  camera.set_id("gate");
  camera.set_username("admin");
  const HttpFolder http(folder_.File(""));
  auto source = MakePacketSource(camera, Secret("canary"), SystemClock(), http.Url("live.flv"));
  ASSERT_TRUE(source.ok());
  EXPECT_EQ((*source)->Open().status().code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(SourcesTest, AFolderIsPlayedInOrderOfNamesAtItsOwnPaceEachClipARunOfItsOwn) {
  std::filesystem::create_directory(folder_.File("clips"));
  MakeClip(folder_, "clips/b.mp4", 320, 240, 25, 1);
  MakeClip(folder_, "clips/a.mp4", 320, 240, 25, 1);
  std::ofstream(folder_.File("clips/notes.txt")) << "no video";
  const BootTime begin = SystemClock().Boot();
  EXPECT_EQ(Play(folder_.File("clips")), 50u);
  EXPECT_TRUE(absl::IsOutOfRange(end_)) << end_;
  EXPECT_EQ(runs_, 2);
  EXPECT_GE(SystemClock().Boot() - begin, Milliseconds(1800));
}

TEST_F(SourcesTest, AnAbsentVideoDeviceIsSaid) {
  EXPECT_EQ(Play("v4l2:///dev/video-absent"), 0u);
  EXPECT_FALSE(end_.ok());
}

}  // namespace
}  // namespace cordon::testing
