// SPDX-License-Identifier: Apache-2.0
#include "analytics/region_namer.h"

#include <gmock/gmock.h>

namespace cordon {
namespace {

using testing::ElementsAre;

// Answers what the test puts into it, and counts the questions.
class Answering final : public RegionClassifier {
 public:
  std::vector<Classification> Classify(const Frame& /*frame*/,
                                       std::span<const MovingRegion> regions) const override {
    asked += static_cast<int>(regions.size());
    return std::vector<Classification>(regions.size(), {answer, 1});
  }
  const std::string& name() const override { return answer; }

  mutable int asked = 0;
  std::string answer = kPerson;
};

constexpr PictureBox kHere = {0.2F, 0.2F, 0.1F, 0.3F};
constexpr PictureBox kThere = {0.6F, 0.2F, 0.1F, 0.3F};

class RegionNamerTest : public testing::Test {
 protected:
  std::vector<std::string> NameAt(Microseconds time, std::vector<PictureBox> regions,
                                  std::vector<std::pair<uint64_t, PictureBox>> expected,
                                  bool faint = false) {
    Frame frame;
    frame.luma.width = 480;
    frame.luma.height = 270;
    frame.times.media = MediaTime{} + time;
    std::vector<MovingRegion> moving;
    for (const PictureBox& box : regions) moving.push_back({box, 0.5F});
    return namer_.NameAll(frame, moving, std::vector<bool>(moving.size(), faint), expected);
  }

  std::shared_ptr<Answering> classifier_ = std::make_shared<Answering>();
  RegionNamer namer_{classifier_};
};

TEST_F(RegionNamerTest, ARegionThatNoTrackExplainsIsAskedAboutInEveryPicture) {
  NameAt(Milliseconds(0), {kHere}, {});
  NameAt(Milliseconds(100), {kHere}, {{7, kThere}});
  EXPECT_EQ(classifier_->asked, 2);
}

TEST_F(RegionNamerTest, ATracksNameIsKeptForAWhileThenAskedForAnew) {
  NameAt(Milliseconds(0), {kHere}, {{7, kHere}});
  classifier_->answer = kVehicle;
  EXPECT_THAT(NameAt(Milliseconds(400), {kHere}, {{7, kHere}}), ElementsAre(kPerson));
  EXPECT_EQ(classifier_->asked, 1);
  EXPECT_THAT(NameAt(RegionNamer::kAskEvery, {kHere}, {{7, kHere}}), ElementsAre(kVehicle));
  EXPECT_EQ(classifier_->asked, 2);
}

TEST_F(RegionNamerTest, OfWhatIsFaintTheShapeDecidesUnlessItsTrackIsKnown) {
  EXPECT_THAT(NameAt(Milliseconds(0), {kHere}, {{7, kHere}}, true), ElementsAre(kPerson));
  EXPECT_EQ(classifier_->asked, 0);
  classifier_->answer = kVehicle;
  NameAt(Milliseconds(100), {kHere}, {{7, kHere}});
  EXPECT_THAT(NameAt(Milliseconds(200), {kHere}, {{7, kHere}}, true), ElementsAre(kVehicle));
}

TEST_F(RegionNamerTest, FewAreAskedAboutInOnePictureAndTheOthersInTheNext) {
  const PictureBox between = {0.4F, 0.2F, 0.1F, 0.3F};
  const std::vector<PictureBox> regions = {kHere, between, kThere};
  const std::vector<std::pair<uint64_t, PictureBox>> tracks = {
      {7, kHere}, {8, between}, {9, kThere}};
  classifier_->answer = kVehicle;
  EXPECT_THAT(NameAt(Milliseconds(0), regions, tracks), ElementsAre(kVehicle, kVehicle, kPerson));
  EXPECT_THAT(NameAt(Milliseconds(100), regions, tracks),
              ElementsAre(kVehicle, kVehicle, kVehicle));
  EXPECT_EQ(classifier_->asked, 3);
}

TEST_F(RegionNamerTest, WhatIsFollowedIsAskedAboutFirst) {
  const PictureBox between = {0.4F, 0.2F, 0.1F, 0.3F};
  classifier_->answer = kVehicle;
  EXPECT_THAT(NameAt(Milliseconds(0), {kHere, between, kThere}, {{9, kThere}}),
              ElementsAre(kVehicle, kPerson, kVehicle));
}

TEST_F(RegionNamerTest, WhatWasNeitherPersonNorVehicleIsAskedAboutAgainSooner) {
  classifier_->answer = kOther;
  NameAt(Milliseconds(0), {kHere}, {{7, kHere}});
  classifier_->answer = kPerson;
  EXPECT_THAT(NameAt(RegionNamer::kAskOtherEvery, {kHere}, {{7, kHere}}), ElementsAre(kPerson));
}

TEST_F(RegionNamerTest, NamesMoveWithTheirTracks) {
  NameAt(Milliseconds(0), {kHere}, {{7, kHere}});
  classifier_->answer = kVehicle;
  EXPECT_THAT(NameAt(Milliseconds(100), {kHere, kThere}, {{3, kHere}, {7, kThere}}),
              ElementsAre(kVehicle, kPerson));
}

TEST_F(RegionNamerTest, ATrackThatEndedIsForgotten) {
  NameAt(Milliseconds(0), {kHere}, {{7, kHere}});
  NameAt(Milliseconds(100), {}, {});
  NameAt(Milliseconds(200), {kHere}, {{7, kHere}});
  EXPECT_EQ(classifier_->asked, 2);
}

TEST_F(RegionNamerTest, ATimeThatFellAsksAgain) {
  NameAt(Milliseconds(500), {kHere}, {{7, kHere}});
  NameAt(Milliseconds(400), {kHere}, {{7, kHere}});
  EXPECT_EQ(classifier_->asked, 2);
}

}  // namespace
}  // namespace cordon
