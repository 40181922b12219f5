// SPDX-License-Identifier: Apache-2.0
#include "analytics/model_card.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/sha256.h"
#include "tests/support/test_data.h"

namespace cordon {
namespace {

class ModelCardTest : public ::testing::Test {
 protected:
  // A card for a file with these bytes; `change` replaces one line's value, or adds a line.
  std::string Card(const std::string& key = "", const std::string& value = "") {
    std::ofstream(folder_.File("net.onnx")) << "weights";
    std::map<std::string, std::string> lines = {
        {"name", "test-net"},         {"license", "Apache-2.0"},        {"source", "made here"},
        {"model", "net.onnx"},        {"sha256", Sha256Hex("weights")}, {"format", "onnx"},
        {"layout", "yolox"},          {"input_width", "416"},           {"input_height", "416"},
        {"classes", "[person, car]"}, {"least_score", "0.2"},           {"confident_score", "0.5"}};
    if (!key.empty()) lines[key] = value;
    const std::string path = folder_.File("card.yaml");
    std::ofstream card(path);
    for (const auto& [name, text] : lines) {
      if (!text.empty()) card << name << ": " << text << "\n";
    }
    return path;
  }

  testing::TemporaryFolder folder_;
};

TEST_F(ModelCardTest, LoadsTheFileWhoseHashItNames) {
  const auto model = LoadModel(Card());
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->network, "weights");
  EXPECT_EQ(model->card.strides_size(), 3) << "defaults are filled in";
}

TEST_F(ModelCardTest, RefusesAFileThatDiffersFromItsHash) {
  const std::string card = Card();
  std::ofstream(folder_.File("net.onnx")) << "Weights";
  const auto model = LoadModel(card);
  EXPECT_EQ(model.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(model.status().message().find("SHA-256"), absl::string_view::npos);
}

TEST_F(ModelCardTest, NamesAMissingFileAndTheRemedy) {
  const auto model = LoadModel(Card("model", "absent.onnx"));
  EXPECT_EQ(model.status().code(), absl::StatusCode::kNotFound);
  EXPECT_NE(model.status().message().find("get-model"), absl::string_view::npos);
}

TEST_F(ModelCardTest, RefusesModelsOfFacesAndIdentities) {
  for (const auto& [key, value] :
       std::map<std::string, std::string>{{"name", "yunet-face"},
                                          {"classes", "[face]"},
                                          {"classes", "[person, Face mask]"},
                                          {"model", "person-reid.onnx"},
                                          {"source", "age and gender network"}}) {
    const auto card = ReadModelCard(Card(key, value));
    ASSERT_EQ(card.status().code(), absl::StatusCode::kInvalidArgument) << key << ": " << value;
  }
}

TEST_F(ModelCardTest, ObjectWordsThatContainForbiddenOnesAreFine) {
  EXPECT_FALSE(ForbiddenWord("surface, package, image, cabbage, huggingface.example/person"));
  EXPECT_EQ(ForbiddenWord("my_FACE.onnx"), "face");
}

TEST_F(ModelCardTest, RefusesContradictionsAndUnknownKeys) {
  EXPECT_FALSE(ReadModelCard(Card("confident_score", "0.1")).ok());
  EXPECT_FALSE(ReadModelCard(Card("format", "darknet")).ok()) << "no structure file";
  EXPECT_FALSE(ReadModelCard(Card("report", "[horse]")).ok());
  EXPECT_FALSE(ReadModelCard(Card("strides", "[32, 8]")).ok());
  EXPECT_FALSE(ReadModelCard(Card("sha256", "abc")).ok());
  EXPECT_FALSE(ReadModelCard(Card("licence", "MIT")).ok());
  EXPECT_FALSE(ReadModelCard(Card("license", "")).ok());
}

TEST_F(ModelCardTest, EveryCardOfTheRepositoryIsReadable) {
  const std::string folder = std::string(std::getenv("CORDON_SOURCE_DIR")) + "/deploy/models";
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".yaml") continue;
    const auto card = ReadModelCard(entry.path().string());
    EXPECT_TRUE(card.ok()) << card.status();
    ++count;
  }
  EXPECT_GE(count, 5);
}

}  // namespace
}  // namespace cordon
