// SPDX-License-Identifier: Apache-2.0
// The part of ONVIF that Cordon uses: clock, identity, services, media profiles and stream
// addresses, events.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/onvif_http.h"
#include "ingest/onvif_soap.h"

namespace cordon {

struct OnvifOptions {
  std::string
      url;  // of the device service, or http(s)://HOST[:PORT] alone: /onvif/device_service is added
  HttpAccess access;
  Milliseconds call{5'000};  // each request
};

struct OnvifDevice {
  std::string manufacturer;
  std::string model;
  std::string firmware;
  std::string serial;
};

// One media profile.
struct OnvifProfile {
  std::string token;
  std::string name;
  std::string encoding;  // "H264", "H265", "JPEG"; empty: unknown
  int width = 0;
  int height = 0;
  double frame_rate = 0;
  int bitrate_kbps = 0;
  std::string stream_url;  // filled in by StreamUrl
};

struct OnvifServices {
  std::string media2;  // empty: the camera has none
  std::string media;
  std::string events;
  std::string analytics;
};

// A pull point that the camera made for us.
struct OnvifSubscription {
  std::string address;
  std::string reference_parameters;  // to be sent back with each call
  Seconds lifetime{60};              // by the camera's own clock
};

struct OnvifNotification {
  std::string topic;             // without prefixes: "RuleEngine/CellMotionDetector/Motion"
  std::string operation;         // "Initialized", "Changed", "Deleted" or empty
  std::optional<WallTime> time;  // by the camera's clock
  std::vector<std::pair<std::string, std::string>>
      source;                                             // "VideoSourceConfigurationToken" -> "1"
  std::vector<std::pair<std::string, std::string>> data;  // "IsMotion" -> "true"
};

// Talks to one device; one thread, but for the wake of `net`. Addresses that the device gives of
// itself are used with the host that it was reached at: behind NAT, and in SDPs of factory
// defaults, its own idea of its address is wrong.
class OnvifClient {
 public:
  // INVALID_ARGUMENT when the URL is none.
  static absl::StatusOr<std::unique_ptr<OnvifClient>> Make(const NetContext& net,
                                                           OnvifOptions options);

  // Asks the time without authentication and remembers how far the camera is off: later calls
  // depend on it. A camera that does not tell is taken to agree with us. Returns camera minus our
  // clock.
  absl::StatusOr<Microseconds> SyncClock();
  Microseconds clock_offset() const { return clock_offset_; }
  void set_clock_offset(Microseconds offset) { clock_offset_ = offset; }

  absl::StatusOr<OnvifDevice> DeviceInformation();
  // GetServices, or GetCapabilities where the camera knows no services.
  absl::StatusOr<OnvifServices> Services();
  // Media2 where there is one (it knows H.265), or Media1. Without stream URLs.
  absl::StatusOr<std::vector<OnvifProfile>> Profiles(const OnvifServices& services);
  // RTSP address of a profile, without user info, at the host we reached.
  absl::StatusOr<std::string> StreamUrl(const OnvifServices& services, const OnvifProfile& profile);

  absl::StatusOr<OnvifSubscription> Subscribe(const OnvifServices& services, Seconds lifetime);
  absl::StatusOr<Seconds> Renew(const OnvifSubscription& subscription, Seconds lifetime);
  // Waits at the camera for at most `timeout`; at most 100 messages.
  absl::StatusOr<std::vector<OnvifNotification>> Pull(const OnvifSubscription& subscription,
                                                      Seconds timeout);
  // Asks for the present state of everything, as Initialized messages of the next pulls.
  absl::Status SetSynchronizationPoint(const OnvifSubscription& subscription);
  absl::Status Unsubscribe(const OnvifSubscription& subscription);

 private:
  OnvifClient(const NetContext& net, OnvifOptions options, HttpUrl device)
      : net_(net),
        options_(std::move(options)),
        device_(std::move(device)),
        poster_(net, options_.access) {}

  // Calls and hands the response's body element to `read`.
  absl::StatusOr<pugi::xml_node> Call(const std::string& url, const SoapRequest& request,
                                      pugi::xml_document& document, Milliseconds patience,
                                      bool authenticate = true);
  absl::StatusOr<pugi::xml_node> CallDevice(const std::string& body, pugi::xml_document& document,
                                            bool authenticate = true);
  std::string AtOurHost(const std::string& address) const;
  WallTime DeviceNow() const;

  const NetContext net_;
  const OnvifOptions options_;
  const HttpUrl device_;
  HttpPoster poster_;
  Microseconds clock_offset_{0};
  bool relative_times_ = false;  // it refused an absolute termination time
};

// Reads a PullMessagesResponse.
std::vector<OnvifNotification> ReadNotifications(const pugi::xml_node& response);

// `url` with another host, port kept where it is given, user info taken off.
std::string ReplaceHost(std::string_view url, std::string_view host);

// Which profile is recorded and which analysed: `main` has the most pixels of those we can decode,
// `sub` the most of those no wider than 800 pixels, when it is smaller than main. Indices; -1:
// none.
struct ProfileChoice {
  int main = -1;
  int sub = -1;
};
ProfileChoice ChooseProfiles(const std::vector<OnvifProfile>& profiles);

}  // namespace cordon
