// SPDX-License-Identifier: Apache-2.0
// `cordon doctor` with real cameras, a real disk, taken ports and real keys.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "tests/integration/rtsp/rtsp_client_fixture.h"
#include "tests/support/run_cordon.h"
#include "tests/support/onvif_device.h"

namespace cordon::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class DoctorCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::getenv("CORDON_BINARY") == nullptr)
      FAIL() << "CORDON_BINARY is not set (ctest sets it)";
  }
  std::string Site(const std::string& cameras, const std::string& more = "") {
    const std::string path = folder_.File("site.yaml");
    std::ofstream(path) << "id: test\ndata_dir: " << folder_.File("data")
                        << "\ndispatch:\n  roads: demo\n"
                        << more << "cameras:\n"
                        << cameras;
    return path;
  }
  static std::string CameraBlock(const std::string& id, const std::string& url,
                                 const std::string& more = "") {
    return "  - {id: " + id + ", url: '" + url +
           "', lat: 1, lon: 1, purpose: test, retention_hours: 1" + more + "}\n";
  }
  // The finding of this subject; null: there is none.
  static nlohmann::json Of(const Ran& ran, const std::string& subject) {
    const auto json = nlohmann::json::parse(ran.out, nullptr, false);
    EXPECT_FALSE(json.is_discarded()) << ran.out;
    for (const auto& finding : json["findings"])
      if (finding["subject"] == subject) return finding;
    return nullptr;
  }
  // On a port that nothing listens on at this moment.
  const std::string kFree = "console: {listen: '127.0.0.1:0'}\n";

  TemporaryFolder folder_;
  FaultRtspServer camera_{Camera(Packetize(TestVideo(false), false))};
};

TEST_F(DoctorCommand, AHealthySiteHasNothingFailed) {
  OnvifDeviceOptions options;
  options.stream_port = camera_.port();
  const OnvifDevice device(options);
  const std::string site = Site(CameraBlock("gate", camera_.Url(), ", onvif_url: '" + device.Url() + "'"), kFree);
  const Ran ran = RunCordon("doctor --json --watch 1 " + site);
  ASSERT_EQ(ran.exit_code, 0) << ran.out;
  EXPECT_EQ(nlohmann::json::parse(ran.out)["ok"], true);
  EXPECT_EQ(Of(ran, "camera gate")["level"], "ok");
  EXPECT_THAT(Of(ran, "camera gate")["text"].get<std::string>(), HasSubstr("h264 320x240, 25.0"));
  EXPECT_THAT(Of(ran, "camera gate (ONVIF)").dump(), HasSubstr("its clock differs by"));
  EXPECT_EQ(Of(ran, "keys")["level"], "ok");
  EXPECT_EQ(Of(ran, "roads")["level"], "ok");
  EXPECT_THAT(Of(ran, "disk")["text"].get<std::string>(), HasSubstr("durable write"));
  EXPECT_FALSE(std::filesystem::exists(folder_.File("data/.doctor"))) << "it leaves nothing behind";
}

TEST_F(DoctorCommand, EveryFailureIsOneLineWithARemedy) {
  std::ofstream(folder_.File("open.password")) << "s3cret-Canary-77\n";
  ::chmod(folder_.File("open.password").c_str(), 0644);
  const std::string site =
      Site(CameraBlock("off", "rtsp://127.0.0.1:1/x") +
               CameraBlock("absent", folder_.File("absent.mp4")) +
               CameraBlock("gate", camera_.Url(),
                           ", username: admin, password_file: " + folder_.File("open.password")) +
               CameraBlock("locked", camera_.Url(),
                           ", password_file: " + folder_.File("missing.password")),
           kFree);
  const Ran ran = RunCordon("doctor --watch 0.5 " + site);
  EXPECT_EQ(ran.exit_code, 1) << ran.out;
  EXPECT_THAT(ran.out, HasSubstr("failed   camera off: cannot connect to 127.0.0.1 port 1"));
  EXPECT_THAT(ran.out, HasSubstr("failed   camera absent: "));
  EXPECT_THAT(ran.out, HasSubstr("warning  camera gate: its password_file can be read by others "
                                 "-> chmod 600 "));
  EXPECT_THAT(ran.out, HasSubstr("failed   camera locked: "));
  EXPECT_THAT(ran.out, Not(HasSubstr("s3cret")));
  std::istringstream lines(ran.out);
  for (std::string line; std::getline(lines, line);)
    EXPECT_TRUE(line.starts_with("ok ") || line.find(" -> ") != std::string::npos) << line;
}

TEST_F(DoctorCommand, APortThatAnotherProgramHoldsIsSaid) {
  const std::string port = std::to_string(camera_.port());  // an RTSP server is no Cordon
  const std::string site = Site(CameraBlock("gate", camera_.Url()),
                                "console: {listen: '127.0.0.1:" + port + "'}\n");
  const Ran ran = RunCordon("doctor --json --no-cameras " + site);
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(Of(ran, "console")["level"], "failed");
  EXPECT_THAT(Of(ran, "console")["text"].get<std::string>(), HasSubstr("taken by another program"));
  EXPECT_TRUE(Of(ran, "camera gate").is_null()) << "--no-cameras leaves them alone";
}

TEST_F(DoctorCommand, ABusThatLeavesTheMachineNeedsItsKeys) {
  const std::string lanes =
      "bus: {alerts: 'tcp://127.0.0.1:0', keys_dir: '" + folder_.File("keys") + "'}\n";
  const std::string site = Site(CameraBlock("gate", camera_.Url()), kFree + lanes);
  const Ran without = RunCordon("doctor --json --no-cameras " + site);
  EXPECT_EQ(without.exit_code, 1);
  EXPECT_EQ(Of(without, "keys")["level"], "failed");
  ASSERT_EQ(RunCordon("keys generate " + folder_.File("keys") + " --name dispatch").exit_code, 0);
  const Ran with = RunCordon("doctor --json --no-cameras " + site);
  EXPECT_EQ(with.exit_code, 0) << with.out;
  EXPECT_THAT(with.out, HasSubstr("node-1.pub is not here")) << "a warning: it may be right";
  ::chmod(folder_.File("keys/dispatch.key").c_str(), 0644);
  const Ran open = RunCordon("doctor --json --no-cameras " + site);
  EXPECT_EQ(open.exit_code, 1) << "a key that others can read is refused";
}

TEST_F(DoctorCommand, ADiskThatCannotBeWrittenIsSaid) {
  std::ofstream(folder_.File("file")) << "in the way";
  const std::string path = folder_.File("site.yaml");
  std::ofstream(path) << "id: test\ndata_dir: " << folder_.File("file")
                      << "/data\ndispatch:\n  roads: demo\n"
                      << kFree << "cameras:\n"
                      << CameraBlock("gate", camera_.Url());
  const Ran ran = RunCordon("doctor --json --no-cameras " + path);
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(Of(ran, "disk")["level"], "failed");
}

TEST_F(DoctorCommand, AWrongSiteFileIsBadInput) {
  EXPECT_EQ(RunCordon("doctor " + folder_.File("nothing.yaml")).exit_code, 2);
}

}  // namespace
}  // namespace cordon::testing
