// SPDX-License-Identifier: Apache-2.0
#include "ingest/onvif_client.h"

#include <algorithm>

#include "ingest/rtsp_connection.h"
#include "ingest/rtsp_text.h"

namespace cordon {
namespace {

constexpr const char* kDeviceNs = "http://www.onvif.org/ver10/device/wsdl";
constexpr const char* kMediaNs = "http://www.onvif.org/ver10/media/wsdl";
constexpr const char* kMedia2Ns = "http://www.onvif.org/ver20/media/wsdl";
constexpr const char* kEventsNs = "http://www.onvif.org/ver10/events/wsdl";
constexpr const char* kAnalyticsNs = "http://www.onvif.org/ver20/analytics/wsdl";
constexpr const char* kSoapType = "application/soap+xml; charset=utf-8";
constexpr const char* kDefaultPath = "/onvif/device_service";
constexpr size_t kMaxProfiles = 256;
constexpr int kWidestSub = 800;

double NumberOf(const pugi::xml_node& node) {
  double value = 0;
  return text::ParseNumber(TextOf(node), value) ? value : 0;
}

// xs:dateTime in the pieces that GetSystemDateAndTime uses.
std::optional<WallTime> ReadDateTime(const pugi::xml_node& node) {
  const auto number = [&](const char* path) {
    return static_cast<int>(NumberOf(Descend(node, path)));
  };
  return ParseXmlTime(fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", number("Date/Year"),
                                  number("Date/Month"), number("Date/Day"), number("Time/Hour"),
                                  number("Time/Minute"), number("Time/Second")));
}

OnvifProfile ReadProfile(const pugi::xml_node& node) {
  OnvifProfile profile;
  profile.token = node.attribute("token").value();
  profile.name = TextOf(Child(node, "Name"));
  // Media1 has it directly, Media2 below Configurations.
  pugi::xml_node encoder = Child(node, "VideoEncoderConfiguration");
  if (!encoder) encoder = Descend(node, "Configurations/VideoEncoder");
  profile.encoding = text::Upper(TextOf(Child(encoder, "Encoding")));
  profile.width =
      static_cast<int>(std::clamp(NumberOf(Descend(encoder, "Resolution/Width")), 0.0, 65535.0));
  profile.height =
      static_cast<int>(std::clamp(NumberOf(Descend(encoder, "Resolution/Height")), 0.0, 65535.0));
  profile.frame_rate = NumberOf(Descend(encoder, "RateControl/FrameRateLimit"));
  profile.bitrate_kbps = static_cast<int>(
      std::clamp(NumberOf(Descend(encoder, "RateControl/BitrateLimit")), 0.0, 1e9));
  return profile;
}

// By the camera's own two times, so that a wrong clock does not matter.
Seconds ReadLifetime(const pugi::xml_node& response, Seconds asked) {
  const auto end = ParseXmlTime(TextOf(Child(response, "TerminationTime")));
  const auto now = ParseXmlTime(TextOf(Child(response, "CurrentTime")));
  if (!end || !now) return asked;
  const auto lifetime = std::chrono::duration_cast<Seconds>(*end - *now);
  return lifetime < Seconds(5) || lifetime > std::chrono::hours(24) ? asked : lifetime;
}

std::vector<std::pair<std::string, std::string>> ReadItems(const pugi::xml_node& node) {
  constexpr size_t kMost = 32;
  std::vector<std::pair<std::string, std::string>> items;
  for (const pugi::xml_node& item : Children(node, "SimpleItem")) {
    if (items.size() == kMost) break;
    items.emplace_back(std::string(item.attribute("Name").value()).substr(0, 128),
                       std::string(item.attribute("Value").value()).substr(0, 256));
  }
  return items;
}

// "tns1:RuleEngine/tnsvendor:Rule" -> "RuleEngine/Rule"
std::string WithoutPrefixes(std::string_view topic) {
  std::string out;
  for (std::string_view part : text::Split(text::Trim(topic), '/')) {
    const size_t colon = part.rfind(':');
    if (!out.empty()) out += '/';
    out += colon == std::string_view::npos ? part : part.substr(colon + 1);
  }
  return out;
}

// With the declaration of its prefix, which as a rule stands on an ancestor.
std::string Serialise(pugi::xml_node node) {
  struct Writer : pugi::xml_writer {
    std::string text;
    void write(const void* data, size_t size) override {
      text.append(static_cast<const char*>(data), size);
    }
  } writer;
  const std::string_view name = node.name();
  const size_t colon = name.find(':');
  const std::string declaration =
      colon == std::string_view::npos ? "xmlns" : fmt::format("xmlns:{}", name.substr(0, colon));
  for (pugi::xml_node at = node.parent(); at && !node.attribute(declaration.c_str());
       at = at.parent()) {
    const pugi::xml_attribute found = at.attribute(declaration.c_str());
    if (found) node.append_attribute(declaration.c_str()).set_value(found.value());
  }
  node.print(writer, "", pugi::format_raw);
  return writer.text;
}

}  // namespace

