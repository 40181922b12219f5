// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>

#include "dispatch/demo_city.h"
#include "tests/integration/console/desk.h"
#include "tests/integration/console/web_client.h"

namespace cordon::testing {
namespace {

using Json = nlohmann::json;

const LatLon kGate{41.15, -8.61};

TEST(ConsoleFeed, AlertAppearsOnceWithItsCircles) {
  Desk::Options options;
  options.roads = DemoRoads();
  Desk desk(std::move(options));
  desk.UnitAt("car-1", Offset(DemoCityCentre(), 10, Metres{800}));
  FeedClient client(desk.port());
  const auto snapshot = client.Next();
  ASSERT_TRUE(snapshot);
  EXPECT_TRUE((*snapshot)["alerts"].empty());
  const std::string id = desk.Raise("gate", DemoCityCentre());
  const auto alert = client.NextOf("alert");
  ASSERT_TRUE(alert);
  EXPECT_EQ((*alert)["alert"]["id"], id);
  const auto circles = client.NextOf("circles");
  ASSERT_TRUE(circles);
  EXPECT_EQ((*circles)["circles"]["alert"], id);
  EXPECT_EQ((*circles)["circles"]["units"][0]["unit"], "car-1");
  EXPECT_GT((*circles)["circles"]["units"][0]["eta_ms"], 0);
  const auto areas = client.NextOf("areas");
  ASSERT_TRUE(areas);
  EXPECT_EQ((*areas)["areas"]["incident"], (*alert)["alert"]["incident"]);
  ASSERT_EQ((*areas)["areas"]["tiers"].size(), 3u);
  EXPECT_EQ((*areas)["areas"]["tiers"][0]["geometry"]["type"], "MultiPolygon");
  FeedClient later(desk.port());
  const auto again = later.Next();
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)["alerts"].size(), 1u);
  EXPECT_EQ((*again)["circles"].size(), 1u);
  EXPECT_EQ((*again)["areas"][0], (*areas)["areas"]);
}

TEST(ConsoleFeed, UpdatesComeInOrderWithoutGaps) {
  Desk desk;
  FeedClient client(desk.port());
  const auto snapshot = client.Next();
  ASSERT_TRUE(snapshot);
  uint64_t n = (*snapshot)["n"];
  for (int i = 0; i < 30; ++i) desk.Raise("gate", kGate);
  int alerts = 0;
  while (alerts < 30) {
    const auto update = client.Next();
    ASSERT_TRUE(update);
    ASSERT_EQ((*update)["n"], ++n);
    alerts += (*update)["type"] == "alert" ? 1 : 0;
  }
}

