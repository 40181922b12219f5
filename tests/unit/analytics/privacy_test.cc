// SPDX-License-Identifier: Apache-2.0
// No face, no identity, no trait of a person: not in the contracts, not in the sources, not in a
// model. And what is masked reaches neither a detector nor a snapshot.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <set>
#include <sstream>

#include "analytics/model_card.h"
#include "google/protobuf/descriptor.h"
#include "ingest/clip_reader.h"
#include "ingest/snapshot.h"
#include "proto/alert.pb.h"
#include "proto/circles.pb.h"
#include "proto/envelope.pb.h"
#include "proto/event.pb.h"
#include "proto/incident.pb.h"
#include "proto/model_card.pb.h"
#include "proto/position.pb.h"
#include "proto/telemetry.pb.h"
#include "tests/support/test_data.h"

namespace cordon {
namespace {

namespace pb = google::protobuf;

// "FaceVector" and "face_vector" are both "face vector".
std::string Words(const std::string& name) {
  std::string words;
  for (const char c : name) {
    if (std::isupper(static_cast<unsigned char>(c)) != 0 && !words.empty() &&
        std::islower(static_cast<unsigned char>(words.back())) != 0) {
      words += ' ';
    }
    words += c;
  }
  return words;
}

void CollectNames(const pb::Descriptor& message, std::vector<std::string>& names) {
  names.push_back(message.name());
  for (int i = 0; i < message.field_count(); ++i) names.push_back(message.field(i)->name());
  for (int i = 0; i < message.enum_type_count(); ++i) {
    for (int v = 0; v < message.enum_type(i)->value_count(); ++v) {
      names.push_back(message.enum_type(i)->value(v)->name());
    }
  }
  for (int i = 0; i < message.nested_type_count(); ++i)
    CollectNames(*message.nested_type(i), names);
}

TEST(Privacy, NoContractHasAFieldForAPersonsFeatures) {
  const std::vector<const pb::FileDescriptor*> files = {
      proto::Site::descriptor()->file(),         proto::Event::descriptor()->file(),
      proto::Alert::descriptor()->file(),        proto::Incident::descriptor()->file(),
      proto::UnitPosition::descriptor()->file(), proto::ResponseCircles::descriptor()->file(),
      proto::CameraTracks::descriptor()->file(), proto::Envelope::descriptor()->file(),
      proto::ModelCard::descriptor()->file()};
  std::vector<std::string> names;
  for (const pb::FileDescriptor* file : files) {
    for (int i = 0; i < file->message_type_count(); ++i)
      CollectNames(*file->message_type(i), names);
    for (int e = 0; e < file->enum_type_count(); ++e) {
      for (int v = 0; v < file->enum_type(e)->value_count(); ++v) {
        names.push_back(file->enum_type(e)->value(v)->name());
      }
    }
  }
  EXPECT_GT(names.size(), 200U);
  for (const std::string& name : names) {
    // The age of a fix or of a person's trait cannot be told apart by the word alone; ages of fixes
    // end in a unit.
    if (name.find("age_") != std::string::npos || name.ends_with("_age")) continue;
    EXPECT_FALSE(ForbiddenWord(Words(name)).has_value()) << name;
  }
  EXPECT_TRUE(ForbiddenWord(Words("FaceVector")).has_value()) << "the test must be able to fail";
}

// Calls that recognise or describe people in the libraries that Cordon uses.
constexpr const char* kBannedCalls[] = {"FaceDetectorYN",  "FaceRecognizerSF", "FaceRecognizer",
                                        "haarcascade",     "createLBPH",       "createEigenFace",
                                        "createFisherFace"};

TEST(Privacy, NoSourceCallsARecogniser) {
  const std::filesystem::path root(std::getenv("CORDON_SOURCE_DIR"));
  int files = 0;
  for (const char* folder :
       {"base", "proto", "bus", "ingest", "analytics", "dispatch", "console", "cli"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
      const std::string extension = entry.path().extension();
      if (extension != ".cc" && extension != ".h" && extension != ".proto") continue;
      std::ifstream file(entry.path());
      std::stringstream text;
      text << file.rdbuf();
      ++files;
      for (const char* call : kBannedCalls) {
        EXPECT_EQ(text.str().find(call), std::string::npos) << entry.path() << ": " << call;
      }
    }
  }
  EXPECT_GT(files, 100);
}

TEST(Privacy, NoModelCardReportsMoreThanObjects) {
  const std::filesystem::path folder =
      std::string(std::getenv("CORDON_SOURCE_DIR")) + "/deploy/models";
  const std::set<std::string> objects = {"person", "bicycle", "car", "motorcycle", "bus", "truck"};
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".yaml") continue;
    const auto card = ReadModelCard(entry.path().string());
    ASSERT_TRUE(card.ok()) << card.status();
    const auto& reported = card->report().empty() ? card->classes() : card->report();
    for (const std::string& name : reported)
      EXPECT_TRUE(objects.contains(name)) << entry.path() << ": " << name;
  }
}