absl::StatusOr<std::unique_ptr<OnvifClient>> OnvifClient::Make(const NetContext& net,
                                                               OnvifOptions options) {
  ASSIGN_OR_RETURN(HttpUrl device, ParseHttpUrl(options.url));
  if (device.path == "/") device.path = kDefaultPath;
  return std::unique_ptr<OnvifClient>(new OnvifClient(net, std::move(options), std::move(device)));
}

WallTime OnvifClient::DeviceNow() const { return net_.clock.Wall() + clock_offset_; }

std::string OnvifClient::AtOurHost(const std::string& address) const {
  return ReplaceHost(address, device_.host);
}

absl::StatusOr<pugi::xml_node> OnvifClient::Call(const std::string& url, const SoapRequest& request,
                                                 pugi::xml_document& document,
                                                 Milliseconds patience, bool authenticate) {
  ASSIGN_OR_RETURN(const HttpUrl target, ParseHttpUrl(url));
  std::optional<SoapSecurity> security;
  if (authenticate && !options_.access.username.empty()) {
    security = SoapSecurity{options_.access.username, options_.access.password, DeviceNow()};
  }
  ASSIGN_OR_RETURN(const HttpReply reply,
                   poster_.Post(target, kSoapType, WriteEnvelope(request, security), patience,
                                kMaxOnvifBytes, authenticate));
  return ReadBody(reply.status, reply.body, document);
}

absl::StatusOr<pugi::xml_node> OnvifClient::CallDevice(const std::string& body,
                                                       pugi::xml_document& document,
                                                       bool authenticate) {
  return Call(device_.Text(), {.body = body}, document, options_.call, authenticate);
}

absl::StatusOr<Microseconds> OnvifClient::SyncClock() {
  pugi::xml_document document;
  const std::string ask = fmt::format("<GetSystemDateAndTime xmlns=\"{}\"/>", kDeviceNs);
  const BootTime begin = net_.clock.Boot();
  absl::StatusOr<pugi::xml_node> body = CallDevice(ask, document, false);
  if (absl::IsUnauthenticated(body.status()))
    body = CallDevice(ask, document);  // against the standard, but seen
  if (!body.ok()) return body.status();
  const auto utc = Descend(*body, "GetSystemDateAndTimeResponse/SystemDateAndTime/UTCDateTime");
  const std::optional<WallTime> time = ReadDateTime(utc);
  if (time) {
    const auto half_way = std::chrono::duration_cast<Microseconds>(net_.clock.Boot() - begin) / 2;
    // Its answer has whole seconds: half of one is the better guess.
    clock_offset_ = *time + Milliseconds(500) - (net_.clock.Wall() - half_way);
    if (std::chrono::abs(clock_offset_) < Seconds(1)) clock_offset_ = Microseconds(0);
  }
  return clock_offset_;
}

absl::StatusOr<OnvifDevice> OnvifClient::DeviceInformation() {
  pugi::xml_document document;
  ASSIGN_OR_RETURN(
      const pugi::xml_node body,
      CallDevice(fmt::format("<GetDeviceInformation xmlns=\"{}\"/>", kDeviceNs), document));
  const pugi::xml_node node = Child(body, "GetDeviceInformationResponse");
  return OnvifDevice{.manufacturer = Printable(TextOf(Child(node, "Manufacturer"))),
                     .model = Printable(TextOf(Child(node, "Model"))),
                     .firmware = Printable(TextOf(Child(node, "FirmwareVersion"))),
                     .serial = Printable(TextOf(Child(node, "SerialNumber")))};
}

