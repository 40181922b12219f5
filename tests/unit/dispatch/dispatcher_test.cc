// SPDX-License-Identifier: Apache-2.0
#include "dispatch/dispatcher.h"

#include <absl/synchronization/notification.h>
#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "tests/support/test_data.h"

namespace cordon {
namespace {

const Deed kLin{"operator:lin", "test"};

// Keeps what it hears; waits for it with a deadline.
class Ear final : public DispatchListener {
 public:
  void OnAlert(const StoredAlert& alert, const proto::Incident* incident) override {
    absl::MutexLock lock(&mutex_);
    alerts.push_back(alert);
    if (incident != nullptr) incidents.push_back(*incident);
  }
  void OnReport(const AlertReport& report) override {
    absl::MutexLock lock(&mutex_);
    reports.push_back(report);
  }
  void OnCircles(const proto::ResponseCircles& circles) override {
    absl::MutexLock lock(&mutex_);
    if (!circles.alert_id().empty()) answers.push_back("ranked " + circles.incident_id());
  }
  void OnAreas(const proto::ResponseCircles& circles) override {
    absl::MutexLock lock(&mutex_);
    if (!circles.alert_id().empty()) answers.push_back("drawn " + circles.incident_id());
  }
  void OnNotice(const proto::Notice& notice) override {
    absl::MutexLock lock(&mutex_);
    notices.push_back(notice);
  }
  bool Wait(const std::function<bool()>& condition) {
    absl::MutexLock lock(&mutex_);
    return mutex_.AwaitWithTimeout(absl::Condition(&condition), absl::Seconds(10));
  }

  absl::Mutex mutex_;
  std::vector<StoredAlert> alerts;
  std::vector<proto::Incident> incidents;
  std::vector<AlertReport> reports;
  std::vector<proto::Notice> notices;
  std::vector<std::string> answers;  // to alerts, in the order they were told
};

class DispatcherTest : public ::testing::Test {
 protected:
  void SetUp() override { Restart(); }
  void Restart() {
    dispatcher_.reset();
    Dispatcher::Options options;
    options.store_path = folder_.File("dispatch.db");
    options.config.set_ack_timeout_s(15);
    options.config.set_group_within_m(50);
    options.config.set_group_within_s(60);
    options.config.set_group_longest_s(600);
    options.cameras = cameras_;
    options.producers = producers_;
    options.listeners = {&ear_};
    options.patience = patience_;
    options.compute_circles =
        [](const CirclesRequest& request) -> absl::StatusOr<proto::ResponseCircles> {
      proto::ResponseCircles circles;
      for (const UnitState& unit : request.units) {
        proto::UnitEta& eta = *circles.add_units();
        eta.set_unit_id(unit.id.str());
        eta.set_status(unit.status);
        eta.set_eta_ms(static_cast<uint32_t>(Distance(unit.place, request.scene).value * 100));
      }
      return circles;
    };
    options.draw_areas = [this](proto::ResponseCircles& circles) {
      if (drawing_ != nullptr && !drawing_->HasBeenNotified()) drawing_->Notify();
      if (may_draw_ != nullptr) may_draw_->WaitForNotification();
      circles.add_tiers()->set_tier_s(60);
    };
    auto started = Dispatcher::Start(clock_, metrics_, board_, std::move(options));
    ASSERT_TRUE(started.ok()) << started.status();
    dispatcher_ = *std::move(started);
  }
  proto::Alert NewAlert(proto::EventKind kind = proto::EVENT_KIND_INTRUSION) {
    proto::Alert alert;
    alert.set_id(ids_.Next().str());
    alert.set_producer("node-1");
    alert.set_wall_time_us(ToMicros(clock_.Wall()));
    alert.mutable_event()->set_camera_id("gate");
    alert.mutable_event()->set_kind(kind);
    alert.mutable_event()->mutable_place()->set_lat(41.15);
    alert.mutable_event()->mutable_place()->set_lon(-8.61);
    alert.set_snapshot_jpeg("jpeg");
    alert.mutable_stages()->set_boot_id(HostBootId());
    alert.mutable_stages()->set_received_ns(ToNanos(clock_.Boot()));
    return alert;
  }
  absl::Status Deliver(std::vector<proto::Alert> alerts) {
    return dispatcher_->Deliver(
        [alerts](sqlite::Connection&) -> absl::StatusOr<std::vector<proto::OutboxRecord>> {
          std::vector<proto::OutboxRecord> records;
          for (const proto::Alert& alert : alerts) *records.emplace_back().mutable_alert() = alert;
          return records;
        });
  }
  std::vector<StoredAlert> Stored() {
    std::vector<StoredAlert> alerts;
    EXPECT_TRUE(dispatcher_
                    ->Read([&](EventStore& store) -> absl::Status {
                      ASSIGN_OR_RETURN(alerts, store.Alerts({}));
                      return absl::OkStatus();
                    })
                    .ok());
    return alerts;
  }
  // The owner has come round at least once since the call.
  void Turn() {
    for (int i = 0; i < 2; ++i)
      ASSERT_TRUE(dispatcher_->Read([](EventStore&) { return absl::OkStatus(); }).ok());
  }
  bool PictureGone(size_t alert = 0) {
    Turn();
    return !Stored()[alert].has_snapshot;
  }
  void Watch(Seconds time, proto::StreamState state) {
    for (Seconds passed{}; passed < time; passed += Seconds(5)) {
      clock_.Advance(Seconds(5));
      proto::NodeHealth health;
      health.set_node_id("node-1");
      health.add_cameras()->set_camera_id("gate");
      health.mutable_cameras(0)->set_state(state);
      dispatcher_->ReportHealth(health);
      Turn();
    }
  }
  RuleScore Score() {
    std::vector<RuleScore> scores;
    EXPECT_TRUE(dispatcher_
                    ->Read([&](EventStore& store) -> absl::Status {
                      ASSIGN_OR_RETURN(scores, store.RuleScores(WallTime{}, clock_.Wall()));
                      return absl::OkStatus();
                    })
                    .ok());
    EXPECT_EQ(scores.size(), 1u);
    return scores.empty() ? RuleScore{} : scores[0];
  }
  void UnitAt(const std::string& id, LatLon place) {
    proto::UnitPosition fix;
    fix.set_unit_id(id);
    fix.set_lat(place.lat);
    fix.set_lon(place.lon);
    ASSERT_TRUE(board_.Report(fix).ok());
  }