// A mask is black; scaling and compression leave less than this.
constexpr uint8_t kBlack = 24;

bool AnyBright(const BgrPicture& picture) {
  return std::any_of(picture.pixels.begin(), picture.pixels.end(),
                     [](uint8_t value) { return value > kBlack; });
}

TEST(Privacy, MaskedPixelsReachNeitherAnalysisNorDetectorNorSnapshot) {
  const std::string clip = testing::TestData("video/vtest.avi");
  SKIP_WITHOUT(clip);
  // The right half is masked; vtest's right half is a bright lawn, so that any unmasked pixel
  // shows.
  proto::CameraConfig camera;
  camera.set_id("masked");
  camera.set_analysis_width(480);
  camera.set_analysis_fps(30);
  proto::MaskConfig& mask = *camera.add_masks();
  for (const char* corner : {"0.5,0", "1,0", "1,1", "0.5,1"}) *mask.add_points() = corner;
  const auto options = ClipReaderOptions::For(camera);
  ASSERT_TRUE(options.ok()) << options.status();
  auto reader = ClipReader::Open(clip, *options, SystemClock());
  ASSERT_TRUE(reader.ok()) << reader.status();
  const auto frame = (*reader)->NextFrame();
  ASSERT_TRUE(frame.ok() && frame->has_value());
  const Frame& picture = ***frame;
  for (int y = 0; y < picture.luma.height; ++y) {
    for (int x = picture.luma.width / 2 + 2; x < picture.luma.width; ++x) {
      ASSERT_LE(picture.luma.row(y)[x], kBlack) << x << "," << y;
    }
  }
  const int half = picture.colour->width() / 2;
  const PixelRect masked{half + 4, 0, half - 4, picture.colour->height()};
  EXPECT_FALSE(AnyBright(picture.colour->Render(masked, 200, 200)));
  EXPECT_TRUE(AnyBright(picture.colour->Render({0, 0, half - 4, masked.height}, 200, 200)))
      << "the other half must show, or the test proves nothing";
  const auto jpeg = SnapshotJpeg(picture, {});
  ASSERT_TRUE(jpeg.ok()) << jpeg.status();
  const cv::Mat shown =
      cv::imdecode(std::vector<uint8_t>(jpeg->begin(), jpeg->end()), cv::IMREAD_GRAYSCALE);
  ASSERT_FALSE(shown.empty());
  double brightest = 0;
  // Below the lower edge's label strip nothing is asserted; compression blurs the mask's border by
  // a block.
  const cv::Rect inside(shown.cols / 2 + 16, 0, shown.cols / 2 - 16, shown.rows * 9 / 10);
  cv::minMaxLoc(shown(inside), nullptr, &brightest);
  EXPECT_LE(brightest, 2 * kBlack);
}

}  // namespace
}  // namespace cordon
