// SPDX-License-Identifier: Apache-2.0
#include "ingest/snapshot.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

namespace cordon {
namespace {

const cv::Scalar kBoxColour(60, 200, 255);
const cv::Scalar kPathColour(255, 160, 40);
const cv::Scalar kZoneColour(80, 80, 255);
const cv::Scalar kTextColour(255, 255, 255);

class Canvas {
 public:
  explicit Canvas(cv::Mat& picture) : picture_(picture), stroke_(std::max(1, picture.cols / 480)) {}

  void Draw(const SnapshotOptions& options) {
    Outline(options.zone, kZoneColour, true);
    Outline(options.line, kZoneColour, false);
    Outline(options.path, kPathColour, false);
    if (!options.path.empty())
      cv::circle(picture_, At(options.path.back()), stroke_ * 3, kPathColour, cv::FILLED,
                 cv::LINE_AA);
    for (const SnapshotBox& box : options.boxes) Box(box);
    if (!options.label.empty()) Strip(options.label);
  }

 private:
  cv::Point At(const RelativePoint& p) const {
    return {static_cast<int>(std::lround(p.x * picture_.cols)),
            static_cast<int>(std::lround(p.y * picture_.rows))};
  }
  double FontScale() const { return std::clamp(picture_.cols / 1280.0, 0.35, 1.5) * 0.7; }

  void Outline(const std::vector<RelativePoint>& points, const cv::Scalar& colour, bool closed) {
    if (points.size() < 2) return;
    std::vector<cv::Point> pixels;
    for (const RelativePoint& p : points) pixels.push_back(At(p));
    cv::polylines(picture_, pixels, closed, colour, stroke_, cv::LINE_AA);
  }

  void Box(const SnapshotBox& box) {
    const cv::Point from = At({box.x, box.y});
    const cv::Point to = At({box.x + box.width, box.y + box.height});
    cv::rectangle(picture_, from, to, kBoxColour, stroke_ + 1, cv::LINE_AA);
    if (box.text.empty()) return;
    int base = 0;
    const cv::Size size =
        cv::getTextSize(box.text, cv::FONT_HERSHEY_SIMPLEX, FontScale(), stroke_, &base);
    const int top =
        from.y - size.height - base - 2 >= 0 ? from.y - size.height - base - 2 : from.y + 2;
    const int left = std::clamp(from.x, 0, std::max(0, picture_.cols - size.width - 4));
    cv::rectangle(picture_, {left, top}, {left + size.width + 4, top + size.height + base + 2},
                  {0, 0, 0}, cv::FILLED);
    cv::putText(picture_, box.text, {left + 2, top + size.height + 1}, cv::FONT_HERSHEY_SIMPLEX,
                FontScale(), kTextColour, stroke_, cv::LINE_AA);
  }

  void Strip(const std::string& text) {
    double scale = FontScale();
    int base = 0;
    cv::Size size = cv::getTextSize(text, cv::FONT_HERSHEY_SIMPLEX, scale, stroke_, &base);
    if (size.width > picture_.cols - 12) {
      scale *= static_cast<double>(picture_.cols - 12) / size.width;
      size = cv::getTextSize(text, cv::FONT_HERSHEY_SIMPLEX, scale, stroke_, &base);
    }
    const int height = size.height + base + 10;
    const cv::Rect area(0, std::max(0, picture_.rows - height), picture_.cols,
                        std::min(height, picture_.rows));
    picture_(area) *= 0.35;
    cv::putText(picture_, text, {6, picture_.rows - base - 4}, cv::FONT_HERSHEY_SIMPLEX, scale,
                kTextColour, stroke_, cv::LINE_AA);
  }

  cv::Mat& picture_;
  const int stroke_;
};

std::string Encode(const cv::Mat& picture, int quality) {
  std::vector<uint8_t> bytes;
  cv::imencode(".jpg", picture, bytes,
               {cv::IMWRITE_JPEG_QUALITY, quality, cv::IMWRITE_JPEG_OPTIMIZE, 1});
  return {bytes.begin(), bytes.end()};
}

std::string EncodeWithin(cv::Mat picture, size_t max_bytes) {
  while (true) {
    for (int quality : {85, 70, 55, 40}) {
      std::string jpeg = Encode(picture, quality);
      if (jpeg.size() <= max_bytes || picture.cols < 64) return jpeg;
    }
    cv::Mat smaller;
    cv::resize(picture, smaller, {}, 0.7, 0.7, cv::INTER_AREA);
    picture = smaller;
  }
}

}  // namespace

absl::StatusOr<std::string> SnapshotJpeg(const Frame& frame, const SnapshotOptions& options) {
  if (frame.colour == nullptr) return absl::InternalError("the frame has no colour picture");
  const int width = std::max(16, std::min(options.max_width, frame.source_width));
  const int height = std::max(
      16, static_cast<int>(std::lround(1.0 * frame.source_height * width / frame.source_width)));
  BgrPicture bgr =
      frame.colour->Render({0, 0, frame.source_width, frame.source_height}, width, height);
  if (bgr.pixels.empty()) return absl::InternalError("the picture cannot be converted");
  try {
    cv::Mat picture(bgr.height, bgr.width, CV_8UC3, bgr.pixels.data());
    Canvas(picture).Draw(options);
    return EncodeWithin(picture, options.max_bytes);
  } catch (const cv::Exception& error) {
    return absl::InternalError(fmt::format("cannot make the snapshot: {}", error.what()));
  }
}

}  // namespace cordon
