// SPDX-License-Identifier: Apache-2.0
#include "analytics/picture_change.h"

#include <algorithm>

namespace cordon {
namespace {

constexpr Microseconds kLookEvery = Seconds(60);
constexpr int kWidth = 32;
constexpr int kHeight = 18;
// Mean difference of a pixel's strongest and weakest colour: a grey picture has only coding noise.
constexpr int kLeastColour = 5;

bool IsGrey(const ColourSource& colour) {
  const BgrPicture picture =
      colour.Render({0, 0, colour.width(), colour.height()}, kWidth, kHeight);
  int sum = 0;
  for (size_t i = 0; i + 2 < picture.pixels.size(); i += 3) {
    const auto [least, most] =
        std::minmax({picture.pixels[i], picture.pixels[i + 1], picture.pixels[i + 2]});
    sum += most - least;
  }
  return sum < kLeastColour * picture.width * picture.height;
}

}  // namespace

const char* PictureChangeName(PictureChange change) {
  switch (change) {
    case PictureChange::kLight:
      return "light";
    case PictureChange::kInfraRed:
      return "infra-red";
    case PictureChange::kUnexplained:
      return "unexplained";
    case PictureChange::kNone:
      break;
  }
  return "none";
}

bool InfraRedWatch::Switched(const Frame& frame, bool changed) {
  if (frame.colour == nullptr) return false;
  const MediaTime now = frame.times.media;
  if (!changed && grey_ && now - looked_ < kLookEvery && now >= looked_) return false;
  const std::optional<bool> before = grey_;
  grey_ = IsGrey(*frame.colour);
  looked_ = now;
  return changed && before && *before != *grey_;
}

}  // namespace cordon
