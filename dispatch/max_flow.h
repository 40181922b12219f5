// SPDX-License-Identifier: Apache-2.0
// Maximum flow between two vertices of a small directed network (Dinic's algorithm, breadth-first
// levels and blocking flows; O(V^2 E), near-linear for the unit capacities of a cordon). Integer
// capacities; kUnlimited is never saturated.
//
// Use: construct, AddArc..., Solve once, then read the cut. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cordon {

class MaxFlow {
 public:
  using Vertex = int32_t;
  static constexpr int32_t kUnlimited = 1 << 29;

  // `arcs` is a guess, to save growing.
  explicit MaxFlow(int32_t vertices, size_t arcs = 0);

  // An arc and, for undirected use, its twin of capacity `back`. Returns the arc's index.
  int32_t AddArc(Vertex from, Vertex to, int32_t capacity, int32_t back = 0);

  // Pushes flow until it is maximal or exceeds `limit`; returns the flow pushed (at most limit + 1
  // when unit capacities are met one by one, possibly more). A flow above `limit` means: the
  // minimum cut is larger than `limit`.
  int32_t Solve(Vertex source, Vertex sink, int32_t limit = kUnlimited);

  // Capacities may be raised after a Solve; Continue pushes what is possible then, up to `limit`
  // more. Save and Restore keep a flow and its capacities, so that several raises can be tried from
  // one base.
  void Raise(int32_t arc, int32_t extra);
  int32_t Continue(int32_t limit = kUnlimited);
  struct Saved {
    std::vector<int32_t> residuals;
    std::vector<int32_t> capacities;
  };
  Saved Save() const;
  void Restore(const Saved& saved);

  // After a Solve that reached the maximum. The minimum cut nearest to the source: vertices that
  // the source still reaches.
  std::vector<bool> SourceSide() const;
  // The minimum cut nearest to the sink: vertices that can NOT reach the sink any more.
  std::vector<bool> SourceSideFarthest() const;

  int32_t Flow(int32_t arc) const;

 private:
  struct Arc {
    Vertex to;
    int32_t residual;
    int32_t capacity;
  };
  bool BuildLevels();
  int32_t Augment(int32_t limit);
  void BuildAdjacency();

  int32_t vertices_;
  Vertex source_ = 0;
  Vertex sink_ = 0;
  std::vector<Arc> arcs_;  // arc i and its twin i ^ 1
  std::vector<Vertex> tails_;
  std::vector<int32_t> first_;  // CSR over out_, per vertex
  std::vector<int32_t> out_;
  std::vector<int32_t> level_;
  std::vector<int32_t> cursor_;
  std::vector<Vertex> queue_;
};

}  // namespace cordon
