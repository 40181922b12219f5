// SPDX-License-Identifier: Apache-2.0
// One picture as the tamper watch sees it: structure, focus and light, cell by cell.
#pragma once

#include <cstddef>
#include <vector>

#include "ingest/frame.h"

namespace cordon {

// Small enough to be compared with every frame. Cells lie row by row, kTamperCells across.
struct TamperLook {
  int width = 0;   // of `detail`
  int height = 0;
  int cell_rows = 0;
  std::vector<float> detail;  // the small picture less its surroundings: edges and texture
  std::vector<float> coarse;  // the picture as seen from afar, kTamperCoarse wide
  std::vector<float> fine;    // by cell: contrast of the finest structure, noise taken off, squared
  std::vector<float> broad;   // by cell: contrast six times as coarse, squared
  std::vector<float> light;   // by cell: mean grey level
  double noise = 0;           // the fine contrast that every cell has, squared: noise and grain
  double mean = 0;            // grey level
  double spread = 0;          // standard deviation
  double white = 0;           // share of saturated pixels
};

inline constexpr int kTamperCells = 16;
inline constexpr int kTamperCoarse = 24;

TamperLook LookAtPicture(const LumaPicture& luma);

// In pixels of the small picture.
struct TamperShift {
  int x = 0;
  int y = 0;
};
inline constexpr int kTamperDrift = 2;  // a picture shifted further is another view

// What is left of the scene in a picture. Cells without structure of their own (a bare wall, a
// night) say nothing and are left out.
struct TamperLikeness {
  int informative = 0;     // cells that have structure
  double kept = 1;         // share of them whose structure is still there
  double hidden = 0;       // ... is gone and whose brightness is another: something is before it
  double amplitude = 1;    // of the structure that is still there, against the scene's
  double structure = 1;    // contrast of the cells that lost theirs, against the scene's: of a cover
                           // little, of another view as much as ever
  double detail = 1;       // how much of the scene's structure is there, all cells together
  double energy = 1;       // how much structure is there at all, the scene's or another
  int focused = 0;         // cells that can tell sharp from blurred
  double blurred = 0;      // share of them that lost their fine contrast but not their broad one
  double correlation = 1;  // as seen from afar, -1..1
  double contrast = 1;     // ... against the scene's
  TamperShift shift;       // the structure was compared with the picture at this shift
};

// The slowly learnt look of the scene.
class TamperScene {
 public:
  void Start(const TamperLook& look);
  bool Fits(const TamperLook& look) const;  // same size
  TamperLikeness Compare(const TamperLook& look) const;
  // `rate`: share that is taken over from this picture, 0..1. What is hidden in a cell just now is
  // learnt more slowly.
  void Learn(const TamperLook& look, double rate);
  // The camera has drifted: the scene goes with it.
  void Follow(TamperShift shift);
  const TamperLook& look() const { return scene_; }

 private:
  struct Cell {
    double now = 0, scene = 0, product = 0;  // of detail, summed
  };
  static void CompareFromAfar(const TamperLook& scene, const TamperLook& look,
                              TamperLikeness& result);
  std::vector<Cell> CellsOf(const TamperLook& look, TamperShift shift) const;
  TamperShift BestShift(const TamperLook& look) const;
  TamperLikeness CompareAt(const TamperLook& look, TamperShift shift) const;
  bool Informative(size_t cell, double scene_energy) const;

  TamperLook scene_;
  std::vector<double> restless_;  // by cell: how much its detail differs from picture to picture
  int pixels_a_cell_ = 1;
};

}  // namespace cordon