TEST(ConsoleFeed, SlowConsoleIsClosedAndCostsTheOthersNothing) {
  Desk desk;
  FeedClient slow(desk.port(), 4096);
  ASSERT_TRUE(slow.Next());
  FeedClient quick(desk.port());
  ASSERT_TRUE(quick.Next());
  // More than socket buffers and the permitted lag hold, with the quick one reading on.
  const Json flood(std::string(200'000, 'x'));
  const auto& slow_total = desk.metrics().Counter("cordon_feed_slow_clients_total",
                                                  "Consoles closed because they fell behind");
  int received = 0;
  for (int i = 0; i < 200 && slow_total.Value() == 0; ++i) {
    desk.feed().PublishLatest("flood", flood);
    ASSERT_TRUE(quick.NextOf("flood")) << "the quick console lost the link after " << received;
    ++received;
    // The slow one takes a message now and then, as a bad line does.
    if (i % 10 == 9) slow.Next();
  }
  EXPECT_EQ(slow_total.Value(), 1);
  while (slow.Next()) {
  }
  EXPECT_FALSE(slow.connected());
  desk.Raise("gate", kGate);
  EXPECT_TRUE(quick.NextOf("alert"));
  FeedClient back(desk.port());
  const auto snapshot = back.Next();
  ASSERT_TRUE(snapshot);
  EXPECT_EQ((*snapshot)["alerts"].size(), 1u) << "the resync brings what was missed";
}

TEST(ConsoleFeed, PageOfAnotherOriginGetsNothing) {
  Desk desk;
  const WebHeaders upgrade = {{"Connection", "Upgrade"},
                              {"Upgrade", "websocket"},
                              {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                              {"Sec-WebSocket-Version", "13"},
                              {"Origin", "http://evil.example"}};
  EXPECT_EQ(Fetch(desk.port(), "GET", "/api/feed", "", upgrade).status, 403);
  EXPECT_EQ(Fetch(desk.port(), "GET", "/api/units", "", {{"Origin", "http://evil.example"}}).status,
            403);
  EXPECT_EQ(Fetch(desk.port(), "GET", "/api/units", "", {{"Host", "evil.example"}}).status, 403);
  const std::string own = "http://127.0.0.1:" + std::to_string(desk.port());
  EXPECT_EQ(Fetch(desk.port(), "GET", "/api/units", "", {{"Origin", own}}).status, 200);
}

TEST(ConsoleApi, AnswersCarryTheStrictPolicy) {
  Desk desk;
  const WebAnswer answer = Fetch(desk.port(), "GET", "/api/units");
  EXPECT_EQ(answer.headers.at("x-content-type-options"), "nosniff");
  const std::string policy = answer.headers.at("content-security-policy");
  EXPECT_NE(policy.find("default-src 'none'"), std::string::npos);
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
}

TEST(ConsoleApi, HostileNamesAreTextAndNothingElse) {
  Desk::Options options;
  proto::CameraConfig& camera = *options.site.add_cameras();
  camera.set_id("gate");
  const std::string name = "</script><img src=x onerror=alert(1)>\" ' \xE2\x80\xAE";
  camera.set_name(name);
  Desk desk(std::move(options));
  const std::string id = desk.Raise("gate", kGate, "'; DROP TABLE alert; --");
  const WebAnswer answer = Fetch(desk.port(), "GET", "/api/incidents");
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("content-type"), "application/json");
  EXPECT_EQ(answer.json()["incidents"][0]["title"], "Intrusion at " + name);
  EXPECT_EQ(Fetch(desk.port(), "GET", "/api/alerts/" + id).json()["detail"],
            "'; DROP TABLE alert; --");
  EXPECT_EQ(Fetch(desk.port(), "GET", "/api/alerts/%27%20OR%201=1").status, 404);
}

TEST(ConsoleApi, PersonDecidesStepByStepAndTheRecordSaysWho) {
  Desk desk;
  desk.UnitAt("car-1", kGate);
  const std::string alert = desk.Raise("gate", kGate);
  const uint16_t port = desk.port();
  const std::string id = Fetch(port, "GET", "/api/incidents").json()["incidents"][0]["id"];
  const std::string incident = "/api/incidents/" + id;
  EXPECT_EQ(Send(port, incident + "/acknowledge", {{"actor", "lin"}}).json()["state"],
            "acknowledged");
  EXPECT_EQ(Send(port, incident + "/acknowledge", {{"actor", "lin"}}).status, 409);
  EXPECT_EQ(Send(port, incident + "/assign", {{"unit", "car-9"}}).status, 404);
  EXPECT_EQ(Send(port, incident + "/assign", {{"unit", "car-1"}, {"actor", "lin"}}).json()["state"],
            "assigned");
  EXPECT_EQ(Fetch(port, "GET", "/api/units/car-1").json()["incident"], id);
  EXPECT_EQ(Send(port, "/api/units/car-1/status",
                 {{"status", "en_route"}, {"crew", true}, {"actor", "car-1"}})
                .status,
            200);
  EXPECT_EQ(Send(port, "/api/units/car-1/status", {{"status", "flying"}}).status, 400);
  EXPECT_EQ(
      Send(port, incident + "/note", {{"note", "gate was open"}, {"actor", "lin"}}).json()["state"],
      "en_route");
  EXPECT_EQ(
      Send(port, "/api/alerts/" + alert + "/verdict", {{"verdict", true}, {"actor", "lin"}}).status,
      200);
  EXPECT_EQ(Send(port, incident + "/close", {{"reason", "person left"}, {"actor", "lin"}})
                .json()["state"],
            "closed");
  EXPECT_EQ(Send(port, incident + "/fly", Json::object()).status, 404);
  const Json changes = Fetch(port, "GET", incident).json()["changes"];
  EXPECT_EQ(changes[1]["actor"], "operator:lin");
  EXPECT_EQ(changes.back()["cause"], "person left");
  const Json rules = Fetch(port, "GET", "/api/rules").json()["rules"];
  EXPECT_EQ(rules[0]["judged_true"], 1);
}

TEST(ConsoleApi, ChangesMustBeJsonAndNotForms) {
  Desk desk;
  desk.Raise("gate", kGate);
  const std::string id = Fetch(desk.port(), "GET", "/api/incidents").json()["incidents"][0]["id"];
  const std::string path = "/api/incidents/" + id + "/acknowledge";
  EXPECT_EQ(Fetch(desk.port(), "POST", path, "{}", {{"Content-Type", "text/plain"}}).status, 400);
  EXPECT_EQ(Fetch(desk.port(), "POST", path, "[1]", {{"Content-Type", "application/json"}}).status,
            400);
  EXPECT_EQ(Fetch(desk.port(), "GET", path).status, 405);
  EXPECT_EQ(Send(desk.port(), path, {{"actor", 5}}).status, 400);
  EXPECT_EQ(Send(desk.port(), path, {{"actor", std::string(65, 'x')}}).status, 400);
}

TEST(ConsoleRoads, ClosureHoldsAfterARestartAndCanBeLifted) {
  TemporaryFolder folder;
  Desk::Options options;
  options.store = folder.File("dispatch.db");
  options.roads = DemoRoads();
  const LatLon centre = DemoCityCentre();
  std::string id;
  {
    Desk desk(options);
    const Json closure = {
        {"lat", centre.lat}, {"lon", centre.lon}, {"reason", "burst main"}, {"actor", "lin"}};
    const WebAnswer answer = Send(desk.port(), "/api/roads/closures", closure);
    ASSERT_EQ(answer.status, 200) << answer.body;
    id = answer.json()["id"];
    EXPECT_EQ(Send(desk.port(), "/api/roads/closures", {{"lat", 1.0}, {"lon", 1.0}}).status, 400)
        << "no road there";
    EXPECT_EQ(Send(desk.port(), "/api/roads/closures", {{"lat", "x"}}).status, 400);
  }
  Desk desk(options);
  const Json kept = Fetch(desk.port(), "GET", "/api/roads/closures").json()["closures"];
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0]["reason"], "burst main");
  EXPECT_EQ(Fetch(desk.port(), "DELETE", "/api/roads/closures/" + id).status, 200);
  EXPECT_EQ(Fetch(desk.port(), "DELETE", "/api/roads/closures/" + id).status, 404);
  EXPECT_TRUE(Fetch(desk.port(), "GET", "/api/roads/closures").json()["closures"].empty());
}

