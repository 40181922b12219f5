// SPDX-License-Identifier: Apache-2.0
#include "ingest/onvif_metadata.h"

#include <gtest/gtest.h>

#include "tests/support/metadata_stream.h"

namespace cordon::testing {
namespace {

class OnvifMetadataTest : public ::testing::Test {
 protected:
  OnvifMetadataTest() { metadata_.Begin(kMetadataPayloadType); }

  void Hear(const std::string& document) {
    for (const RtpPiece& piece : packets_.Cut(document)) Hear(piece);
    clock_.Advance(Milliseconds(100));
  }
  void Hear(const RtpPiece& piece) {
    const std::string bytes = piece.Bytes();
    metadata_.OnRtp({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  }
  double Count(const char* name) {
    return metrics_.Counter(std::string("cordon_onvif_metadata_") + name + "_total", "",
                            {{"camera", "gate"}})
        .Value();
  }

  SimulatedClock clock_;
  Metrics metrics_;
  int wakes_ = 0;
  OnvifMetadata metadata_{"gate", metrics_, clock_, [this] { ++wakes_; }};
  MetadataPackets packets_;
};

TEST_F(OnvifMetadataTest, AnEventThatBeginsWakesOnce) {
  Hear(MotionEvent(true));
  EXPECT_EQ(wakes_, 1);
  Hear(MotionEvent(true));
  Hear(MotionEvent(false));
  EXPECT_EQ(wakes_, 1);
  Hear(MotionEvent(true));
  EXPECT_EQ(wakes_, 2);
  EXPECT_EQ(Count("documents"), 4);
  EXPECT_EQ(Count("unread"), 0);
}

TEST_F(OnvifMetadataTest, AnObjectWakesWhenItAppearsAndWhenItBeginsToMove) {
  Hear(ObjectFrame("7", ""));
  Hear(ObjectFrame("7", ""));
  EXPECT_EQ(wakes_, 1) << "the same object again says nothing new";
  Hear(ObjectFrame("7", "<tt:Idle/>"));
  EXPECT_EQ(wakes_, 1);
  Hear(ObjectFrame("7", ""));
  EXPECT_EQ(wakes_, 2);
  Hear(ObjectFrame("8", "<tt:Idle/>"));
  EXPECT_EQ(wakes_, 2) << "what stands still from the beginning is no reason";
}

TEST_F(OnvifMetadataTest, ANumberThatWasAwayForLongIsANewObject) {
  Hear(ObjectFrame("7", ""));
  clock_.Advance(Seconds(30));
  Hear(ObjectFrame("7", ""));
  EXPECT_EQ(wakes_, 2);
}

TEST_F(OnvifMetadataTest, FacesArePassedOver) {
  Hear(ObjectFrame("7", "", "Face"));
  EXPECT_EQ(wakes_, 0);
  EXPECT_EQ(Count("documents"), 1);
}

TEST_F(OnvifMetadataTest, MoreObjectsThanTheLimitAreNotRemembered) {
  for (size_t i = 0; i < OnvifMetadata::kMostObjects + 50; ++i) {
    for (const RtpPiece& piece : packets_.Cut(ObjectFrame(std::to_string(i), ""))) Hear(piece);
    clock_.Advance(Milliseconds(20));  // all within the time that one is remembered for
  }
  EXPECT_EQ(wakes_, static_cast<int>(OnvifMetadata::kMostObjects));
}

TEST_F(OnvifMetadataTest, ADocumentMayComeInManyPacketsWithOrWithoutMarker) {
  std::vector<RtpPiece> pieces = packets_.Cut(MotionEvent(true), 40);
  ASSERT_GT(pieces.size(), 5u);
  pieces.back().marker = false;
  for (const RtpPiece& piece : pieces) Hear(piece);
  EXPECT_EQ(wakes_, 0) << "nothing tells yet that it is complete";
  Hear(MotionEvent(false));
  EXPECT_EQ(wakes_, 1);
  EXPECT_EQ(Count("documents"), 2);
}

TEST_F(OnvifMetadataTest, LossCostsItsOwnDocumentOnly) {
  std::vector<RtpPiece> pieces = packets_.Cut(MotionEvent(true), 40);
  pieces.erase(pieces.begin() + 2);
  for (const RtpPiece& piece : pieces) Hear(piece);
  clock_.Advance(Seconds(1));
  Hear(ObjectFrame("1", ""));
  EXPECT_EQ(wakes_, 1);
  EXPECT_EQ(Count("unread"), 1);
  EXPECT_EQ(Count("documents"), 1);
}

TEST_F(OnvifMetadataTest, WhatIsTooLargeBrokenOrHostileIsCountedAndTheNextIsRead) {
  Hear("<tt:MetadataStream>" + std::string(OnvifMetadata::kMaxDocumentBytes, ' '));
  Hear("<tt:MetadataStream><tt:Event>");
  Hear("<!DOCTYPE x [<!ENTITY a \"aaaa\">]><MetadataStream>&a;</MetadataStream>");
  Hear("\x1f\x8b\x08 this is gzip");
  Hear("<html/>");
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += "<a>";
  Hear(deep);
  EXPECT_EQ(Count("unread"), 6);
  EXPECT_EQ(wakes_, 0);
  Hear(MotionEvent(true));
  EXPECT_EQ(wakes_, 1);
}

TEST_F(OnvifMetadataTest, AFloodIsReadInPart) {
  for (int i = 0; i < 1000; ++i) {
    for (const RtpPiece& piece : packets_.Cut(MotionEvent(i % 2 == 0))) Hear(piece);
  }
  EXPECT_EQ(Count("documents"), OnvifMetadata::kMostDocumentsInASecond);
  EXPECT_EQ(Count("unread"), 1000 - OnvifMetadata::kMostDocumentsInASecond);
}

TEST_F(OnvifMetadataTest, AfterARefusalItIsAskedForAgainAnHourLater) {
  EXPECT_TRUE(metadata_.Wanted());
  metadata_.Refuse("test");
  EXPECT_FALSE(metadata_.Wanted());
  clock_.Advance(Seconds(3599));
  EXPECT_FALSE(metadata_.Wanted());
  clock_.Advance(Seconds(2));
  EXPECT_TRUE(metadata_.Wanted());
}

}  // namespace
}  // namespace cordon::testing