  testing::TemporaryFolder folder_;
  SimulatedClock clock_;
  Metrics metrics_;
  UlidGenerator ids_{clock_, 7};
  UnitBoard board_{clock_, metrics_, {}};
  std::vector<std::string> producers_;
  std::vector<Dispatcher::Camera> cameras_ = {{"gate", "North gate", 24}};
  std::unique_ptr<absl::Notification> drawing_, may_draw_;  // null: nobody waits
  Milliseconds patience_ = Dispatcher::kPatience;
  Ear ear_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

TEST_F(DispatcherTest, WhatHasNotBegunInTimeNeverDoes) {
  patience_ = Milliseconds(20);
  Restart();
  absl::Notification busy;
  absl::Notification go_on;
  std::thread other([&] {
    EXPECT_TRUE(dispatcher_
                    ->Read([&](EventStore&) {
                      busy.Notify();
                      go_on.WaitForNotification();
                      return absl::OkStatus();
                    })
                    .ok())
        << "what has begun is waited for, past the patience";
  });
  busy.WaitForNotification();
  bool ran = false;
  const absl::Status late = dispatcher_->Read([&](EventStore&) {
    ran = true;
    return absl::OkStatus();
  });
  EXPECT_EQ(late.code(), absl::StatusCode::kDeadlineExceeded);
  go_on.Notify();
  other.join();
  patience_ = Dispatcher::kPatience;
  Restart();  // everything that was handed over is done
  EXPECT_FALSE(ran);
}

TEST_F(DispatcherTest, AlertIsDurableGroupedAndReportedWithCircles) {
  UnitAt("car-1", {41.16, -8.61});
  ASSERT_TRUE(Deliver({NewAlert(), NewAlert()}).ok());
  ASSERT_TRUE(ear_.Wait([&] { return ear_.reports.size() == 2; }));
  EXPECT_EQ(ear_.reports[0].circles.units(0).unit_id(), "car-1");
  EXPECT_GT(ear_.reports[0].alert.stages().published_ns(), 0);
  EXPECT_EQ(ear_.alerts[0].incident_id, ear_.alerts[1].incident_id);
  EXPECT_EQ(ear_.incidents[0].title(), "Intrusion at North gate");
  Restart();
  EXPECT_EQ(Stored().size(), 2u);
}

// A drawing costs milliseconds, on a busy machine many: the crews that can go do not wait for it.
TEST_F(DispatcherTest, EverybodysEtasAreToldBeforeAnyAreaIsDrawn) {
  UnitAt("car-1", {41.16, -8.61});
  const auto alert_at = [this](double lat) {
    proto::Alert alert = NewAlert();
    alert.mutable_event()->set_camera_id("at " + std::to_string(lat));
    alert.mutable_event()->mutable_place()->set_lat(lat);
    return alert;
  };
  may_draw_ = std::make_unique<absl::Notification>();
  drawing_ = std::make_unique<absl::Notification>();
  ASSERT_TRUE(Deliver({alert_at(41.11)}).ok());
  drawing_->WaitForNotification();
  ASSERT_TRUE(Deliver({alert_at(41.15), alert_at(41.19)}).ok());
  may_draw_->Notify();
  ASSERT_TRUE(ear_.Wait([&] { return ear_.reports.size() == 3; }));
  const auto id = [&](size_t report) { return ear_.reports[report].incident.id(); };
  EXPECT_EQ(ear_.answers, (std::vector<std::string>{
                              "ranked " + id(0), "drawn " + id(0), "ranked " + id(1),
                              "ranked " + id(2), "drawn " + id(1), "drawn " + id(2)}));
  EXPECT_EQ(ear_.reports[2].circles.tiers_size(), 1) << "what is recorded is whole";
}

TEST_F(DispatcherTest, FailedAdmissionWritesNothing) {
  const proto::Alert alert = NewAlert();
  const absl::Status status = dispatcher_->Deliver(
      [&](sqlite::Connection& db) -> absl::StatusOr<std::vector<proto::OutboxRecord>> {
        RETURN_IF_ERROR(db.Execute("CREATE TABLE inbox_probe(x)"));
        return absl::InternalError("cursor row could not be written");
      });
  EXPECT_FALSE(status.ok());
  EXPECT_TRUE(Stored().empty());
  EXPECT_TRUE(dispatcher_
                  ->Read([](EventStore& store) {
                    return store.connection().Execute("CREATE TABLE inbox_probe(x)");
                  })
                  .ok())
      << "the table of the failed transaction must not be there";
}

TEST_F(DispatcherTest, SameIdTwiceIsOneAlert) {
  const proto::Alert alert = NewAlert();
  ASSERT_TRUE(Deliver({alert}).ok());
  ASSERT_TRUE(Deliver({alert, NewAlert()}).ok());
  EXPECT_EQ(Stored().size(), 2u);
  ASSERT_TRUE(ear_.Wait([&] { return ear_.reports.size() == 2; }));
}

TEST_F(DispatcherTest, TestAlertProvesTheChainAndOpensNoIncident) {
  ASSERT_TRUE(Deliver({NewAlert(proto::EVENT_KIND_TEST)}).ok());
  ASSERT_TRUE(ear_.Wait([&] { return ear_.alerts.size() == 1; }));
  EXPECT_TRUE(ear_.incidents.empty());
  EXPECT_TRUE(ear_.alerts[0].incident_id.empty());
}

TEST_F(DispatcherTest, SilentAssignmentIsRaisedAgainAndThenOfferedToTheNextUnit) {
  UnitAt("car-1", {41.151, -8.61});
  UnitAt("car-2", {41.160, -8.61});
  ASSERT_TRUE(Deliver({NewAlert()}).ok());
  ASSERT_TRUE(ear_.Wait([&] { return ear_.reports.size() == 1; }));
  const std::string incident = ear_.incidents[0].id();
  ASSERT_TRUE(dispatcher_->Assign(incident, UnitId("car-1"), kLin).ok());
  clock_.Advance(Seconds(16));
  ASSERT_TRUE(ear_.Wait([&] { return ear_.notices.size() == 1; }));
  EXPECT_EQ(ear_.notices[0].kind(), "ack_timeout");
  clock_.Advance(Seconds(15));
  ASSERT_TRUE(ear_.Wait([&] { return ear_.notices.size() >= 2; }));
  EXPECT_EQ(ear_.notices[1].kind(), "offer_unit");
  EXPECT_NE(ear_.notices[1].text().find("car-2"), std::string::npos) << ear_.notices[1].text();
}

TEST_F(DispatcherTest, TimersSurviveARestart) {
  UnitAt("car-1", {41.151, -8.61});
  ASSERT_TRUE(Deliver({NewAlert()}).ok());
  const std::string incident = Stored()[0].incident_id;
  ASSERT_TRUE(dispatcher_->Assign(incident, UnitId("car-1"), kLin).ok());
  Restart();
  clock_.Advance(Seconds(16));
  ASSERT_TRUE(ear_.Wait([&] { return ear_.notices.size() == 1; }));
}

TEST_F(DispatcherTest, AcknowledgedAssignmentIsNotRaisedAgain) {
  UnitAt("car-1", {41.151, -8.61});
  ASSERT_TRUE(Deliver({NewAlert()}).ok());
  const std::string incident = Stored()[0].incident_id;
  ASSERT_TRUE(dispatcher_->Assign(incident, UnitId("car-1"), kLin).ok());
  ASSERT_TRUE(
      dispatcher_
          ->SetUnitStatus(UnitId("car-1"), proto::UNIT_STATUS_ACKNOWLEDGED, {"unit:car-1", ""})
          .ok());
  EXPECT_TRUE(dispatcher_
                  ->Read([](EventStore& store) -> absl::Status {
                    ASSIGN_OR_RETURN(const auto timers, store.Timers());
                    return timers.empty() ? absl::OkStatus()
                                          : absl::InternalError("a timer is left");
                  })
                  .ok());
}

TEST_F(DispatcherTest, IncidentFollowsItsUnits) {
  UnitAt("car-1", {41.151, -8.61});
  ASSERT_TRUE(Deliver({NewAlert()}).ok());
  const std::string incident = Stored()[0].incident_id;
  const UnitId car("car-1");
  EXPECT_EQ(dispatcher_->SetUnitStatus(car, proto::UNIT_STATUS_EN_ROUTE, kLin).code(),
            absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(dispatcher_->Assign(incident, car, kLin).ok());
  EXPECT_EQ(board_.Find(car)->status, proto::UNIT_STATUS_ASSIGNED);
  ASSERT_TRUE(dispatcher_->SetUnitStatus(car, proto::UNIT_STATUS_EN_ROUTE, kLin).ok());
  ASSERT_TRUE(dispatcher_->SetUnitStatus(car, proto::UNIT_STATUS_ON_SCENE, kLin).ok());
  EXPECT_EQ(dispatcher_->Note(incident, "arrived", kLin)->state(), proto::INCIDENT_STATE_ON_SCENE);
  ASSERT_TRUE(dispatcher_->Close(incident, true, kLin).ok());
  EXPECT_EQ(board_.Find(car)->status, proto::UNIT_STATUS_RETURNING);
  EXPECT_EQ(Stored()[0].verdict, std::optional<bool>(false));
  EXPECT_EQ(dispatcher_->Acknowledge(incident, kLin).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(DispatcherTest, UnitStatusSurvivesARestart) {
  UnitAt("car-1", {41.151, -8.61});
  ASSERT_TRUE(
      dispatcher_->SetUnitStatus(UnitId("car-1"), proto::UNIT_STATUS_OUT_OF_SERVICE, kLin).ok());
  ASSERT_TRUE(board_.SetStatus(UnitId("car-1"), proto::UNIT_STATUS_AVAILABLE, "").ok());
  Restart();
  EXPECT_EQ(board_.Find(UnitId("car-1"))->status, proto::UNIT_STATUS_OUT_OF_SERVICE);
}

TEST_F(DispatcherTest, SilentProducerIsAnAlarmUntilItIsHeard) {
  producers_ = {"node-1"};
  Restart();
  clock_.Advance(Seconds(11));
  ASSERT_TRUE(ear_.Wait([&] { return ear_.notices.size() == 1; }));
  EXPECT_EQ(ear_.notices[0].kind(), "producer_silent");
  dispatcher_->ProducerHeard("node-1");
  ASSERT_TRUE(ear_.Wait([&] { return ear_.notices.size() == 2; }));
  EXPECT_GT(ear_.notices[1].cleared_us(), 0);
  EXPECT_EQ(ear_.notices[1].number(), ear_.notices[0].number());
}

TEST_F(DispatcherTest, FalseAlarmRateIsByRuleAndTheTimeItsCameraWasWatched) {
  ASSERT_TRUE(Deliver({NewAlert(), NewAlert()}).ok());
  const std::vector<StoredAlert> alerts = Stored();
  ASSERT_TRUE(dispatcher_->JudgeAlert(alerts[0].alert.id(), false, kLin).ok());
  ASSERT_TRUE(dispatcher_->JudgeAlert(alerts[1].alert.id(), false, kLin).ok());
  ASSERT_TRUE(dispatcher_->JudgeAlert(alerts[1].alert.id(), true, kLin).ok())
      << "the last word counts";
  EXPECT_EQ(Score().days, 0);
  Watch(Seconds(600), proto::STREAM_STATE_LIVE);
  EXPECT_NEAR(Score().days * 86400, 600, 20);
  Watch(Seconds(600), proto::STREAM_STATE_LOST);
  EXPECT_NEAR(Score().days * 86400, 600, 30) << "a camera that shows nothing raises no false alarm";
  Restart();
  Watch(Seconds(600), proto::STREAM_STATE_LIVE);
  const RuleScore score = Score();
  EXPECT_NEAR(score.days * 86400, 1200, 50);
  EXPECT_EQ(score.judged_false, 1u);
  EXPECT_EQ(score.judged_true, 1u);
  EXPECT_DOUBLE_EQ(*score.false_per_day(), 1 / score.days);
}

TEST_F(DispatcherTest, PicturesAreDeletedAfterTheirRetention) {
  ASSERT_TRUE(Deliver({NewAlert()}).ok());
  EXPECT_TRUE(Stored()[0].has_snapshot);
  clock_.Advance(std::chrono::minutes(24 * 60 + 2));
  EXPECT_TRUE(PictureGone());
}

TEST_F(DispatcherTest, PicturesOfACameraThatWasRemovedGoWhenTheyWouldHave) {
  ASSERT_TRUE(Deliver({NewAlert()}).ok());
  cameras_ = {{"yard", "Yard", 1000}};
  Restart();
  clock_.Advance(std::chrono::hours(23));
  Turn();
  EXPECT_TRUE(Stored()[0].has_snapshot);
  clock_.Advance(std::chrono::minutes(62));
  EXPECT_TRUE(PictureGone());
}

TEST_F(DispatcherTest, PicturesOfACameraThatWasNeverConfiguredAreKeptAsShortAsAny) {
  cameras_ = {{"yard", "Yard", 1000}, {"hall", "Hall", 2}};
  Restart();
  ASSERT_TRUE(Deliver({NewAlert()}).ok());
  clock_.Advance(std::chrono::minutes(122));
  EXPECT_TRUE(PictureGone());
  cameras_.clear();
  Restart();
  ASSERT_TRUE(Deliver({NewAlert()}).ok());
  clock_.Advance(std::chrono::minutes(24 * 60 + 2));
  EXPECT_TRUE(PictureGone()) << "a day where no camera is configured";
}

TEST_F(DispatcherTest, APictureUnderALegalHoldOutlivesItsCamera) {
  ASSERT_TRUE(Deliver({NewAlert(), NewAlert()}).ok());
  proto::HoldChange hold;
  hold.set_alert_id(Stored()[0].alert.id());
  hold.set_held(true);
  ASSERT_TRUE(dispatcher_->Write([&](EventStore& store) { return store.AddHold(hold); }).ok());
  cameras_ = {{"yard", "Yard", 1}};
  Restart();
  clock_.Advance(std::chrono::hours(48));
  ASSERT_TRUE(PictureGone(1));
  EXPECT_TRUE(Stored()[0].has_snapshot);
}

}  // namespace
}  // namespace cordon
