// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "analytics/detector.h"
#include "analytics/geometry.h"
#include "analytics/mask_pieces.h"
#include "analytics/size_prior.h"
#include "ingest/frame.h"

namespace cordon {

// One connected piece of foreground, before anything is known of it.
struct Blob {
  PixelRect rect;  // of the mask
  int area = 0;    // foreground pixels
  int piece = 0;   // its pixels: of RegionFinder's pieces
};

// Foreground mask -> regions that should be one object each. People who walk together make one
// blob: where a blob is larger than a person (by the learnt size prior) or several known objects
// are expected in it, person-sized boxes are fitted so that they explain its pixels, known objects
// first. Compact wide blobs (vehicles) stay whole, but for those that are as tall as a person and
// as wide as two.
//
// One thread at a time; deterministic.
class RegionFinder {
 public:
  // `mask`: 0 or 255. Blobs are valid until the next call; the smallest are dropped.
  const std::vector<Blob>& FindBlobs(const LumaPicture& mask);

  // Regions of the last FindBlobs, largest first. `expected`: boxes predicted by the tracker.
  // `is_vehicle` is asked about blobs that may be several people by their size: what it calls one
  // is split only where several were tracked into it or where it has the size of a pair.
  using IsVehicle = absl::FunctionRef<bool(const MovingRegion&)>;
  std::vector<MovingRegion> Split(const SizePrior& prior, std::span<const PictureBox> expected,
                                  IsVehicle is_vehicle);

  const std::vector<Blob>& blobs() const { return blobs_; }
  MovingRegion AsRegion(const Blob& blob) const;

 private:
  struct Template {
    int x = 0, y = 0, width = 0, height = 0;  // of the blob's window
  };
  bool IsLarge(const Blob& blob, const SizePrior& prior) const;
  bool NeedsSplit(const Blob& blob, const SizePrior& prior, size_t expected,
                  IsVehicle is_vehicle) const;
  void SplitBlob(const Blob& blob, const SizePrior& prior, std::span<const PictureBox> expected,
                 std::vector<MovingRegion>& regions);
  void LoadWindow(const Blob& blob);
  void RefreshIntegral();
  int FreshIn(const Template& t) const;
  int FreshBeside(const Template& t) const;
  bool FitNear(Template& t, int reach) const;
  bool FitAnywhere(const SizePrior& prior, Template& best) const;
  Template PersonSized(const PictureBox& box, const SizePrior& prior) const;
  void Explain(const Template& t);
  int ExpectedHeight(const SizePrior& prior, int foot_x, int foot_y) const;

  int width_ = 0;
  int height_ = 0;
  MaskPieces pieces_;
  std::vector<Blob> blobs_;
  // The window around the blob that is being split: 1 for its pixels that no box explains yet, and
  // their integral.
  PixelRect window_;
  std::vector<uint8_t> fresh_;
  std::vector<int> integral_;
};

}  // namespace cordon