absl::StatusOr<OnvifServices> OnvifClient::Services() {
  OnvifServices services;
  pugi::xml_document document;
  const absl::StatusOr<pugi::xml_node> body = CallDevice(
      fmt::format(
          "<GetServices xmlns=\"{}\"><IncludeCapability>false</IncludeCapability></GetServices>",
          kDeviceNs),
      document);
  if (absl::IsUnauthenticated(body.status()) || absl::IsCancelled(body.status()))
    return body.status();
  if (body.ok()) {
    for (const pugi::xml_node& service : Children(Child(*body, "GetServicesResponse"), "Service")) {
      const std::string kind = TextOf(Child(service, "Namespace"));
      const std::string address = AtOurHost(TextOf(Child(service, "XAddr")));
      if (kind == kMedia2Ns) services.media2 = address;
      if (kind == kMediaNs) services.media = address;
      if (kind == kEventsNs) services.events = address;
      if (kind == kAnalyticsNs) services.analytics = address;
    }
  }
  if (!services.media.empty() || !services.media2.empty()) return services;
  pugi::xml_document older;
  ASSIGN_OR_RETURN(
      const pugi::xml_node reply,
      CallDevice(
          fmt::format("<GetCapabilities xmlns=\"{}\"><Category>All</Category></GetCapabilities>",
                      kDeviceNs),
          older));
  const pugi::xml_node all = Descend(reply, "GetCapabilitiesResponse/Capabilities");
  const auto address_of = [&](const char* path) {
    const std::string address = TextOf(Descend(all, path));
    return address.empty() ? address : AtOurHost(address);
  };
  services.media = address_of("Media/XAddr");
  services.events = address_of("Events/XAddr");
  services.analytics = address_of("Analytics/XAddr");
  if (services.media.empty())
    return absl::NotFoundError("the camera offers no ONVIF media service");
  return services;
}

absl::StatusOr<std::vector<OnvifProfile>> OnvifClient::Profiles(const OnvifServices& services) {
  absl::Status last = absl::NotFoundError("the camera offers no ONVIF media service");
  for (const bool second : {true, false}) {
    const std::string& address = second ? services.media2 : services.media;
    if (address.empty()) continue;
    pugi::xml_document document;
    const absl::StatusOr<pugi::xml_node> body = Call(
        address,
        {.body = second ? fmt::format(
                              "<GetProfiles xmlns=\"{}\"><Type>VideoEncoder</Type></GetProfiles>",
                              kMedia2Ns)
                        : fmt::format("<GetProfiles xmlns=\"{}\"/>", kMediaNs)},
        document, options_.call);
    last = body.status();
    if (absl::IsUnauthenticated(last) || absl::IsCancelled(last)) return last;
    if (!body.ok()) continue;
    std::vector<OnvifProfile> profiles;
    for (const pugi::xml_node& node : Children(Child(*body, "GetProfilesResponse"), "Profiles")) {
      if (profiles.size() < kMaxProfiles) profiles.push_back(ReadProfile(node));
    }
    if (!profiles.empty()) return profiles;
    last = absl::NotFoundError("the camera has no media profile");
  }
  return last;
}

