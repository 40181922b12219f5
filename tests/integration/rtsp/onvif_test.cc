// SPDX-License-Identifier: Apache-2.0
// The ONVIF client against a device over real HTTP, as the standard has it and as odd as they come.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "ingest/onvif_client.h"
#include "ingest/onvif_events.h"
#include "ingest/ws_discovery.h"
#include "tests/support/fault_rtsp_server.h"
#include "tests/support/onvif_device.h"

namespace cordon::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kPassword = "s3cret-Canary-77";

OnvifOptions OptionsFor(const std::string& url, const std::string& password = kPassword) {
  OnvifOptions options;
  options.url = url;
  options.access.username = "admin";
  options.access.password = Secret(password);
  options.call = Milliseconds(2000);
  return options;
}

class OnvifTest : public ::testing::Test {
 protected:
  std::unique_ptr<OnvifClient> Client(const OnvifDevice& device,
                                      const std::string& password = kPassword) {
    auto client = OnvifClient::Make(net_, OptionsFor(device.Url(), password));
    EXPECT_TRUE(client.ok()) << client.status();
    return *std::move(client);
  }
  WakeEvent wake_;
  NetContext net_{SystemClock(), wake_};
};

TEST_F(OnvifTest, FindsTheStreamsAtTheHostItReached) {
  const OnvifDevice device;
  const auto client = Client(device);
  ASSERT_TRUE(client->SyncClock().ok());
  const auto services = client->Services();
  ASSERT_TRUE(services.ok()) << services.status();
  const auto profiles = client->Profiles(*services);
  ASSERT_TRUE(profiles.ok()) << profiles.status();
  ASSERT_EQ(profiles->size(), 3U);
  const ProfileChoice choice = ChooseProfiles(*profiles);
  ASSERT_EQ(choice.main, 2);
  ASSERT_EQ(choice.sub, 1);
  EXPECT_EQ((*profiles)[2].encoding, "H265");
  EXPECT_EQ((*profiles)[2].frame_rate, 25);
  const auto url = client->StreamUrl(*services, (*profiles)[2]);
  ASSERT_TRUE(url.ok()) << url.status();
  EXPECT_EQ(*url, "rtsp://127.0.0.1:8554/main?a=1&b=2") << "host rewritten, user info taken off";
  const auto identity = client->DeviceInformation();
  ASSERT_TRUE(identity.ok());
  EXPECT_EQ(identity->manufacturer, "Acme & Co");
  EXPECT_THAT(device.Received(), Not(HasSubstr(kPassword)));
}

TEST_F(OnvifTest, FallsBackToTheFirstMediaServiceAndToCapabilities) {
  for (const bool services_known : {true, false}) {
    OnvifDeviceOptions options;
    options.media2 = false;
    options.services = services_known;
    const OnvifDevice device(options);
    const auto client = Client(device);
    const auto services = client->Services();
    ASSERT_TRUE(services.ok()) << services.status();
    const auto profiles = client->Profiles(*services);
    ASSERT_TRUE(profiles.ok()) << profiles.status();
    EXPECT_EQ((*profiles)[2].encoding, "H264");
    EXPECT_TRUE(client->StreamUrl(*services, (*profiles)[1]).ok());
  }
}

TEST_F(OnvifTest, SpeaksHttpDigestToo) {
  OnvifDeviceOptions options;
  options.check_http_digest = true;
  options.check_token = false;
  const OnvifDevice device(options);
  EXPECT_TRUE(Client(device)->Services().ok());
  EXPECT_EQ(Client(device, "wrong")->Services().status().code(),
            absl::StatusCode::kUnauthenticated);
}

TEST_F(OnvifTest, UsesTheCamerasClockForItsToken) {
  for (const int skew : {-3 * 3600, 86400 * 365}) {
    OnvifDeviceOptions options;
    options.clock_skew = Seconds(skew);
    const OnvifDevice device(options);
    const auto client = Client(device);
    EXPECT_EQ(client->Services().status().code(), absl::StatusCode::kUnauthenticated)
        << "our clock is not taken";
    const auto offset = client->SyncClock();
    ASSERT_TRUE(offset.ok());
    EXPECT_LT(std::chrono::abs(*offset - Seconds(skew)), Seconds(2));
    EXPECT_TRUE(client->Services().ok());
  }
}

TEST_F(OnvifTest, ACameraThatGuardsItsClockIsAskedWithTheLogin) {
  OnvifDeviceOptions options;
  options.time_needs_login = true;
  const OnvifDevice device(options);
  EXPECT_TRUE(Client(device)->SyncClock().ok());
}

