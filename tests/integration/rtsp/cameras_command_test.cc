// SPDX-License-Identifier: Apache-2.0
// `cordon cameras probe` as a person uses it: what it prints is a configuration that `cordon check`
// accepts.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/support/run_cordon.h"
#include "tests/integration/rtsp/rtsp_client_fixture.h"
#include "tests/support/onvif_device.h"

namespace cordon::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class CamerasCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::getenv("CORDON_BINARY") == nullptr)
      FAIL() << "CORDON_BINARY is not set (ctest sets it)";
    std::ofstream(folder_.File("camera.password")) << "s3cret-Canary-77\n";
  }
  std::string Login() const {
    return " --username admin --password-file " + folder_.File("camera.password");
  }

  TemporaryFolder folder_;
  FaultRtspServer camera_{Camera(Packetize(TestVideo(false), false))};
};

TEST_F(CamerasCommand, AProbedOnvifCameraIsAConfigurationThatChecks) {
  OnvifDeviceOptions options;
  options.stream_port = camera_.port();
  const OnvifDevice device(options);
  const Ran probe = RunCordon("cameras probe " + device.Url() + Login() +
                              " --watch 0.5 --lat 41.15 --lon -8.61 --purpose test");
  ASSERT_EQ(probe.exit_code, 0) << probe.out;
  EXPECT_THAT(probe.out, HasSubstr("H.264 320x240, 25.0 fps"));
  EXPECT_THAT(probe.out, HasSubstr("sub_url"));
  EXPECT_THAT(probe.out, Not(HasSubstr("s3cret")));
  EXPECT_THAT(probe.out, Not(HasSubstr("leaked")));
  const std::string site = folder_.File("site.yaml");
  std::ofstream(site) << "id: test\ndispatch:\n  roads: demo\n" << probe.out;
  const Ran check = RunCordon("check " + site);
  EXPECT_EQ(check.exit_code, 0) << check.out << probe.out;
}

TEST_F(CamerasCommand, JsonNamesWhatWasSeen) {
  const Ran probe = RunCordon("cameras probe " + camera_.Url() + " --watch 0.5 --json --id gate");
  ASSERT_EQ(probe.exit_code, 0) << probe.out;
  const auto json = nlohmann::json::parse(probe.out);
  EXPECT_EQ(json["id"], "gate");
  EXPECT_EQ(json["main"]["codec"], "H.264");
  EXPECT_EQ(json["main"]["width"], 320);
  EXPECT_NEAR(json["main"]["frame_rate"].get<double>(), 25, 0.1);
  EXPECT_NEAR(json["main"]["key_interval_s"].get<double>(), 1, 0.01);
}

TEST_F(CamerasCommand, ErrorsAreOneLineThatSaysWhatToDo) {
  struct Case {
    std::string arguments;
    int exit_code;
    const char* says;
  };
  const Case cases[] = {
      {"rtsp://admin:hunter2@127.0.0.1/x", 2, "password_file"},
      {"rtsp://127.0.0.1:1/x", 1, "refused"},
      {"rtsp://169.254.169.254/x", 1, "link-local"},
      {"gopher://x", 2, "http"},
      {"rtsp://127.0.0.1:1/x --username a --password-file /nonexistent", 2, "--password-file"},
  };
  for (const Case& c : cases) {
    const Ran ran = RunCordon(
        "cameras probe '" + c.arguments.substr(0, c.arguments.find(' ')) + "'" +
        (c.arguments.find(' ') == std::string::npos ? ""
                                                    : c.arguments.substr(c.arguments.find(' '))));
    EXPECT_EQ(ran.exit_code, c.exit_code) << c.arguments << ": " << ran.out;
    EXPECT_THAT(ran.out, HasSubstr(c.says));
    EXPECT_THAT(ran.out, Not(HasSubstr("hunter2")));
    EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 1) << ran.out;
  }
}

TEST_F(CamerasCommand, HelpHasExamples) {
  for (const char* command :
       {"cameras --help", "cameras discover --help", "cameras probe --help"}) {
    const Ran ran = RunCordon(command);
    EXPECT_EQ(ran.exit_code, 0);
    EXPECT_THAT(ran.out, HasSubstr("Example"));
  }
}

}  // namespace
}  // namespace cordon::testing
