// SPDX-License-Identifier: Apache-2.0
#include "dispatch/incident_book.h"

#include <gtest/gtest.h>

#include "tests/support/test_data.h"

namespace cordon {
namespace {

const Deed kLin{"operator:lin", "test"};

class IncidentBookTest : public ::testing::Test {
 protected:
  void SetUp() override { Reopen(); }
  void Reopen() {
    book_.reset();
    store_.reset();
    auto opened =
        EventStore::Open(folder_.File("dispatch.db"), sqlite::Connection::Mode::kReadWrite);
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
    book_ = std::make_unique<IncidentBook>(*store_, clock_, ids_, IncidentBook::Options{});
    ASSERT_TRUE(book_->Load().ok());
  }
  proto::Alert AlertAt(const std::string& camera, LatLon place,
                       proto::EventKind kind = proto::EVENT_KIND_INTRUSION) {
    proto::Alert alert;
    alert.set_id(ids_.Next().str());
    alert.set_wall_time_us(ToMicros(clock_.Wall()));
    alert.mutable_event()->set_camera_id(camera);
    alert.mutable_event()->set_kind(kind);
    alert.mutable_event()->mutable_place()->set_lat(place.lat);
    alert.mutable_event()->mutable_place()->set_lon(place.lon);
    return alert;
  }
  std::string Join(const proto::Alert& alert) {
    const auto incident = book_->Join(alert);
    EXPECT_TRUE(incident.ok()) << incident.status();
    book_->Settle();
    return incident->id();
  }