TEST_F(OnvifTest, AWrongPasswordIsSaidAndNotRepeated) {
  const OnvifDevice device;
  const auto client = Client(device, "wrong");
  ASSERT_TRUE(client->SyncClock().ok());
  EXPECT_EQ(client->Services().status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(device.Calls("GetServices") + device.Calls("GetCapabilities"), 1);
}

TEST_F(OnvifTest, HostileAnswersAreRefused) {
  OnvifDevice device;
  const auto client = Client(device);
  const auto http = [](const std::string& body, const std::string& head = "200 OK") {
    return "HTTP/1.1 " + head + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           body;
  };
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  const std::string hostile[] = {
      "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><x>&e;</x>",
      deep,
      std::string(2 << 20, 'a'),
      "<s:Envelope><s:Body>",
      "\xff\xfe\x00",
      "",
  };
  for (const std::string& body : hostile) {
    device.AnswerNext(http(body));
    EXPECT_EQ(client->SyncClock().status().code(), absl::StatusCode::kDataLoss)
        << body.substr(0, 40);
  }
  device.AnswerNext(
      "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(client->SyncClock().status().code(), absl::StatusCode::kUnavailable)
      << "redirects are not followed";
}

TEST_F(OnvifTest, RefusedAddressesGetNoByte) {
  const OnvifDevice device;
  for (const char* host : {"127.1", "0x7f.1", "[::ffff:127.0.0.1]", "169.254.169.254"}) {
    const auto client = OnvifClient::Make(
        net_, OptionsFor("http://" + std::string(host) + ":" + std::to_string(device.port())));
    ASSERT_TRUE(client.ok());
    EXPECT_EQ((*client)->SyncClock().status().code(), absl::StatusCode::kPermissionDenied) << host;
  }
  EXPECT_FALSE(OnvifClient::Make(net_, OptionsFor("file:///etc/passwd")).ok());
  EXPECT_FALSE(OnvifClient::Make(net_, OptionsFor("http://u:p@10.0.0.1/")).ok());
  EXPECT_EQ(device.Received(), "");
}

TEST_F(OnvifTest, ASilentDeviceEndsAtItsDeadline) {
  FaultRtspServer silent([](FaultSession& s) { s.Silence(); });
  OnvifOptions options = OptionsFor("http://127.0.0.1:" + std::to_string(silent.port()));
  options.call = Milliseconds(300);
  const auto client = OnvifClient::Make(net_, options);
  const BootTime begin = SystemClock().Boot();
  EXPECT_EQ((*client)->SyncClock().status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_LT(SystemClock().Boot() - begin, Milliseconds(1300));
}

// Events.
class OnvifEventsTest : public ::testing::Test {
 protected:
  OnvifEventOptions Quick(const OnvifDevice& device) {
    OnvifEventOptions options;
    options.device = OptionsFor(device.Url());
    options.lifetime = Seconds(60);
    options.pull = Seconds(1);
    options.first_backoff = Milliseconds(50);
    options.longest_backoff = Milliseconds(200);
    options.refused_backoff = Milliseconds(200);
    return options;
  }
  std::unique_ptr<OnvifEvents> Start(const OnvifEventOptions& options) {
    return std::make_unique<OnvifEvents>(
        options, SystemClock(), [this](const OnvifTrigger& trigger) {
          const absl::MutexLock lock(&mutex_);
          triggers_.push_back(std::string(NameOf(trigger.kind)) + (trigger.stateless ? "!"
                                                                   : trigger.active  ? "+"
                                                                                     : "-"));
        });
  }
  bool Await(size_t count) {
    const absl::MutexLock lock(&mutex_);
    const auto enough = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return triggers_.size() >= count; };
    return mutex_.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(8));
  }
  std::vector<std::string> Triggers() {
    const absl::MutexLock lock(&mutex_);
    return triggers_;
  }
  absl::Mutex mutex_;
  std::vector<std::string> triggers_ ABSL_GUARDED_BY(mutex_);
};

constexpr const char* kMotionTopic = "tns1:RuleEngine/CellMotionDetector/Motion";

TEST_F(OnvifEventsTest, OnlyChangesTrigger) {
  OnvifDevice device;
  const auto events = Start(Quick(device));
  device.Notify(kMotionTopic, "Initialized", "r", "IsMotion", "false");
  device.Notify(kMotionTopic, "Changed", "r", "IsMotion", "true");
  device.Notify(kMotionTopic, "Changed", "r", "IsMotion", "true");
  device.Notify("tns1:RuleEngine/LineDetector/tnsx:Crossed", "", "line 1", "ObjectId", "7");
  device.Notify("tns1:Device/tnsv:Unknown", "Changed", "r", "State", "true");
  device.Notify("tns1:RuleEngine/MyRuleDetector/FaceDetect", "Changed", "r", "State", "true");
  device.Notify(kMotionTopic, "Changed", "r", "IsMotion", "false");
  ASSERT_TRUE(Await(3));
  EXPECT_THAT(Triggers(), ElementsAre("motion+", "a line crossed!", "motion-"));
  EXPECT_EQ(events->status().ignored, 2U);
  EXPECT_EQ(events->status().state, OnvifEvents::State::kSubscribed);
}

TEST_F(OnvifEventsTest, OneSubscriptionIsRenewedNotRemade) {
  OnvifDeviceOptions options;
  options.lifetime = Seconds(5);  // granted instead of 60
  OnvifDevice device(options);
  const auto events = Start(Quick(device));
  ASSERT_TRUE(device.AwaitCalls("Renew", 1, Seconds(9)));
  EXPECT_EQ(device.Calls("CreatePullPointSubscription"), 1);
  EXPECT_GT(device.Calls("PullMessages"), 1);
}

TEST_F(OnvifEventsTest, ARestartedCameraIsSubscribedAgainAndItsEndedMotionEnds) {
  OnvifDevice device;
  const auto events = Start(Quick(device));
  device.Notify(kMotionTopic, "Changed", "r", "IsMotion", "true");
  ASSERT_TRUE(Await(1));
  device.Restart();
  ASSERT_TRUE(device.AwaitCalls("CreatePullPointSubscription", 2, Seconds(8)));
  device.Notify(kMotionTopic, "Initialized", "r", "IsMotion", "false");
  ASSERT_TRUE(Await(2));
  EXPECT_THAT(Triggers(), ElementsAre("motion+", "motion-"));
  EXPECT_GE(events->status().faults, 1U);
}

TEST_F(OnvifEventsTest, ADeviceThatReadsOnlyDurationsGetsThem) {
  OnvifDeviceOptions options;
  options.refuses_absolute_times = true;
  OnvifDevice device(options);
  const auto events = Start(Quick(device));
  device.Notify(kMotionTopic, "Changed", "r", "IsMotion", "true");
  EXPECT_TRUE(Await(1));
  EXPECT_EQ(device.Calls("CreatePullPointSubscription"), 2);
}

TEST_F(OnvifEventsTest, ADeviceWhoseClockIsWrongStillSpeaks) {
  OnvifDeviceOptions options;
  options.clock_skew = Seconds(-86400);
  OnvifDevice device(options);
  const auto events = Start(Quick(device));
  device.Notify("tns1:Device/Trigger/DigitalInput", "Changed", "in1", "LogicalState", "true");
  ASSERT_TRUE(Await(1));
  EXPECT_THAT(Triggers(), ElementsAre("a digital input+"));
  EXPECT_NEAR(static_cast<double>(events->status().clock_offset.count()), -86400e6, 2e6);
}

TEST_F(OnvifEventsTest, ADeviceWithoutRenewIsSubscribedAgain) {
  OnvifDeviceOptions options;
  options.lifetime = Seconds(5);
  options.knows_renew = false;
  OnvifDevice device(options);
  const auto events = Start(Quick(device));
  ASSERT_TRUE(device.AwaitCalls("CreatePullPointSubscription", 2, Seconds(9)));
  device.Notify(kMotionTopic, "Changed", "r", "IsMotion", "true");
  EXPECT_TRUE(Await(1));
}

TEST_F(OnvifEventsTest, AStuckStateEndsByItself) {
  OnvifDevice device;
  OnvifEventOptions options = Quick(device);
  options.stuck_after = Seconds(1);
  const auto events = Start(options);
  device.Notify(kMotionTopic, "Changed", "r", "IsMotion", "true");
  ASSERT_TRUE(Await(2));
  EXPECT_THAT(Triggers(), ElementsAre("motion+", "motion-"));
  EXPECT_EQ(events->status().stuck, 1U);
}

TEST_F(OnvifEventsTest, ARefusedPasswordIsTriedRarely) {
  OnvifDevice device;
  OnvifEventOptions options = Quick(device);
  options.device.access.password = Secret("wrong");
  options.refused_backoff = options.longest_backoff = Milliseconds(60'000);
  const auto events = Start(options);
  ASSERT_TRUE(device.AwaitCalls("GetServices", 1, Seconds(5)));
  EXPECT_FALSE(device.AwaitCalls("GetServices", 2, Milliseconds(700)));
  EXPECT_EQ(events->status().state, OnvifEvents::State::kBackoff);
  EXPECT_THAT(events->status().reason, Not(HasSubstr("wrong")));
}

TEST_F(OnvifEventsTest, EndsSoonAndGivesTheSubscriptionBack) {
  OnvifDevice device;
  OnvifEventOptions options = Quick(device);
  options.pull = Seconds(20);
  auto events = Start(options);
  ASSERT_TRUE(device.AwaitCalls("PullMessages", 1, Seconds(5)));
  const BootTime begin = SystemClock().Boot();
  events.reset();
  EXPECT_LT(SystemClock().Boot() - begin, Milliseconds(1500));
  EXPECT_EQ(device.Calls("Unsubscribe"), 1);
}

TEST(OnvifTriggers, BecomeEventsThatSayWhatTheCameraReports) {
  proto::CameraConfig camera;
  camera.set_id("c1");
  camera.set_lat(41.5);
  const proto::Event event = ToEvent({.kind = OnvifTrigger::Kind::kLineCrossed, .source = "gate"},
                                     camera, MediaFromMicros(5));
  EXPECT_EQ(event.place().lat(), 41.5);
  EXPECT_EQ(event.kind(), proto::EVENT_KIND_EXTERNAL);
  EXPECT_EQ(event.camera_id(), "c1");
  EXPECT_EQ(event.detail(), "the camera reports a line crossed: gate");
}

// Discovery, over real UDP on loopback.
std::string ProbeMatch(const std::string& id, const std::string& addresses) {
  return "<?xml version=\"1.0\"?><e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\" "
         "xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" "
         "xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/"
         "discovery\"><e:Body><d:ProbeMatches><d:ProbeMatch>"
         "<a:EndpointReference><a:Address>" +
         id +
         "</a:Address></a:EndpointReference><d:Types>dn:NetworkVideoTransmitter"
         "</d:Types><d:Scopes>onvif://www.onvif.org/name/Front%20gate "
         "onvif://www.onvif.org/hardware/E7</d:Scopes><d:XAddrs>" +
         addresses + "</d:XAddrs></d:ProbeMatch></d:ProbeMatches></e:Body></e:Envelope>";
}

TEST(WsDiscovery, EachDeviceIsFoundOnce) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), length), 0);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  std::string first_probe;
  std::thread camera([&] {
    for (int i = 0; i < 3; ++i) {
      char buffer[4096];
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const ssize_t n =
          ::recvfrom(fd, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (first_probe.empty())
        first_probe.assign(buffer, static_cast<size_t>(std::max<ssize_t>(n, 0)));
      for (const std::string& answer :
           {ProbeMatch("urn:uuid:1", "http://192.168.7.7:8080/onvif/device_service"),
            std::string("garbage"),
            ProbeMatch("urn:uuid:2", "http://[fe80::1]/onvif http://127.0.0.1/onvif/two")}) {
        ::sendto(fd, answer.data(), answer.size(), 0, reinterpret_cast<const sockaddr*>(&from),
                 size);
      }
    }
  });
  const WakeEvent wake;
  const auto devices = DiscoverDevices(
      {SystemClock(), wake},
      {.wait = Milliseconds(600), .target = "127.0.0.1", .port = ntohs(address.sin_port)});
  camera.join();
  ::close(fd);
  ASSERT_TRUE(devices.ok()) << devices.status();
  ASSERT_EQ(devices->size(), 2U);
  EXPECT_EQ((*devices)[0].url, "http://127.0.0.1:8080/onvif/device_service")
      << "the address that answered";
  EXPECT_EQ((*devices)[0].name, "Front gate");
  EXPECT_EQ((*devices)[0].hardware, "E7");
  EXPECT_EQ((*devices)[1].url, "http://127.0.0.1/onvif/two");
  EXPECT_THAT(first_probe, HasSubstr("NetworkVideoTransmitter"));
}

TEST(XmlTime, IsReadInEveryFormThatCamerasWrite) {
  const auto base = ParseXmlTime("2026-03-01T12:00:00Z");
  ASSERT_TRUE(base.has_value());
  EXPECT_EQ(FormatXmlTime(*base), "2026-03-01T12:00:00Z");
  EXPECT_EQ(ParseXmlTime("2026-03-01T12:00:00"), base);
  EXPECT_EQ(ParseXmlTime("2026-03-01T13:30:00+01:30"), base);
  EXPECT_EQ(ParseXmlTime(" 2026-03-01T12:00:00.250Z "), *base + Milliseconds(250));
  for (const char* text : {"", "PT60S", "2026-02-30T00:00:00Z", "2026-03-01",
                           "2026-03-01T25:00:00Z", "xxxx-03-01T12:00:00Z"}) {
    EXPECT_FALSE(ParseXmlTime(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace cordon::testing
