// SPDX-License-Identifier: Apache-2.0
#include "analytics/classifier.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>

namespace cordon {
namespace {

// The people detector's window, and the height of a person in it.
constexpr int kWindowWidth = 64;
constexpr int kWindowHeight = 128;
constexpr float kPersonHeight = 96.0F;
// Below this a region holds too few pixels for gradients.
constexpr float kLeastHeight = 16.0F;
constexpr float kUnknownGradient = -3.0F;

struct Features {
  float gradient = kUnknownGradient;
  float slender = 1;
  float fill = 0;
};

// Log-odds of a person against a vehicle.
float Evidence(const Features& f) {
  constexpr float kSlopeChange = 1.6F;
  const float gradient = std::clamp(f.gradient, -6.0F, 3.0F);
  const float slender = std::min(f.slender, 4.0F);
  return 0.14F + 0.83F * gradient + 3.11F * std::min(slender, kSlopeChange) +
         3.08F * std::max(0.0F, slender - kSlopeChange) - 2.66F * f.fill - 3.35F * f.fill * f.fill;
}

float Logistic(float x) { return 1 / (1 + std::exp(-x)); }

// Between the two lies what is neither clearly: groups, animals, shadows, doors.
constexpr float kPersonFrom = 0.0F;
constexpr float kVehicleTo = -2.0F;
constexpr float kVehicleMiddle = -2.5F;
constexpr float kVehicleFill = 0.45F;  // vehicles move as a whole

Classification Name(const Features& f) {
  const float evidence = Evidence(f);
  if (evidence >= kPersonFrom) return {kPerson, Logistic(evidence)};
  if (evidence <= kVehicleTo && f.fill >= kVehicleFill) {
    return {kVehicle, Logistic(kVehicleMiddle - evidence)};
  }
  return {kOther, Logistic(-std::abs(evidence + 1))};
}

class ShapeClassifier final : public RegionClassifier {
 public:
  ShapeClassifier() : weights_(cv::HOGDescriptor::getDefaultPeopleDetector()) {}

  std::vector<Classification> Classify(const Frame& frame,
                                       std::span<const MovingRegion> regions) const override {
    // The header is only read.
    const cv::Mat luma(frame.luma.height, frame.luma.width, CV_8U,
                       const_cast<uint8_t*>(frame.luma.pixels.data()));
    std::vector<Classification> names;
    names.reserve(regions.size());
    for (const MovingRegion& region : regions) {
      Features features;
      const float width = region.box.width * static_cast<float>(luma.cols);
      const float height = region.box.height * static_cast<float>(luma.rows);
      features.slender = height / std::max(width, 1.0F);
      features.fill = region.fill;
      if (height >= kLeastHeight) features.gradient = Gradient(luma, region.box);
      names.push_back(Name(features));
    }
    return names;
  }

  const std::string& name() const override {
    static const std::string kName = "builtin";
    return kName;
  }

 private:
  // The people detector's score for one window whose person would fill the region's height.
  float Gradient(const cv::Mat& luma, const PictureBox& box) const {
    try {
      const float scale = kPersonHeight / (box.height * static_cast<float>(luma.rows));
      const PicturePoint centre = box.centre();
      const float x = centre.x * static_cast<float>(luma.cols);
      const float y = centre.y * static_cast<float>(luma.rows);
      const cv::Matx23f to_window(scale, 0, kWindowWidth / 2.0F - x * scale, 0, scale,
                                  kWindowHeight / 2.0F - y * scale);
      cv::Mat window;
      cv::warpAffine(luma, window, to_window, {kWindowWidth, kWindowHeight}, cv::INTER_LINEAR,
                     cv::BORDER_REPLICATE);
      std::vector<float> histograms;
      hog_.compute(window, histograms);
      return std::inner_product(histograms.begin(), histograms.end(), weights_.begin(),
                                weights_.back());
    } catch (const cv::Exception&) {
      return kUnknownGradient;
    }
  }

  const cv::HOGDescriptor hog_;
  const std::vector<float> weights_;  // one for each number of the histograms, and the offset
};

}  // namespace

std::shared_ptr<const RegionClassifier> MakeShapeClassifier() {
  return std::make_shared<ShapeClassifier>();
}

}  // namespace cordon