TEST(ConsoleRoads, SlowRoadHoldsAfterARestartAndNothingLearnedIsSaidSo) {
  TemporaryFolder folder;
  const auto roads = DemoRoads();
  const LatLon place = roads->PointAt({EdgeId{40}, roads->length_cm(EdgeId{40}) / 2});
  Desk::Options options;
  options.store = folder.File("dispatch.db");
  options.roads = roads;
  {
    Desk desk(options);
    Json slow = {{"id", "market"}, {"lat", place.lat}, {"lon", place.lon}, {"speed_factor", 0.5}};
    EXPECT_EQ(Send(desk.port(), "/api/roads/closures", slow).status, 200);
    slow["speed_factor"] = Json::array({0.5, 0.6});
    EXPECT_EQ(Send(desk.port(), "/api/roads/closures", slow).status, 400);
    slow["speed_factor"] = 9;
    EXPECT_EQ(Send(desk.port(), "/api/roads/closures", slow).status, 400);
    const Json learning = Fetch(desk.port(), "GET", "/api/roads/learning").json();
    EXPECT_EQ(learning["journeys"], 0);
    EXPECT_EQ(learning["learned"]["p90_s"], 0.0);
  }
  Desk desk(options);
  const Json kept = Fetch(desk.port(), "GET", "/api/roads/closures").json()["closures"];
  ASSERT_EQ(kept.size(), 1U);
  ASSERT_EQ(kept[0]["speed_factor"].size(), 24U);
  EXPECT_FLOAT_EQ(kept[0]["speed_factor"][13].get<float>(), 0.5F);
  EXPECT_EQ(Fetch(desk.port(), "DELETE", "/api/roads/closures/market").status, 200);
  EXPECT_TRUE(Fetch(desk.port(), "GET", "/api/roads/closures").json()["closures"].empty());
}

