// SPDX-License-Identifier: Apache-2.0
// Maximum flow between two vertices of a directed network, by augmenting paths that are sought depth
// first, towards the sink and else towards vertices of high number: O(flow E), for cuts of a few
// dozen. Where vertices are numbered from the source outwards, a path is found in about its own
// length, and that there is none in what the source still reaches; no part of it looks at the whole
// network. Integer capacities; kUnlimited is never saturated.
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

  // Before Solve: an arc and, for undirected use, its twin of capacity `back`. Returns the arc's
  // index.
  int32_t AddArc(Vertex from, Vertex to, int32_t capacity, int32_t back = 0);

  // Pushes flow until it is maximal or exceeds `limit`; returns the flow pushed. A flow above `limit` means: the
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
  std::vector<uint8_t> SourceSide() const;
  // The minimum cut nearest to the sink: vertices that can NOT reach the sink any more.
  std::vector<uint8_t> SourceSideFarthest() const;

  int32_t Flow(int32_t arc) const;

 private:
  struct Arc {
    Vertex from;
    Vertex to;
    int32_t capacity;
    int32_t back;
  };
  void BuildAdjacency();
  int32_t Augment();
  int32_t PushAlongPath();

  int32_t vertices_;
  Vertex source_ = 0;
  Vertex sink_ = 0;
  std::vector<Arc> arcs_;
  std::vector<int32_t> place_;  // of an arc among the following
  // By vertex: the arcs that leave it and the twins of those that arrive.
  std::vector<int32_t> first_;
  std::vector<Vertex> to_;
  std::vector<int32_t> twin_;
  std::vector<int32_t> residual_;
  // Scratch of Augment.
  std::vector<uint32_t> seen_;  // by vertex: in which round
  uint32_t round_ = 0;
  std::vector<int32_t> cursor_;
  std::vector<int32_t> path_;
};

}  // namespace cordon