  const LatLon gate_{41.15, -8.61};
  testing::TemporaryFolder folder_;
  SimulatedClock clock_;
  UlidGenerator ids_{clock_, 1};
  std::unique_ptr<EventStore> store_;
  std::unique_ptr<IncidentBook> book_;
};

TEST_F(IncidentBookTest, GroupsByCameraOrNearnessWithinTheWindow) {
  const std::string first = Join(AlertAt("gate", gate_));
  clock_.Advance(Seconds(50));
  EXPECT_EQ(Join(AlertAt("gate", Offset(gate_, 0, Metres{4000}))), first) << "same camera";
  clock_.Advance(Seconds(50));
  EXPECT_EQ(Join(AlertAt("yard", Offset(gate_, 0, Metres{49}))), first)
      << "near, and the window counts from the newest alert";
  EXPECT_NE(Join(AlertAt("yard", Offset(gate_, 0, Metres{51}))), first)
      << "another camera, too far";
  clock_.Advance(Seconds(61));
  EXPECT_NE(Join(AlertAt("gate", gate_)), first) << "too late";
}

// A camera over a busy place: an alert every 20 s, for ever.
TEST_F(IncidentBookTest, APlaceThatIsNeverQuietOpensANewIncidentAfterTheLongestTime) {
  std::vector<std::string> incidents;
  for (int i = 0; i <= 95; ++i) {
    const std::string id = Join(AlertAt("gate", gate_));
    if (incidents.empty() || incidents.back() != id) incidents.push_back(id);
    clock_.Advance(Seconds(20));
  }
  EXPECT_EQ(incidents.size(), 4u) << "0:00, 10:20, 20:40 and 31:00";
}

TEST_F(IncidentBookTest, AnIncidentThatUnitsWorkOnTakesItsAlertsHoweverLong) {
  const std::string first = Join(AlertAt("gate", gate_));
  ASSERT_TRUE(book_->Assign(first, UnitId("car-1"), kLin).ok());
  book_->Settle();
  for (int i = 0; i < 60; ++i) {
    clock_.Advance(Seconds(20));
    EXPECT_EQ(Join(AlertAt("gate", gate_)), first);
  }
}

TEST_F(IncidentBookTest, BacklogIsGroupedByWhenItHappened) {
  proto::Alert late = AlertAt("gate", gate_);
  const std::string first = Join(AlertAt("gate", gate_));
  late.set_wall_time_us(late.wall_time_us() - Microseconds(Seconds(3600)).count());
  EXPECT_NE(Join(late), first);
}

TEST_F(IncidentBookTest, CameraTroubleNeverHidesAnEvent) {
  const std::string first = Join(AlertAt("gate", gate_, proto::EVENT_KIND_STREAM_LOST));
  EXPECT_NE(Join(AlertAt("gate", gate_)), first);
}

TEST_F(IncidentBookTest, ClosedIncidentTakesNoMoreAlerts) {
  const std::string first = Join(AlertAt("gate", gate_));
  ASSERT_TRUE(book_->Move(first, proto::INCIDENT_STATE_CLOSED, kLin).ok());
  book_->Settle();
  EXPECT_NE(Join(AlertAt("gate", gate_)), first);
}

TEST_F(IncidentBookTest, StateOnlyMovesForward) {
  const std::string id = Join(AlertAt("gate", gate_));
  ASSERT_TRUE(book_->Assign(id, UnitId("car-1"), kLin).ok());
  ASSERT_TRUE(book_->Move(id, proto::INCIDENT_STATE_ON_SCENE, kLin).ok());
  for (const auto state : {proto::INCIDENT_STATE_NEW, proto::INCIDENT_STATE_ACKNOWLEDGED,
                           proto::INCIDENT_STATE_EN_ROUTE})
    EXPECT_EQ(book_->Move(id, state, kLin).status().code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(book_->Move(id, proto::INCIDENT_STATE_FALSE_ALARM, kLin).ok());
  EXPECT_FALSE(book_->Move(id, proto::INCIDENT_STATE_CLOSED, kLin).ok());
}

TEST_F(IncidentBookTest, LastUnitReleasedMeansAcknowledgedAgain) {
  const std::string id = Join(AlertAt("gate", gate_));
  ASSERT_TRUE(book_->Assign(id, UnitId("car-1"), kLin).ok());
  ASSERT_TRUE(book_->Assign(id, UnitId("car-2"), kLin).ok());
  EXPECT_FALSE(book_->Assign(id, UnitId("car-2"), kLin).ok());
  EXPECT_EQ(book_->Release(id, UnitId("car-1"), kLin)->state(), proto::INCIDENT_STATE_ASSIGNED);
  EXPECT_EQ(book_->Release(id, UnitId("car-2"), kLin)->state(), proto::INCIDENT_STATE_ACKNOWLEDGED);
  EXPECT_FALSE(book_->Release(id, UnitId("car-2"), kLin).ok());
}

TEST_F(IncidentBookTest, EveryStepIsNumberedWithActorAndCauseAndSurvivesRestart) {
  const std::string id = Join(AlertAt("gate", gate_));
  ASSERT_TRUE(book_->Move(id, proto::INCIDENT_STATE_ACKNOWLEDGED, kLin).ok());
  ASSERT_TRUE(book_->Note(id, "called the guard", kLin).ok());
  book_->Settle();
  Reopen();
  ASSERT_NE(book_->Find(id), nullptr);
  EXPECT_EQ(book_->Find(id)->state(), proto::INCIDENT_STATE_ACKNOWLEDGED);
  const auto changes = store_->IncidentChanges(id);
  ASSERT_TRUE(changes.ok());
  ASSERT_EQ(changes->size(), 3u);
  for (size_t i = 0; i < changes->size(); ++i) EXPECT_EQ((*changes)[i].number(), i + 1);
  EXPECT_EQ((*changes)[0].actor(), "cordon");
  EXPECT_EQ((*changes)[2].actor(), "operator:lin");
  EXPECT_EQ((*changes)[2].note(), "called the guard");
}

TEST_F(IncidentBookTest, DiscardForgetsWhatWasStaged) {
  const auto incident = book_->Join(AlertAt("gate", gate_));
  ASSERT_TRUE(incident.ok());
  book_->Discard();
  EXPECT_EQ(book_->Find(incident->id()), nullptr);
  EXPECT_TRUE(book_->Settle().empty());
}

}  // namespace
}  // namespace cordon