TEST(ConsoleRoads, CoverageOfTheUnitsComesOverTheFeed) {
  Desk::Options options;
  options.roads = DemoRoads();
  Desk desk(options);
  desk.UnitAt("car-1", DemoCityCentre());
  FeedClient client(desk.port());
  for (;;) {
    const auto coverage = client.NextOf("coverage");
    ASSERT_TRUE(coverage);
    if ((*coverage)["coverage"]["units"] == 0) continue;
    const Json& tiers = (*coverage)["coverage"]["tiers"];
    EXPECT_GT(tiers[0]["covered_km"], 0);
    EXPECT_GT(tiers[2]["covered_km"], tiers[1]["covered_km"]);
    break;
  }
  EXPECT_EQ(Fetch(desk.port(), "GET", "/api/coverage").status, 200);
  EXPECT_EQ(Fetch(desk.port(), "GET", "/api/coverage-tiles/10/833/409.mvt").status, 200);
}

TEST(ConsoleRoads, CordonIsAdviceWithAnExpiry) {
  Desk::Options options;
  options.roads = DemoRoads();
  Desk desk(options);
  for (int i = 0; i < 24; ++i)
    desk.UnitAt("car-" + std::to_string(i),
                Offset(DemoCityCentre(), i * 15, Metres{1500.0 + 60 * i}));
  desk.Raise("gate", DemoCityCentre());
  const std::string incident =
      Fetch(desk.port(), "GET", "/api/incidents").json()["incidents"][0]["id"];
  const WebAnswer answer =
      Send(desk.port(), "/api/contain", {{"incident", incident}, {"age_s", 5}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Json plan = answer.json();
  EXPECT_EQ(plan["advisory"], true);
  EXPECT_GT(plan["expires_ms"], plan["computed_ms"]);
  EXPECT_FALSE(plan["assumptions"].empty());
  const Json units = Fetch(desk.port(), "GET", "/api/units").json()["units"];
  for (const Json& unit : units) EXPECT_EQ(unit["status"], "available") << "a cordon tasks nobody";
  EXPECT_EQ(Send(desk.port(), "/api/contain", {{"lat", 1}, {"lon", 1}, {"age_s", -5}}).status, 400);
  EXPECT_EQ(Send(desk.port(), "/api/contain", {{"incident", "nope"}}).status, 404);
}

TEST(ConsoleRoads, CordonFollowsTheIncidentsNewestAlert) {
  Desk::Options options;
  options.roads = DemoRoads();
  Desk desk(options);
  const LatLon first = DemoCityCentre();
  const LatLon second = Offset(first, 90, Metres{400});
  desk.Raise("cam-1", first);
  const Json incident = Fetch(desk.port(), "GET", "/api/incidents").json()["incidents"][0];
  BoundedQueue<CordonWatch::Standing> planned(64);
  BoundedQueue<int> ended(1);
  CordonWatch watch(
      SystemClock(), desk.dispatcher(),
      [&](const CordonWatch::Standing& standing) {
        (void)planned.Push(standing);
        return absl::OkStatus();
      },
      [&] { (void)ended.Push(1); }, Seconds(1200), Milliseconds(10));
  watch.Hold({.incident = incident["id"], .place = first, .seen = SystemClock().Wall()});
  ASSERT_TRUE(planned.Pop(Seconds(10)).has_value());
  desk.Raise("cam-1", second);  // the same camera: it joins the incident
  std::optional<CordonWatch::Standing> moved;
  do moved = planned.Pop(Seconds(10));
  while (moved && moved->sightings == 1);
  ASSERT_TRUE(moved.has_value());
  EXPECT_EQ(moved->sightings, 2U);
  EXPECT_EQ(moved->place, second);
  watch.Hold({.incident = "", .place = first, .seen = SystemClock().Wall() - Seconds(1300)});
  EXPECT_TRUE(ended.Pop(Seconds(10)).has_value());
  EXPECT_FALSE(watch.standing().has_value());
}

TEST(ConsolePositions, OsmAndByQueryFormRootAndJson) {
  Desk desk;
  const uint16_t port = desk.port();
  EXPECT_EQ(Fetch(port, "GET", "/api/positions/osmand?id=a&lat=41.1&lon=-8.6&speed=10").status,
            200);
  EXPECT_EQ(Fetch(port, "POST", "/?id=b&lat=41.1&lon=-8.6").status, 200);
  EXPECT_EQ(Fetch(port, "POST", "/api/positions/osmand", "id=c&lat=41.1&lon=-8.6",
                  {{"Content-Type", "application/x-www-form-urlencoded"}})
                .status,
            200);
  EXPECT_EQ(Send(port, "/",
                 {{"device_id", "d"},
                  {"location", {{"coords", {{"latitude", 41.1}, {"longitude", -8.6}}}}}})
                .status,
            200);
  EXPECT_EQ(Fetch(port, "GET", "/api/positions/osmand?id=e&lat=0&lon=0").status, 400);
  EXPECT_EQ(Fetch(port, "GET", "/api/positions/osmand?id=e&lat=nan&lon=1").status, 400);
  const WebAnswer tracks =
      Fetch(port, "POST", "/api/positions/owntracks",
            R"({"_type":"location","lat":41.1,"lon":-8.6,"tst":1})", {{"X-Limit-D", "f"}});
  EXPECT_EQ(tracks.body, "[]");
  std::vector<std::string> ids;
  const Json units = Fetch(port, "GET", "/api/units").json()["units"];
  for (const Json& unit : units) ids.push_back(unit["id"]);
  EXPECT_EQ(ids, (std::vector<std::string>{"a", "b", "c", "d", "f"}));
}

TEST(ConsolePositions, WithATokenEveryDeviceMustSendIt) {
  Desk::Options options;
  options.api.position_token = Secret("correct horse");
  Desk desk(std::move(options));
  const std::string fix = "/api/positions/osmand?id=a&lat=41.1&lon=-8.6";
  EXPECT_EQ(Fetch(desk.port(), "GET", fix).status, 401);
  EXPECT_EQ(Fetch(desk.port(), "GET", fix + "&token=wrong").status, 401);
  EXPECT_EQ(Fetch(desk.port(), "GET", fix + "&token=correct%20horse").status, 200);
  EXPECT_EQ(Fetch(desk.port(), "GET", fix, "", {{"Authorization", "Bearer correct horse"}}).status,
            200);
}

TEST(ConsoleEvidence, ClipComesInPartsByRange) {
  const std::string clip = [] {
    std::string bytes(300'000, 0);
    std::mt19937 random(1);
    for (char& byte : bytes) byte = static_cast<char>(random());
    return bytes;
  }();
  Desk::Options options;
  options.api.fetch_evidence = [&clip](const std::string& node, const std::string& id,
                                       uint64_t offset) -> absl::StatusOr<proto::Reply> {
    EXPECT_EQ(node, "node-1");
    EXPECT_EQ(id, "clip-1");
    proto::Reply reply;
    reply.set_data(clip.substr(offset, 50'000));
    reply.set_total_bytes(clip.size());
    return reply;
  };
  Desk desk(std::move(options));
  const std::string id = desk.Raise("gate", kGate);
  const std::string path = "/api/clips/" + id + ".mp4";
  EXPECT_EQ(Fetch(desk.port(), "GET", path).status, 404) << "not complete yet";
  ASSERT_TRUE(
      desk.dispatcher()
          .Deliver([&](sqlite::Connection&) -> absl::StatusOr<std::vector<proto::OutboxRecord>> {
            std::vector<proto::OutboxRecord> records(1);
            records[0].mutable_evidence()->set_alert_id(id);
            records[0].mutable_evidence()->set_clip_id("clip-1");
            records[0].mutable_evidence()->set_size_bytes(clip.size());
            return records;
          })
          .ok());
  std::string all;
  while (all.size() < clip.size()) {
    const WebAnswer part = Fetch(desk.port(), "GET", path, "",
                                 {{"Range", "bytes=" + std::to_string(all.size()) + "-"}});
    ASSERT_EQ(part.status, 206);
    ASSERT_FALSE(part.body.empty());
    all += part.body;
  }
  EXPECT_TRUE(all == clip);
  EXPECT_EQ(Fetch(desk.port(), "GET", path, "", {{"Range", "bytes=300000-"}}).status, 416);
}

TEST(ConsoleEvidence, AHoldIsInForceAtTheNodeBeforeItIsOnRecord) {
  absl::Status node_says = absl::UnavailableError("node-1 is not connected");
  std::vector<bool> asked;
  Desk::Options options;
  options.api.hold_evidence = [&](const std::string& node, const std::string& clip, bool held,
                                  const std::string& reason) {
    EXPECT_EQ(node, "node-1");
    EXPECT_EQ(clip, "clip-1");
    EXPECT_EQ(reason, "case 17");
    asked.push_back(held);
    return node_says;
  };
  Desk desk(std::move(options));
  const std::string id = desk.Raise("gate", kGate);
  ASSERT_TRUE(
      desk.dispatcher()
          .Deliver([&](sqlite::Connection&) -> absl::StatusOr<std::vector<proto::OutboxRecord>> {
            std::vector<proto::OutboxRecord> records(1);
            records[0].mutable_evidence()->set_alert_id(id);
            records[0].mutable_evidence()->set_clip_id("clip-1");
            records[0].mutable_evidence()->set_size_bytes(1);
            return records;
          })
          .ok());
  const std::string path = "/api/alerts/" + id + "/hold";
  const auto held = [&] {
    return Fetch(desk.port(), "GET", "/api/alerts/" + id).json().value("held", false);
  };
  EXPECT_EQ(Send(desk.port(), path, {{"held", true}}).status, 400) << "a hold names its case";
  EXPECT_EQ(Send(desk.port(), path, {{"held", true}, {"reason", "case 17"}}).status, 503);
  EXPECT_FALSE(held()) << "the node was away: nothing is held, nothing is on record";
  node_says = absl::OkStatus();
  EXPECT_EQ(Send(desk.port(), path, {{"held", true}, {"reason", "case 17"}}).status, 200);
  EXPECT_TRUE(held());
  EXPECT_EQ(Send(desk.port(), path, {{"held", false}, {"reason", "case 17"}}).status, 200);
  EXPECT_FALSE(held());
  EXPECT_EQ(asked, (std::vector<bool>{true, true, false}));
}

TEST(ConsoleServerLimits, RefusesWhatIsTooLargeOrNoHttp) {
  Desk desk;
  EXPECT_EQ(Send(desk.port(), "/api/positions/osmand", {{"x", std::string(300'000, 'x')}}).status,
            413);
  EXPECT_EQ(
      Fetch(desk.port(), "GET", "/api/units", "", {{"X-Long", std::string(20'000, 'x')}}).status,
      431);
  EXPECT_NE(Exchange(desk.port(), "\x16\x03\x01 not http at all\r\n\r\n").find("400"),
            std::string::npos);
  EXPECT_EQ(Fetch(desk.port(), "GET", "/healthz").json()["ok"], true);
}

TEST(ConsoleServerLimits, SurvivesBrokenRequests) {
  Desk desk;
  const std::string good =
      "POST /api/positions/osmand?id=a&lat=41.1&lon=-8.6 HTTP/1.1\r\nHost: "
      "127.0.0.1\r\nContent-Length: 2\r\n"
      "Content-Type: application/json\r\n\r\n{}";
  const uint32_t seed = std::random_device()();
  std::mt19937 random(seed);
  for (int i = 0; i < 150; ++i) {
    std::string bytes = good.substr(0, random() % (good.size() + 1));
    for (uint32_t flips = random() % 6; flips > 0 && !bytes.empty(); --flips)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    Exchange(desk.port(), bytes);
    ASSERT_EQ(Fetch(desk.port(), "GET", "/healthz").status, 200)
        << "seed " << seed << ", round " << i;
  }
}

TEST(ConsoleServerStart, ListensToOthersOnlyWhenToldTo) {
  Metrics metrics;
  Feed feed(SystemClock(), metrics);
  const auto start = [&](const std::string& listen, bool allow) {
    ConsoleServer::Options options;
    options.listen = listen;
    options.allow_remote_without_accounts = allow;
    options.feed = &feed;
    options.handle = [](const HttpRequest&) { return HttpResponse{}; };
    return ConsoleServer::Start(SystemClock(), metrics, std::move(options)).status();
  };
  EXPECT_EQ(start("0.0.0.0:0", false).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(start("0.0.0.0:0", true).ok());
  EXPECT_TRUE(start("localhost:0", false).ok());
  for (const char* bad :
       {"", "8080", "127.0.0.1:", "127.0.0.1:99999", "example.org:80", "127.0.0.1:-1"})
    EXPECT_EQ(start(bad, false).code(), absl::StatusCode::kInvalidArgument) << bad;
}

TEST(ConsoleServerStart, TakenPortIsSaid) {
  Desk desk;
  Metrics metrics;
  Feed feed(SystemClock(), metrics);
  ConsoleServer::Options options;
  options.listen = "127.0.0.1:" + std::to_string(desk.port());
  options.feed = &feed;
  const absl::Status status =
      ConsoleServer::Start(SystemClock(), metrics, std::move(options)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(std::string(MessageOf(status)).find("another Cordon"), std::string::npos);
}

}  // namespace
}  // namespace cordon::testing