absl::StatusOr<std::string> OnvifClient::StreamUrl(const OnvifServices& services,
                                                   const OnvifProfile& profile) {
  absl::Status last = absl::NotFoundError("the camera gives no stream address");
  for (const bool second : {true, false}) {
    const std::string& address = second ? services.media2 : services.media;
    if (address.empty()) continue;
    const std::string token = EscapeXml(profile.token);
    const std::string ask =
        second ? fmt::format(
                     "<GetStreamUri "
                     "xmlns=\"{}\"><Protocol>RTSP</Protocol><ProfileToken>{}</ProfileToken>"
                     "</GetStreamUri>",
                     kMedia2Ns, token)
               : fmt::format(
                     "<GetStreamUri xmlns=\"{}\"><StreamSetup><Stream "
                     "xmlns=\"http://www.onvif.org/ver10/schema\">"
                     "RTP-Unicast</Stream><Transport "
                     "xmlns=\"http://www.onvif.org/ver10/schema\"><Protocol>RTSP"
                     "</Protocol></Transport></StreamSetup><ProfileToken>{}</ProfileToken></"
                     "GetStreamUri>",
                     kMediaNs, token);
    pugi::xml_document document;
    const absl::StatusOr<pugi::xml_node> body =
        Call(address, {.body = ask}, document, options_.call);
    last = body.status();
    if (absl::IsUnauthenticated(last) || absl::IsCancelled(last)) return last;
    if (!body.ok()) continue;
    const pugi::xml_node response = Child(*body, "GetStreamUriResponse");
    std::string uri = TextOf(Child(response, "Uri"));
    if (uri.empty()) uri = TextOf(Descend(response, "MediaUri/Uri"));
    if (text::StartsWithNoCase(uri, "rtsp")) return AtOurHost(uri);
    last = absl::DataLossError("the camera's stream address is no rtsp:// address");
  }
  return last;
}

absl::StatusOr<OnvifSubscription> OnvifClient::Subscribe(const OnvifServices& services,
                                                         Seconds lifetime) {
  if (services.events.empty()) return absl::NotFoundError("the camera offers no ONVIF events");
  constexpr const char* kAction =
      "http://www.onvif.org/ver10/events/wsdl/EventPortType/CreatePullPointSubscriptionRequest";
  absl::Status last;
  // Absolute first: many cameras misread durations. Those that refuse it get a duration.
  for (const bool relative : {relative_times_, true}) {
    const std::string when =
        relative ? fmt::format("PT{}S", lifetime.count()) : FormatXmlTime(DeviceNow() + lifetime);
    pugi::xml_document document;
    const absl::StatusOr<pugi::xml_node> body = Call(
        services.events,
        {.action = kAction,
         .to = services.events,
         .body = fmt::format("<CreatePullPointSubscription xmlns=\"{}\"><InitialTerminationTime>{}"
                             "</InitialTerminationTime></CreatePullPointSubscription>",
                             kEventsNs, when)},
        document, options_.call);
    last = body.status();
    if (last.code() == absl::StatusCode::kInvalidArgument && !relative) {
      relative_times_ = true;
      continue;
    }
    RETURN_IF_ERROR(last);
    const pugi::xml_node response = Child(*body, "CreatePullPointSubscriptionResponse");
    OnvifSubscription subscription;
    const pugi::xml_node reference = Child(response, "SubscriptionReference");
    subscription.address = AtOurHost(TextOf(Child(reference, "Address")));
    if (subscription.address.empty())
      return absl::DataLossError("the camera gives no address of its subscription");
    for (const pugi::xml_node& parameter : Child(reference, "ReferenceParameters").children()) {
      subscription.reference_parameters += Serialise(parameter);
    }
    subscription.lifetime = ReadLifetime(response, lifetime);
    return subscription;
  }
  return last;
}

absl::StatusOr<Seconds> OnvifClient::Renew(const OnvifSubscription& subscription,
                                           Seconds lifetime) {
  const std::string when = relative_times_ ? fmt::format("PT{}S", lifetime.count())
                                           : FormatXmlTime(DeviceNow() + lifetime);
  pugi::xml_document document;
  ASSIGN_OR_RETURN(
      const pugi::xml_node body,
      Call(subscription.address,
           {.action = "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/RenewRequest",
            .to = subscription.address,
            .reference_parameters = subscription.reference_parameters,
            .body = fmt::format(
                "<Renew xmlns=\"http://docs.oasis-open.org/wsn/b-2\"><TerminationTime>{}"
                "</TerminationTime></Renew>",
                when)},
           document, options_.call));
  return ReadLifetime(Child(body, "RenewResponse"), lifetime);
}

