// SPDX-License-Identifier: Apache-2.0
#include "tests/accuracy/staging.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <random>

#include "base/clock.h"
#include "ingest/clip_reader.h"
#include "proto/event.pb.h"

namespace cordon::accuracy {
namespace {

constexpr double kPi = 3.14159265358979323846;

cv::Mat View(LumaPicture& picture) {
  return {picture.height, picture.width, CV_8U, picture.pixels.data()};
}

// new = gain * old + offset, as an exposure changes a picture.
void Expose(LumaPicture& picture, double gain, double offset) {
  View(picture).convertTo(View(picture), CV_8U, gain, offset);
}

void Rain(LumaPicture& picture, int frame) {
  std::mt19937 random(static_cast<unsigned>(frame) * 7919U + 3U);
  cv::Mat view = View(picture);
  for (int i = 0; i < 120; ++i) {
    const auto x = static_cast<int>(random() % static_cast<unsigned>(picture.width));
    const auto y = static_cast<int>(random() % static_cast<unsigned>(picture.height));
    const int length = 6 + static_cast<int>(random() % 10U);
    const double brighter = 20 + static_cast<double>(random() % 40U);
    for (int k = 0; k < length && y + k < picture.height; ++k) {
      uint8_t& pixel = view.at<uint8_t>(y + k, std::min(picture.width - 1, x + k / 4));
      pixel = cv::saturate_cast<uint8_t>(pixel + brighter);
    }
  }
}

// The upper right quarter sways by up to three pixels, unevenly, as branches do.
void Sway(LumaPicture& picture, double t) {
  cv::Mat view = View(picture);
  const cv::Mat still = view.clone();
  for (int y = 0; y < picture.height / 2; ++y) {
    const double shift = 3 * std::sin(2 * kPi * t / 2.7 + y * 0.07) * std::sin(2 * kPi * t / 11.0);
    for (int x = picture.width / 2; x < picture.width; ++x) {
      const int from = std::clamp(x + static_cast<int>(std::lround(shift)), 0, picture.width - 1);
      view.at<uint8_t>(y, x) = still.at<uint8_t>(y, from);
    }
  }
}

void Shift(LumaPicture& picture, double dx, double dy, double degrees) {
  cv::Mat view = View(picture);
  const cv::Mat still = view.clone();
  cv::Mat turn = cv::getRotationMatrix2D({still.cols / 2.0F, still.rows / 2.0F}, degrees, 1);
  turn.at<double>(0, 2) += dx;
  turn.at<double>(1, 2) += dy;
  cv::warpAffine(still, view, turn, still.size(), cv::INTER_LINEAR, cv::BORDER_REFLECT);
}

double Ramp(double t, double begins, double lasts) {
  return std::clamp((t - begins) / lasts, 0.0, 1.0);
}

}  // namespace

void AddNoise(LumaPicture& picture, double deviation, int frame) {
  cv::RNG random(static_cast<uint64_t>(frame) * 2654435761ULL + 17);
  cv::Mat noise(picture.height, picture.width, CV_16S);
  random.fill(noise, cv::RNG::NORMAL, 0, deviation);
  cv::Mat view = View(picture);
  cv::add(view, noise, view, cv::noArray(), CV_8U);
}

absl::StatusOr<LumaPicture> PictureAt(const std::string& clip, double seconds) {
  ASSIGN_OR_RETURN(const auto reader, ClipReader::Open(clip, {}, SystemClock()));
  std::optional<MediaTime> first;
  while (true) {
    ASSIGN_OR_RETURN(const std::optional<FramePtr> frame, reader->NextFrame());
    if (!frame) return absl::OutOfRangeError(clip + ": shorter than asked for");
    if (!first) first = (*frame)->times.media;
    if (std::chrono::duration<double>((*frame)->times.media - *first).count() >= seconds) {
      return (*frame)->luma;
    }
  }
}

FramePtr FrameOf(LumaPicture picture, double seconds, int number) {
  auto frame = std::make_shared<Frame>();
  frame->camera = CameraId("staged");
  frame->number = static_cast<uint64_t>(number) + 1;
  frame->times.media = MediaFromMicros(static_cast<int64_t>(seconds * 1e6));
  frame->source_width = picture.width;
  frame->source_height = picture.height;
  frame->luma = std::move(picture);
  return frame;
}

std::vector<NamedCondition> HarmlessConditions() {
  return {
      {"camera noise, deviation 5", [](LumaPicture& p, double, int n) { AddNoise(p, 5, n); }},
      {"auto exposure: steps of 25 % every 15 s",
       [](LumaPicture& p, double t, int n) {
         Expose(p, static_cast<int>(t / 15) % 2 == 0 ? 1.0 : 0.8, 0);
         AddNoise(p, 2, n);
       }},
      {"light switched every 60 s, half as bright",
       [](LumaPicture& p, double t, int n) {
         if (static_cast<int>(t / 60) % 2 == 1) Expose(p, 0.5, 5);
         AddNoise(p, 2, n);
       }},
      {"clouds: brightness swings by 30 % in 20 s",
       [](LumaPicture& p, double t, int n) {
         Expose(p, 1 + 0.3 * std::sin(2 * kPi * t / 20), 0);
         AddNoise(p, 2, n);
       }},
      {"rain: 120 streaks a picture",
       [](LumaPicture& p, double, int n) {
         Rain(p, n);
         AddNoise(p, 3, n);
       }},
      {"branches sway by 3 pixels",
       [](LumaPicture& p, double t, int n) {
         Sway(p, t);
         AddNoise(p, 2, n);
       }},
  };
}

std::vector<Tampering> Tamperings(double begins) {
  return {
      {"covered within 1 s", proto::EVENT_KIND_TAMPER_COVERED,
       [begins](LumaPicture& p, double t, int n) {
         const int to = static_cast<int>(Ramp(t, begins, 1) * p.width);
         if (to > 0) View(p)(cv::Rect(0, 0, to, p.height)).setTo(35);
         AddNoise(p, 2, n);
       }},
      {"defocused within 1 s", proto::EVENT_KIND_TAMPER_DEFOCUSED,
       [begins](LumaPicture& p, double t, int n) {
         const double sigma = 9 * Ramp(t, begins, 1);
         if (sigma > 0.3) cv::GaussianBlur(View(p), View(p), {0, 0}, sigma);
         AddNoise(p, 2, n);
       }},
      {"turned by 8 degrees and shifted", proto::EVENT_KIND_TAMPER_MOVED,
       [begins](LumaPicture& p, double t, int n) {
         const double part = Ramp(t, begins, 0.5);
         if (part > 0) Shift(p, 60 * part, 15 * part, 8 * part);
         AddNoise(p, 2, n);
       }},
      {"black at once", proto::EVENT_KIND_TAMPER_BLACK,
       [begins](LumaPicture& p, double t, int n) {
         if (t >= begins) std::fill(p.pixels.begin(), p.pixels.end(), uint8_t{4});
         AddNoise(p, 1, n);
       }},
      {"dazzled at once", proto::EVENT_KIND_TAMPER_SUDDEN_LIGHT,
       [begins](LumaPicture& p, double t, int n) {
         if (t >= begins) Expose(p, 0.4, 170);
         AddNoise(p, 2, n);
       }},
      {"frozen", proto::EVENT_KIND_TAMPER_FROZEN,
       [begins](LumaPicture& p, double t, int n) { AddNoise(p, 2, t < begins ? n : -1); }},
  };
}

}  // namespace cordon::accuracy
