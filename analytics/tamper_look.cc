// SPDX-License-Identifier: Apache-2.0
#include "analytics/tamper_look.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "analytics/pixel_loops.h"

namespace cordon {
namespace {

constexpr int kSmallWidth = 160;
constexpr int kBroadWidth = 80;
constexpr int kSurroundings = 11;  // pixels of the small picture
constexpr float kSaturated = 248;
constexpr double kNoiseShare = 0.1;  // the calmest cells show what noise and grain alone do

// A cell has structure when its detail is this much stronger than what changes in it anyway.
constexpr double kStructureOverRest = 1.5;
constexpr double kLeastDetail = 1;  // grey levels; a codec keeps no finer texture
// Correlation from which a cell's structure is still there, and amplitude below which it is not,
// whatever its direction.
constexpr double kSameStructure = 0.5;
constexpr double kLeastAmplitude = 0.08;
constexpr double kOtherLight = 7;  // grey levels
// Kept less at its place: it may have drifted.
constexpr double kShiftedBelow = 0.8;
constexpr double kHiddenRate = 0.25;  // of the rate at which the rest is learnt
// Fine contrast stands out of the noise by this, squared.
constexpr double kFineOverNoise = 2;
constexpr double kLeastFine = 1.5;
constexpr double kBlurredTo = 0.3;  // of fine / broad, squared: 0.55 of the contrast
constexpr double kBroadStays = 0.1;

cv::Mat AsMat(const LumaPicture& luma) {
  return {luma.height, luma.width, CV_8UC1, const_cast<uint8_t*>(luma.pixels.data())};
}

int CellOf(int at, int size, int cells) { return std::min(cells - 1, at * cells / size); }

// Mean squared gradient by cell.
std::vector<float> Contrast(const cv::Mat& picture, int rows) {
  std::vector<float> sums(static_cast<size_t>(rows * kTamperCells), 0);
  std::vector<int> counts(sums.size(), 0);
  const int step = picture.rows > 2 * kBroadWidth ? 2 : 1;
  for (int y = 1; y + 1 < picture.rows; y += step) {
    const uint8_t* above = picture.ptr<uint8_t>(y - 1);
    const uint8_t* here = picture.ptr<uint8_t>(y);
    const uint8_t* below = picture.ptr<uint8_t>(y + 1);
    const int row = CellOf(y, picture.rows, rows) * kTamperCells;
    for (int c = 0; c < kTamperCells; ++c) {
      const int from = std::max(1, c * picture.cols / kTamperCells);
      const int to = std::min(picture.cols - 1, (c + 1) * picture.cols / kTamperCells);
      int sum = 0;
      for (int x = from; x < to; ++x) {
        const int gx = here[x + 1] - here[x - 1];
        const int gy = below[x] - above[x];
        sum += gx * gx + gy * gy;
      }
      sums[static_cast<size_t>(row + c)] += static_cast<float>(sum) / 4;
      counts[static_cast<size_t>(row + c)] += std::max(0, to - from);
    }
  }
  for (size_t i = 0; i < sums.size(); ++i) sums[i] /= static_cast<float>(std::max(1, counts[i]));
  return sums;
}

void SetFocus(const cv::Mat& picture, const cv::Mat& small, TamperLook& look) {
  cv::Mat broad;
  // OpenCV's own would wake its thread pool for each picture.
  cv::Mat smooth(picture.rows, picture.cols, CV_8UC1);
  BinomialBlur().Apply(picture.data, picture.cols, picture.rows, smooth.data);
  look.fine = Contrast(smooth, look.cell_rows);
  cv::resize(small, broad, {kBroadWidth, std::max(8, picture.rows * kBroadWidth / picture.cols)}, 0,
             0, cv::INTER_AREA);
  look.broad = Contrast(broad, look.cell_rows);
  std::vector<float> sorted = look.fine;
  const auto nth = sorted.begin() + static_cast<ptrdiff_t>(kNoiseShare * sorted.size());
  std::nth_element(sorted.begin(), nth, sorted.end());
  look.noise = *nth;
  for (float& value : look.fine) value = std::max(0.0F, value - static_cast<float>(look.noise));
}

}  // namespace

TamperLook LookAtPicture(const LumaPicture& luma) {
  TamperLook look;
  const cv::Mat picture = AsMat(luma);
  look.width = std::min(kSmallWidth, luma.width);
  look.height = std::max(8, luma.height * look.width / luma.width);
  look.cell_rows = std::clamp(kTamperCells * luma.height / luma.width, 4, 2 * kTamperCells);
  cv::Mat small, smooth, around, coarse, detail;
  cv::resize(picture, small, {look.width, look.height}, 0, 0, cv::INTER_AREA);
  small.convertTo(smooth, CV_32F);
  cv::boxFilter(smooth, around, CV_32F, {kSurroundings, kSurroundings});
  cv::GaussianBlur(smooth, smooth, {3, 3}, 0);
  detail = smooth - around;
  look.detail.assign(detail.begin<float>(), detail.end<float>());
  cv::resize(small, coarse, {kTamperCoarse, std::max(4, kTamperCoarse * look.height / look.width)},
             0, 0, cv::INTER_AREA);
  cv::Mat blurred(coarse.rows, coarse.cols, CV_8UC1);
  BinomialBlur().Apply(coarse.data, coarse.cols, coarse.rows, blurred.data);
  blurred.convertTo(coarse, CV_32F);
  look.coarse.assign(coarse.begin<float>(), coarse.end<float>());
  cv::Scalar mean, spread;
  cv::meanStdDev(small, mean, spread);
  look.mean = mean[0];
  look.spread = spread[0];
  look.white = static_cast<double>(cv::countNonZero(small >= kSaturated)) /
               static_cast<double>(small.total());
  cv::Mat cells;
  small.convertTo(cells, CV_32F);
  cv::resize(cells, cells, {kTamperCells, look.cell_rows}, 0, 0, cv::INTER_AREA);
  look.light.assign(cells.begin<float>(), cells.end<float>());
  SetFocus(picture, small, look);
  return look;
}

void TamperScene::Start(const TamperLook& look) {
  scene_ = look;
  restless_.assign(look.fine.size(), 0);
  pixels_a_cell_ = std::max(1, look.width * look.height / static_cast<int>(look.fine.size()));
}

bool TamperScene::Fits(const TamperLook& look) const {
  return scene_.width == look.width && scene_.height == look.height;
}

std::vector<TamperScene::Cell> TamperScene::CellsOf(const TamperLook& look,
                                                    TamperShift shift) const {
  std::vector<Cell> cells(look.fine.size());
  for (int y = std::max(0, -shift.y); y < look.height - std::max(0, shift.y); ++y) {
    const int row = CellOf(y, look.height, look.cell_rows) * kTamperCells;
    const float* now =
        look.detail.data() + static_cast<ptrdiff_t>(y + shift.y) * look.width + shift.x;
    const float* scene = scene_.detail.data() + static_cast<ptrdiff_t>(y) * look.width;
    for (int c = 0; c < kTamperCells; ++c) {
      float nn = 0, ss = 0, ns = 0;
      const int from = std::max(c * look.width / kTamperCells, -shift.x);
      const int to = std::min((c + 1) * look.width / kTamperCells, look.width - shift.x);
      for (int x = from; x < to; ++x) {
        nn += now[x] * now[x];
        ss += scene[x] * scene[x];
        ns += now[x] * scene[x];
      }
      Cell& cell = cells[static_cast<size_t>(row + c)];
      cell.now += nn;
      cell.scene += ss;
      cell.product += ns;
    }
  }
  return cells;
}

// The shift that makes most of the scene's structure agree, every second pixel of every second row.
TamperShift TamperScene::BestShift(const TamperLook& look) const {
  TamperShift best;
  double most = -1;
  for (int dy = -kTamperDrift; dy <= kTamperDrift; ++dy) {
    for (int dx = -kTamperDrift; dx <= kTamperDrift; ++dx) {
      double sum = 0;
      for (int y = kTamperDrift; y < look.height - kTamperDrift; y += 2) {
        const float* now = look.detail.data() + static_cast<ptrdiff_t>(y + dy) * look.width + dx;
        const float* scene = scene_.detail.data() + static_cast<ptrdiff_t>(y) * look.width;
        float line = 0;
        for (int x = kTamperDrift; x < look.width - kTamperDrift; x += 2) line += now[x] * scene[x];
        sum += line;
      }
      if (sum <= most) continue;
      most = sum;
      best = {dx, dy};
    }
  }
  return best;
}

void TamperScene::Follow(TamperShift shift) {
  const cv::Mat scene(scene_.height, scene_.width, CV_32F, scene_.detail.data());
  const cv::Mat old = scene.clone();
  const cv::Matx23f move(1, 0, static_cast<float>(shift.x), 0, 1, static_cast<float>(shift.y));
  cv::warpAffine(old, scene, move, scene.size(), cv::INTER_NEAREST, cv::BORDER_REPLICATE);
}

bool TamperScene::Informative(size_t cell, double scene_energy) const {
  return scene_energy > kLeastDetail * kLeastDetail * pixels_a_cell_ &&
         scene_energy > kStructureOverRest * restless_[cell];
}

TamperLikeness TamperScene::Compare(const TamperLook& look) const {
  TamperLikeness result = CompareAt(look, {});
  if (result.kept < kShiftedBelow) {
    const TamperShift shift = BestShift(look);
    if (shift.x != 0 || shift.y != 0) {
      const TamperLikeness shifted = CompareAt(look, shift);
      if (shifted.kept > result.kept) result = shifted;
    }
  }
  CompareFromAfar(scene_, look, result);
  return result;
}

TamperLikeness TamperScene::CompareAt(const TamperLook& look, TamperShift shift) const {
  TamperLikeness result;
  result.shift = shift;
  const std::vector<Cell> cells = CellsOf(look, shift);
  double kept = 0, hidden = 0, blurred = 0, product = 0, scene = 0;
  double kept_now = 0, lost_now = 0, lost_scene = 0, lost_product = 0;
  for (size_t i = 0; i < cells.size(); ++i) {
    const Cell& cell = cells[i];
    if (!Informative(i, cell.scene)) continue;
    ++result.informative;
    const bool there = cell.product > kSameStructure * std::sqrt(cell.now * cell.scene) &&
                       cell.product > kLeastAmplitude * cell.scene;
    if (there) {
      ++kept;
      product += cell.product;
      scene += cell.scene;
      kept_now += cell.now;
    } else {
      lost_now += cell.now;
      lost_scene += cell.scene;
      lost_product += cell.product;
      hidden += std::abs(look.light[i] - scene_.light[i]) > kOtherLight;
    }
    if (scene_.fine[i] < kFineOverNoise * scene_.noise || scene_.fine[i] < kLeastFine) continue;
    ++result.focused;
    // Both in one picture: light and contrast cancel out.
    blurred += look.broad[i] > kBroadStays * scene_.broad[i] &&
               look.fine[i] * scene_.broad[i] < kBlurredTo * scene_.fine[i] * look.broad[i];
  }
  if (result.informative > 0) {
    result.kept = kept / result.informative;
    result.hidden = hidden / result.informative;
    result.detail = (product + lost_product) / (scene + lost_scene);
    result.energy = std::sqrt((kept_now + lost_now) / (scene + lost_scene));
  }
  if (result.focused > 0) result.blurred = blurred / result.focused;
  if (scene > 0) result.amplitude = product / scene;
  if (lost_scene > 0) result.structure = std::sqrt(lost_now / lost_scene);
  return result;
}

void TamperScene::CompareFromAfar(const TamperLook& scene, const TamperLook& look,
                                  TamperLikeness& result) {
  double ss = 0, sn = 0, sss = 0, snn = 0, ssn = 0;
  for (size_t i = 0; i < scene.coarse.size(); ++i) {
    const double was = scene.coarse[i];
    const double is = look.coarse[i];
    ss += was;
    sn += is;
    sss += was * was;
    snn += is * is;
    ssn += was * is;
  }
  const auto n = static_cast<double>(scene.coarse.size());
  const double scene_variance = n * sss - ss * ss;
  const double variance = scene_variance * (n * snn - sn * sn);
  const double covariance = n * ssn - ss * sn;
  result.correlation = variance > 1e-3 ? covariance / std::sqrt(variance) : 0;
  result.contrast = scene_variance > 1e-3 ? covariance / scene_variance : 0;
}

void TamperScene::Learn(const TamperLook& look, double rate) {
  const std::vector<Cell> cells = CellsOf(look, {});
  std::vector<float> rates(cells.size());
  for (size_t i = 0; i < cells.size(); ++i) {
    const Cell& cell = cells[i];
    const bool hidden = Informative(i, cell.scene) &&
                        cell.product < kSameStructure * std::sqrt(cell.now * cell.scene);
    rates[i] = static_cast<float>(hidden ? kHiddenRate * rate : rate);
    // What the scene's structure, however bright, does not explain.
    const double rest = cell.scene > 0
                            ? std::max(0.0, cell.now - cell.product * cell.product / cell.scene)
                            : cell.now;
    restless_[i] += rates[i] * (rest - restless_[i]);
    scene_.fine[i] += rates[i] * (look.fine[i] - scene_.fine[i]);
    scene_.broad[i] += rates[i] * (look.broad[i] - scene_.broad[i]);
    scene_.light[i] += rates[i] * (look.light[i] - scene_.light[i]);
  }
  for (int y = 0; y < look.height; ++y) {
    const int row = CellOf(y, look.height, look.cell_rows) * kTamperCells;
    for (int c = 0; c < kTamperCells; ++c) {
      const float r = rates[static_cast<size_t>(row + c)];
      const int to = (c + 1) * look.width / kTamperCells;
      for (int x = c * look.width / kTamperCells; x < to; ++x) {
        const auto i = static_cast<size_t>(y * look.width + x);
        scene_.detail[i] += r * (look.detail[i] - scene_.detail[i]);
      }
    }
  }
  const auto blend = [rate](auto& into, double now) {
    into = static_cast<std::decay_t<decltype(into)>>(into + rate * (now - into));
  };
  for (size_t i = 0; i < look.coarse.size(); ++i) blend(scene_.coarse[i], look.coarse[i]);
  blend(scene_.mean, look.mean);
  blend(scene_.spread, look.spread);
  blend(scene_.white, look.white);
  blend(scene_.noise, look.noise);
}

}  // namespace cordon