absl::StatusOr<std::vector<OnvifNotification>> OnvifClient::Pull(
    const OnvifSubscription& subscription, Seconds timeout) {
  pugi::xml_document document;
  ASSIGN_OR_RETURN(
      const pugi::xml_node body,
      Call(
          subscription.address,
          {.action =
               "http://www.onvif.org/ver10/events/wsdl/PullPointSubscription/PullMessagesRequest",
           .to = subscription.address,
           .reference_parameters = subscription.reference_parameters,
           .body = fmt::format(
               "<PullMessages xmlns=\"{}\"><Timeout>PT{}S</Timeout><MessageLimit>100</MessageLimit>"
               "</PullMessages>",
               kEventsNs, timeout.count())},
          document, timeout + options_.call));
  return ReadNotifications(Child(body, "PullMessagesResponse"));
}

absl::Status OnvifClient::SetSynchronizationPoint(const OnvifSubscription& subscription) {
  pugi::xml_document document;
  return Call(subscription.address,
              {.action = "http://www.onvif.org/ver10/events/wsdl/PullPointSubscription/"
                         "SetSynchronizationPointRequest",
               .to = subscription.address,
               .reference_parameters = subscription.reference_parameters,
               .body = fmt::format("<SetSynchronizationPoint xmlns=\"{}\"/>", kEventsNs)},
              document, options_.call)
      .status();
}

absl::Status OnvifClient::Unsubscribe(const OnvifSubscription& subscription) {
  pugi::xml_document document;
  return Call(subscription.address,
              {.action =
                   "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/UnsubscribeRequest",
               .to = subscription.address,
               .reference_parameters = subscription.reference_parameters,
               .body = "<Unsubscribe xmlns=\"http://docs.oasis-open.org/wsn/b-2\"/>"},
              document, options_.call)
      .status();
}

std::vector<OnvifNotification> ReadNotifications(const pugi::xml_node& response) {
  constexpr size_t kMost = 256;
  std::vector<OnvifNotification> notifications;
  for (const pugi::xml_node& node : Children(response, "NotificationMessage")) {
    if (notifications.size() == kMost) break;
    const pugi::xml_node message = Descend(node, "Message/Message");
    OnvifNotification notification;
    notification.topic = WithoutPrefixes(TextOf(Child(node, "Topic")));
    notification.operation = message.attribute("PropertyOperation").value();
    notification.time = ParseXmlTime(message.attribute("UtcTime").value());
    notification.source = ReadItems(Child(message, "Source"));
    notification.data = ReadItems(Child(message, "Data"));
    if (!notification.topic.empty()) notifications.push_back(std::move(notification));
  }
  return notifications;
}

std::string ReplaceHost(std::string_view url, std::string_view host) {
  const size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::string(url);
  const std::string_view rest = url.substr(scheme + 3);
  const size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  std::string_view authority = rest.substr(0, end);
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos)
    authority.remove_prefix(at + 1);
  const size_t colon = authority.rfind(':');
  const size_t bracket = authority.rfind(']');
  const bool port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  const std::string name =
      host.find(':') == std::string_view::npos ? std::string(host) : fmt::format("[{}]", host);
  return fmt::format("{}{}{}{}", url.substr(0, scheme + 3), name,
                     port ? authority.substr(colon) : "", rest.substr(end));
}

ProfileChoice ChooseProfiles(const std::vector<OnvifProfile>& profiles) {
  const auto pixels = [](const OnvifProfile& p) {
    return static_cast<int64_t>(p.width) * p.height;
  };
  ProfileChoice choice;
  const auto better = [&](int than, const OnvifProfile& p) {
    return than < 0 || pixels(p) > pixels(profiles[static_cast<size_t>(than)]);
  };
  for (size_t i = 0; i < profiles.size(); ++i) {
    const OnvifProfile& p = profiles[i];
    if (!p.encoding.empty() && p.encoding != "H264" && p.encoding != "H265") continue;
    if (better(choice.main, p)) choice.main = static_cast<int>(i);
    if (p.width > 0 && p.width <= kWidestSub && better(choice.sub, p))
      choice.sub = static_cast<int>(i);
  }
  if (choice.sub >= 0 && pixels(profiles[static_cast<size_t>(choice.sub)]) >=
                             pixels(profiles[static_cast<size_t>(choice.main)])) {
    choice.sub = -1;
  }
  return choice;
}

}  // namespace cordon
