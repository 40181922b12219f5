// SPDX-License-Identifier: Apache-2.0
// Each layout is proved by the way back: a box is written into the outputs by the layout's formula,
// the decoder must find it.
#include "analytics/dnn_decode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace cordon {
namespace {

constexpr InputSize kSize{128, 96};
constexpr int kClasses = 3;

proto::ModelCard Card(proto::ModelCard::Layout layout,
                      std::vector<uint32_t> strides = {8, 16, 32}) {
  proto::ModelCard card;
  card.set_name("test-net");
  card.set_layout(layout);
  card.set_least_score(0.3);
  for (const char* name : {"person", "car", "dog"}) card.add_classes(name);
  for (const uint32_t stride : strides) card.add_strides(stride);
  return card;
}

Tensor Zeros(std::vector<int> shape) {
  size_t total = 1;
  for (const int length : shape) total *= static_cast<size_t>(length);
  return {std::move(shape), std::vector<float>(total, 0.0F)};
}

void ExpectOne(const absl::StatusOr<std::vector<RawBox>>& boxes, float score) {
  ASSERT_TRUE(boxes.ok()) << boxes.status();
  ASSERT_EQ(boxes->size(), 1U);
  const RawBox& box = boxes->front();
  EXPECT_NEAR(box.left, 40, 0.01);
  EXPECT_NEAR(box.top, 20, 0.01);
  EXPECT_NEAR(box.width, 24, 0.01);
  EXPECT_NEAR(box.height, 48, 0.01);
  EXPECT_EQ(box.class_index, 1);
  EXPECT_NEAR(box.score, score, 1e-5);
}

// The box 40,20 24x48 has its centre at (52,44): in the stride-16 grid (8 columns) cell x 3, y 2.
TEST(DecodeOutputs, YoloxHeads) {
  std::vector<Tensor> outputs = {Zeros({1, 8, 12, 16}), Zeros({1, 8, 6, 8}), Zeros({1, 8, 3, 4})};
  auto set = [&](int channel, float value) {
    outputs[1].values[static_cast<size_t>(channel * 48 + 2 * 8 + 3)] = value;
  };
  set(0, 52.0F / 16 - 3);
  set(1, 44.0F / 16 - 2);
  set(2, std::log(24.0F / 16));
  set(3, std::log(48.0F / 16));
  set(4, 0.8F);
  set(6, 0.9F);
  const auto card = Card(proto::ModelCard::LAYOUT_YOLOX);
  ExpectOne(DecodeOutputs(card, outputs, kSize, 0, 1), 0.72F);
}

TEST(DecodeOutputs, YoloxRowsAndThePictureOfABatch) {
  const int rows = 192 + 48 + 12;
  Tensor output = Zeros({2, rows, 8});
  float* row = output.values.data() + (rows + 192 + 2 * 8 + 3) * 8;
  const float x = 52.0F / 16 - 3;
  const float y = 44.0F / 16 - 2;
  const float values[] = {x, y, std::log(1.5F), std::log(3.0F), 0.8F, 0, 0.9F, 0};
  std::copy(std::begin(values), std::end(values), row);
  const auto card = Card(proto::ModelCard::LAYOUT_YOLOX);
  ExpectOne(DecodeOutputs(card, std::vector{output}, kSize, 1, 2), 0.72F);
  EXPECT_TRUE(DecodeOutputs(card, std::vector{output}, kSize, 0, 2)->empty());
}

TEST(DecodeOutputs, Yolov5AndYolov8) {
  Tensor five = Zeros({1, 10, 8});
  const float row[] = {52, 44, 24, 48, 0.8F, 0, 0.9F, 0};
  std::copy(std::begin(row), std::end(row), five.values.begin() + 4 * 8);
  ExpectOne(DecodeOutputs(Card(proto::ModelCard::LAYOUT_YOLOV5), std::vector{five}, kSize, 0, 1),
            0.72F);
  Tensor eight = Zeros({1, 7, 10});
  const float column[] = {52, 44, 24, 48, 0, 0.7F, 0};
  for (size_t c = 0; c < 7; ++c) eight.values[c * 10 + 4] = column[c];
  ExpectOne(DecodeOutputs(Card(proto::ModelCard::LAYOUT_YOLOV8), std::vector{eight}, kSize, 0, 1),
            0.7F);
}

// Logits that put all weight between two neighbouring bins, so that the mean is `value`.
void SetDistribution(float* bins, float value) {
  for (int b = 0; b < 8; ++b) bins[b] = -40;
  const int low = static_cast<int>(value);
  const float part = value - static_cast<float>(low);
  bins[low] = std::log(1 - part);
  if (part > 0) bins[low + 1] = std::log(part);
}

// Distances to the four sides from a point, in strides of 16.
void SetSides(float* sides, float x, float y) {
  const float distance[] = {x - 40, y - 20, 64 - x, 68 - y};
  for (int k = 0; k < 4; ++k) SetDistribution(sides + 8 * k, distance[k] / 16);
}

TEST(DecodeOutputs, PicodetMeasuresFromTheCellsCentre) {
  std::vector<Tensor> outputs = {Zeros({1, 48, 32}), Zeros({1, 192, 3}),  Zeros({1, 48, 3}),
                                 Zeros({1, 12, 3}),  Zeros({1, 192, 32}), Zeros({1, 12, 32})};
  const size_t cell = 2 * 8 + 3;
  outputs[2].values[cell * 3 + 1] = 0.7F;
  SetSides(outputs[0].values.data() + cell * 32, 3.5F * 16, 2.5F * 16);
  ExpectOne(DecodeOutputs(Card(proto::ModelCard::LAYOUT_PICODET), outputs, kSize, 0, 1), 0.7F);
}

TEST(DecodeOutputs, NanodetMeasuresFromTheCellsMiddlePixel) {
  Tensor output = Zeros({1, 192 + 48 + 12, 35});
  float* row = output.values.data() + (192 + 2 * 8 + 3) * 35;
  row[1] = 0.7F;
  SetSides(row + 3, 3 * 16 + 7.5F, 2 * 16 + 7.5F);
  ExpectOne(DecodeOutputs(Card(proto::ModelCard::LAYOUT_NANODET), std::vector{output}, kSize, 0, 1),
            0.7F);
}

TEST(DecodeOutputs, FastestDet) {
  Tensor output = Zeros({1, 8, 6, 8});
  const size_t cell = 2 * 8 + 3;
  const float values[] = {0.8F,
                          std::atanh(52.0F / 16 - 3),
                          std::atanh(44.0F / 16 - 2),
                          -std::log(128.0F / 24 - 1),
                          -std::log(96.0F / 48 - 1),
                          0,
                          0.9F,
                          0};
  for (size_t c = 0; c < 8; ++c) output.values[c * 48 + cell] = values[c];
  ExpectOne(
      DecodeOutputs(Card(proto::ModelCard::LAYOUT_FASTESTDET), std::vector{output}, kSize, 0, 1),
      0.72F);
}

TEST(DecodeOutputs, SsdLeavesTheBackgroundOut) {
  Tensor output = Zeros({1, 1, 2, 7});
  output.values = {0, 2, 0.7F, 40.0F / 128, 20.0F / 96, 64.0F / 128, 68.0F / 96,
                   0, 0, 0.9F, 0,           0,          1,           1};
  ExpectOne(DecodeOutputs(Card(proto::ModelCard::LAYOUT_SSD), std::vector{output}, kSize, 0, 1),
            0.7F);
}

TEST(DecodeOutputs, DarknetClassesAreMultipliedAlready) {
  std::vector<Tensor> outputs = {Zeros({20, 8}), Zeros({80, 8})};
  const float row[] = {52.0F / 128, 44.0F / 96, 24.0F / 128, 48.0F / 96, 0.8F, 0, 0.7F, 0};
  std::copy(std::begin(row), std::end(row), outputs[1].values.begin() + 8 * 8);
  ExpectOne(DecodeOutputs(Card(proto::ModelCard::LAYOUT_DARKNET), outputs, kSize, 0, 1), 0.7F);
}

TEST(DecodeOutputs, WrongShapesAreNamedNotRead) {
  const auto boxes = DecodeOutputs(Card(proto::ModelCard::LAYOUT_YOLOX),
                                   std::vector{Zeros({1, 100, 8})}, kSize, 0, 1);
  EXPECT_EQ(boxes.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(boxes.status().message()), ::testing::HasSubstr("[1,100,8]"));
  for (int layout = 1; layout <= 8; ++layout) {
    const auto card = Card(static_cast<proto::ModelCard::Layout>(layout));
    for (const auto& shape : {std::vector<int>{}, {7}, {1, 3}, {2, 2, 2, 2, 2}, {3, 4, 7}}) {
      EXPECT_FALSE(DecodeOutputs(card, std::vector{Zeros(shape)}, kSize, 0, 1).ok()) << layout;
    }
  }
}

TEST(DecodeOutputs, NumbersThatAreNoneGiveNoBox) {
  Tensor output = Zeros({1, 10, 8});
  for (float& value : output.values) value = std::nanf("");
  EXPECT_TRUE(DecodeOutputs(Card(proto::ModelCard::LAYOUT_YOLOV5), std::vector{output}, kSize, 0, 1)
                  ->empty());
}

TEST(SuppressDuplicates, KeepsTheStrongerOfOneClass) {
  const auto kept = SuppressDuplicates({{0, 0, 10, 10, 0, 0.5F},
                                        {1, 0, 10, 10, 0, 0.9F},
                                        {0, 0, 10, 10, 1, 0.4F},
                                        {30, 0, 10, 10, 0, 0.3F}},
                                       0.5F);
  ASSERT_EQ(kept.size(), 3U);
  EXPECT_FLOAT_EQ(kept[0].score, 0.9F);
}

}  // namespace
}  // namespace cordon
