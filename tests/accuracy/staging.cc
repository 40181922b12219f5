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

double Uniform(std::mt19937& random, double from, double to) {
  return from + (to - from) * static_cast<double>(random() % 10'000U) / 10'000;
}

// Falling streaks; each frame has its own, as at 10 pictures a second a drop is seen once.
void Rain(LumaPicture& picture, int frame, unsigned seed, int streaks) {
  std::mt19937 random(static_cast<unsigned>(frame) * 7919U + 3U + seed * 104'729U);
  cv::Mat view = View(picture);
  for (int i = 0; i < streaks; ++i) {
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

// Flakes that fall slowly enough to be seen several times, each at its own pace and drift.
void Snow(LumaPicture& picture, double t, unsigned seed) {
  std::mt19937 random(seed * 65'537U + 11U);
  cv::Mat view = View(picture);
  for (int i = 0; i < 70; ++i) {
    const double x0 = Uniform(random, 0, picture.width);
    const double y0 = Uniform(random, 0, picture.height);
    const double pace = Uniform(random, 40, 140);  // pixels a second
    const double swing = Uniform(random, 2, 12);
    const double size = Uniform(random, 0.8, 2.8);
    const double y = std::fmod(y0 + pace * t, picture.height);
    const double x = std::fmod(x0 + 15 * t + swing * std::sin(t * pace / 30), picture.width);
    cv::circle(view, {static_cast<int>(x), static_cast<int>(y)}, static_cast<int>(size),
               cv::Scalar(225), cv::FILLED, cv::LINE_AA);
  }
}

// One part of the picture sways by up to some pixels, unevenly, as branches do.
void Sway(LumaPicture& picture, double t, const cv::Rect& part, double pixels, double period) {
  cv::Mat view = View(picture);
  const cv::Mat still = view.clone();
  for (int y = part.y; y < part.y + part.height; ++y) {
    const double shift =
        pixels * std::sin(2 * kPi * t / period + y * 0.07) * std::sin(2 * kPi * t / 11.0);
    for (int x = part.x; x < part.x + part.width; ++x) {
      const int from = std::clamp(x + static_cast<int>(std::lround(shift)), 0, picture.width - 1);
      view.at<uint8_t>(y, x) = still.at<uint8_t>(y, from);
    }
  }
}

// Insects near the lens of an infra-red camera: bright, out of focus, fast, erratic; one every few
// seconds, for a second or so.
void Insects(LumaPicture& picture, double t, unsigned seed) {
  cv::Mat view = View(picture);
  for (int slot = 0; slot < 3; ++slot) {
    const double period = 2.9 + 1.7 * slot;
    const int flight = static_cast<int>(t / period);
    std::mt19937 random(seed * 7'001U + static_cast<unsigned>(flight) * 31U +
                        static_cast<unsigned>(slot) * 1'009U);
    const double lasts = Uniform(random, 0.4, 1.6);
    const double s = t - flight * period;
    if (s > lasts) continue;
    const double angle = Uniform(random, 0, 2 * kPi);
    const double speed = Uniform(random, 0.15, 1.2) * picture.width;
    const double x = Uniform(random, 0.1, 0.9) * picture.width + std::cos(angle) * speed * s +
                     Uniform(random, 5, 35) * std::sin(s * Uniform(random, 4, 14));
    const double y = Uniform(random, 0.1, 0.9) * picture.height + std::sin(angle) * speed * s +
                     Uniform(random, 5, 35) * std::cos(s * Uniform(random, 4, 14));
    const cv::Size axes(static_cast<int>(Uniform(random, 2, 9)),
                        static_cast<int>(Uniform(random, 2, 14)));
    cv::ellipse(view, {static_cast<int>(x), static_cast<int>(y)}, axes, angle * 180 / kPi, 0, 360,
                cv::Scalar(Uniform(random, 170, 250)), cv::FILLED, cv::LINE_AA);
  }
}

// A cloud's shadow crosses: half as bright below it, with an edge 60 pixels wide.
void CloudShadow(LumaPicture& picture, double t) {
  const double front = std::fmod(t, 40.0) / 20 * (picture.width + 120) - 60;  // of 2 passes
  for (int y = 0; y < picture.height; ++y) {
    uint8_t* row = picture.pixels.data() + static_cast<ptrdiff_t>(y) * picture.width;
    for (int x = 0; x < picture.width; ++x) {
      const double behind = std::clamp((front - x - 0.3 * y) / 60 + 0.5, 0.0, 1.0);
      const double ahead =
          std::clamp((front - picture.width - 120 - x - 0.3 * y) / 60 + 0.5, 0.0, 1.0);
      row[x] = static_cast<uint8_t>(row[x] * (1 - 0.5 * (behind - ahead)));
    }
  }
}

// Small flakes in a strong wind: they cross the picture flat and fast.
void DrivenSnow(LumaPicture& picture, double t, unsigned seed) {
  std::mt19937 random(seed * 40'503U + 5U);
  cv::Mat view = View(picture);
  for (int i = 0; i < 160; ++i) {
    const double x0 = Uniform(random, 0, picture.width);
    const double y0 = Uniform(random, 0, picture.height);
    const double pace = Uniform(random, 90, 320);  // pixels a second
    const double fall = Uniform(random, 0.1, 0.5);
    const double x = std::fmod(x0 + pace * t, picture.width);
    const double y = std::fmod(y0 + fall * pace * t, picture.height);
    cv::circle(view, {static_cast<int>(x), static_cast<int>(y)},
               static_cast<int>(Uniform(random, 0.6, 2.2)), cv::Scalar(210), cv::FILLED,
               cv::LINE_AA);
  }
}

// The light of a car outside the picture goes over the ground: a soft cone, twice as bright.
void Headlights(LumaPicture& picture, double t) {
  const double s = std::fmod(t, 15.0) / 4;  // of a pass, then dark
  if (s > 1) return;
  const double x0 = (1.4 * s - 0.2) * picture.width;
  const double y0 = 0.7 * picture.height;
  for (int y = picture.height / 3; y < picture.height; ++y) {
    uint8_t* row = picture.pixels.data() + static_cast<ptrdiff_t>(y) * picture.width;
    for (int x = 0; x < picture.width; ++x) {
      const double dx = (x - x0) / (0.12 * picture.width);
      const double dy = (y - y0) / (0.16 * picture.height);
      row[x] = cv::saturate_cast<uint8_t>(row[x] * (1 + std::exp(-(dx * dx + dy * dy))));
    }
  }
}

// Ripples run through the lower third as through a puddle.
void Ripples(LumaPicture& picture, double t) {
  cv::Mat view = View(picture);
  const cv::Mat still = view.clone();
  for (int y = 2 * picture.height / 3; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) {
      const double wave = std::sin(0.35 * y - 4 * t) + std::sin(0.21 * y + 0.13 * x - 2.3 * t);
      const int from = std::clamp(y + static_cast<int>(std::lround(1.3 * wave)), 0,
                                  picture.height - 1);
      view.at<uint8_t>(y, x) = still.at<uint8_t>(from, x);
    }
  }
}

// Lamps on mains and a short exposure: bright and dark bands roll through the picture.
void Bands(LumaPicture& picture, double t) {
  for (int y = 0; y < picture.height; ++y) {
    const double gain = 1 + 0.12 * std::sin(2 * kPi * (y / (0.6 * picture.height) - 0.8 * t));
    uint8_t* row = picture.pixels.data() + static_cast<ptrdiff_t>(y) * picture.width;
    for (int x = 0; x < picture.width; ++x) row[x] = cv::saturate_cast<uint8_t>(row[x] * gain);
  }
}

// Infra-red light: dark things (leaves, clothes) turn bright, the middle of the picture is lit, the
// rim is not.
void InfraRed(LumaPicture& picture) {
  for (int y = 0; y < picture.height; ++y) {
    uint8_t* row = picture.pixels.data() + static_cast<ptrdiff_t>(y) * picture.width;
    for (int x = 0; x < picture.width; ++x) {
      const double dx = 2.0 * x / picture.width - 1;
      const double dy = 2.0 * y / picture.height - 1;
      const double lit = std::exp(-0.9 * (dx * dx + dy * dy));
      row[x] = cv::saturate_cast<uint8_t>(20 + lit * 150 * std::pow(row[x] / 255.0, 0.6));
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

// A glare of light that spreads from a point and veils the rest.
void Torch(LumaPicture& picture) {
  for (int y = 0; y < picture.height; ++y) {
    uint8_t* row = picture.pixels.data() + static_cast<ptrdiff_t>(y) * picture.width;
    for (int x = 0; x < picture.width; ++x) {
      const double dx = (x - 0.6 * picture.width) / picture.width;
      const double dy = (y - 0.4 * picture.height) / picture.width;
      const double glare = 330 * std::exp(-6 * (dx * dx + dy * dy));
      row[x] = cv::saturate_cast<uint8_t>(0.5 * row[x] + 40 + glare);
    }
  }
}

absl::StatusOr<std::vector<LumaPicture>> SampledPictures(const std::string& clip, double every) {
  ASSIGN_OR_RETURN(const auto reader, ClipReader::Open(clip, {}, SystemClock()));
  std::vector<LumaPicture> pictures;
  std::optional<MediaTime> next;
  while (true) {
    const auto frame = reader->NextFrame();
    if (!frame.ok() || !*frame) break;
    const MediaTime now = (**frame)->times.media;
    if (next && now < *next) continue;
    next = now + Microseconds(static_cast<int64_t>(every * 1e6));
    pictures.push_back((**frame)->luma);
  }
  if (pictures.empty()) return absl::DataLossError(clip + ": no picture");
  return pictures;
}

absl::StatusOr<LumaPicture> MedianOf(const std::string& clip) {
  ASSIGN_OR_RETURN(const std::vector<LumaPicture> pictures, SampledPictures(clip, 0.8));
  LumaPicture median = pictures[0];
  std::vector<uint8_t> values(pictures.size());
  for (size_t i = 0; i < median.pixels.size(); ++i) {
    for (size_t k = 0; k < pictures.size(); ++k) values[k] = pictures[k].pixels[i];
    std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2),
                     values.end());
    median.pixels[i] = values[values.size() / 2];
  }
  return median;
}

}  // namespace

const std::vector<EmptyScene>& EmptyScenes() {
  static const std::vector<EmptyScene> scenes = {
      {"car park from above", "intel-car-detection.mp4", 0.5, false},
      {"car park", "intel-person-bicycle-car-detection.mp4", 14.0, false},
      {"lawn and trees", "vtest.avi", -1, false},
      {"infra-red gate", "ir-night-person.mp4", -1, true},
      {"corridor", "intel-one-by-one-person-detection.mp4", -1, true},
      {"motorway", "bgs-video02.avi", -1, true},
      {"motorcycles", "tamper-Occlusion.mp4", 0.5, true},
      {"dark yard", "lowlight-person.mp4", -1, true, true},
  };
  return scenes;
}

absl::StatusOr<LumaPicture> PictureOf(const EmptyScene& scene, const std::string& clip) {
  if (scene.seconds < 0) return MedianOf(clip);
  ASSIGN_OR_RETURN(const auto reader, ClipReader::Open(clip, {}, SystemClock()));
  std::optional<MediaTime> first;
  while (true) {
    ASSIGN_OR_RETURN(const std::optional<FramePtr> frame, reader->NextFrame());
    if (!frame) return absl::OutOfRangeError(clip + ": shorter than asked for");
    if (!first) first = (*frame)->times.media;
    if (std::chrono::duration<double>((*frame)->times.media - *first).count() >= scene.seconds) {
      return (*frame)->luma;
    }
  }
}

void Brighten(LumaPicture& picture, double gain) { Expose(picture, gain, 0); }

// Taken from a bank at a random place: as good as fresh noise to the analysis and far cheaper.
void AddNoise(LumaPicture& picture, double deviation, int frame, unsigned seed) {
  constexpr int kUnit = 64;  // of the bank, per deviation
  static const cv::Mat bank = [] {
    cv::Mat noise(2048, 2048, CV_16S);
    cv::RNG random(2654435761ULL);
    random.fill(noise, cv::RNG::NORMAL, 0, kUnit);
    return noise;
  }();
  std::mt19937 random(static_cast<unsigned>(frame) * 2'654'435U + seed * 97U + 17U);
  const auto left = static_cast<int>(random() % static_cast<unsigned>(bank.cols - picture.width));
  const auto top = static_cast<int>(random() % static_cast<unsigned>(bank.rows - picture.height));
  const int scale = static_cast<int>(std::lround(deviation * 16));
  for (int y = 0; y < picture.height; ++y) {
    const int16_t* noise = bank.ptr<int16_t>(top + y) + left;
    uint8_t* row = picture.pixels.data() + static_cast<ptrdiff_t>(y) * picture.width;
    for (int x = 0; x < picture.width; ++x) {
      row[x] = static_cast<uint8_t>(std::clamp(row[x] + ((noise[x] * scale + 512) >> 10), 0, 255));
    }
  }
}

std::vector<NamedCondition> HarmlessConditions(unsigned seed, const std::string& part) {
  const auto with_noise = [seed](double deviation, std::function<void(LumaPicture&, double, int)> f) {
    return [seed, deviation, f = std::move(f)](LumaPicture& p, double t, int n) {
      if (f) f(p, t, n);
      AddNoise(p, deviation, n, seed);
    };
  };
  const auto corner = [](const LumaPicture& p) {
    return cv::Rect(p.width / 2, 0, p.width - p.width / 2, p.height / 2);
  };
  std::vector<NamedCondition> all = {
      {"camera noise, deviation 5", with_noise(5, nullptr)},
      {"auto exposure: steps of 25 % every 15 s", with_noise(2, [](LumaPicture& p, double t, int) {
         Expose(p, static_cast<int>(t / 15) % 2 == 0 ? 1.0 : 0.8, 0);
       })},
      {"light switched every 60 s, half as bright",
       with_noise(2, [](LumaPicture& p, double t, int) {
         if (static_cast<int>(t / 60) % 2 == 1) Expose(p, 0.5, 5);
       })},
      {"clouds: brightness swings by 30 % in 20 s",
       with_noise(2, [](LumaPicture& p, double t, int) {
         Expose(p, 1 + 0.3 * std::sin(2 * kPi * t / 20), 0);
       })},
      {"rain: 120 streaks a picture", with_noise(3, [seed](LumaPicture& p, double, int n) {
         Rain(p, n, seed, 120);
       })},
      {"branches sway by 3 pixels", with_noise(2, [corner](LumaPicture& p, double t, int) {
         Sway(p, t, corner(p), 3, 2.7);
       })},
      {"insects near the lens", with_noise(3, [seed](LumaPicture& p, double t, int) {
         Insects(p, t, seed);
       })},
      {"heavy rain: 400 streaks", with_noise(4, [seed](LumaPicture& p, double, int n) {
         Rain(p, n, seed, 400);
       })},
      {"snow: 70 flakes", with_noise(3, [seed](LumaPicture& p, double t, int) {
         Snow(p, t, seed);
       })},
      {"whole left half sways by 5 pixels", with_noise(2, [](LumaPicture& p, double t, int) {
         Sway(p, t, {0, 0, p.width / 2, p.height}, 5, 1.9);
       })},
      {"infra-red switched every 90 s", with_noise(4, [](LumaPicture& p, double t, int) {
         if (static_cast<int>(t / 90) % 2 == 1) InfraRed(p);
       })},
      {"a cloud's shadow crosses every 20 s", with_noise(2, [](LumaPicture& p, double t, int) {
         CloudShadow(p, t);
       })},
      {"lamp flickers at 0.7 Hz, 20 %", with_noise(2, [](LumaPicture& p, double t, int) {
         if (std::sin(2 * kPi * 0.7 * t) > 0.6) Expose(p, 0.8, 0);
       })},
      {"driven snow: 160 small flakes", with_noise(3, [seed](LumaPicture& p, double t, int) {
         DrivenSnow(p, t, seed);
       }), true},
      {"headlights sweep every 15 s", with_noise(3, [](LumaPicture& p, double t, int) {
         Headlights(p, t);
       }), true},
      {"ripples in the lower third", with_noise(2, [](LumaPicture& p, double t, int) {
         Ripples(p, t);
       }), true},
      {"bands of 12 % roll through", with_noise(3, [](LumaPicture& p, double t, int) {
         Bands(p, t);
       }), true},
  };
  std::erase_if(all, [&](const NamedCondition& condition) {
    return condition.name.find(part) == std::string::npos;
  });
  return all;
}

Condition DayAndNight(unsigned seed) {
  return [seed](LumaPicture& p, double t, int n) {
    const double sun = 0.5 - 0.5 * std::cos(2 * kPi * t / 86400);
    const bool lamps = sun < 0.2;
    Expose(p, std::max(0.12 + sun, lamps ? 0.45 : 0.0), 0);
    AddNoise(p, 2 + 4 * (1 - sun), n, seed);
  };
}

std::vector<Tampering> Tamperings(double begins) {
  const auto after = [begins](double deviation, std::function<void(LumaPicture&, double)> change) {
    return [begins, deviation, change = std::move(change)](LumaPicture& p, double t, int n) {
      if (t >= begins) change(p, t - begins);
      AddNoise(p, deviation, n);
    };
  };
  return {
      {"covered within 1 s", proto::EVENT_KIND_TAMPER_COVERED,
       after(2, [](LumaPicture& p, double s) {
         const int to = static_cast<int>(Ramp(s, 0, 1) * p.width);
         if (to > 0) View(p)(cv::Rect(0, 0, to, p.height)).setTo(35);
       })},
      {"defocused within 1 s", proto::EVENT_KIND_TAMPER_DEFOCUSED,
       after(2, [](LumaPicture& p, double s) {
         const double sigma = 9 * Ramp(s, 0, 1);
         if (sigma > 0.3) cv::GaussianBlur(View(p), View(p), {0, 0}, sigma);
       })},
      {"turned by 8 degrees and shifted", proto::EVENT_KIND_TAMPER_MOVED,
       after(2, [](LumaPicture& p, double s) {
         const double part = Ramp(s, 0, 0.5);
         Shift(p, 60 * part, 15 * part, 8 * part);
       })},
      {"black at once", proto::EVENT_KIND_TAMPER_BLACK,
       after(1, [](LumaPicture& p, double) {
         std::fill(p.pixels.begin(), p.pixels.end(), uint8_t{4});
       })},
      {"dazzled at once", proto::EVENT_KIND_TAMPER_SUDDEN_LIGHT,
       after(2, [](LumaPicture& p, double) { Expose(p, 0.4, 170); })},
      {"frozen", proto::EVENT_KIND_TAMPER_FROZEN,
       [begins](LumaPicture& p, double t, int n) { AddNoise(p, 2, t < begins ? n : -1); }},
      {"a bright, structured cover from above", proto::EVENT_KIND_TAMPER_COVERED,
       after(3, [](LumaPicture& p, double s) {
         const int to = static_cast<int>(Ramp(s, 0, 1.5) * p.height);
         for (int y = 0; y < to; ++y) {
           for (int x = 0; x < p.width; ++x) {
             p.pixels[static_cast<size_t>(y * p.width + x)] =
                 static_cast<uint8_t>(150 + 12 * std::sin(x * 0.05) * std::sin(y * 0.04));
           }
         }
       }), true},
      {"slightly out of focus", proto::EVENT_KIND_TAMPER_DEFOCUSED,
       after(2, [](LumaPicture& p, double) {
         cv::GaussianBlur(View(p), View(p), {0, 0}, 4);
       }), true},
      {"turned away: mirrored and tilted", proto::EVENT_KIND_TAMPER_MOVED,
       after(2, [](LumaPicture& p, double) {
         cv::flip(View(p), View(p), 1);
         Shift(p, 20, -40, -5);
       }), true},
      {"a torch shines in", proto::EVENT_KIND_TAMPER_SUDDEN_LIGHT,
       after(2, [](LumaPicture& p, double) { Torch(p); }), true},
  };
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

}  // namespace cordon::accuracy
