// SPDX-License-Identifier: Apache-2.0
#include "dispatch/max_flow.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "base/check.h"

namespace cordon {

MaxFlow::MaxFlow(int32_t vertices, size_t arcs) : vertices_(vertices) {
  arcs_.reserve(arcs);
  CORDON_CHECK(vertices >= 2, "a network needs a source and a sink");
}

int32_t MaxFlow::AddArc(Vertex from, Vertex to, int32_t capacity, int32_t back) {
  CORDON_CHECK(from >= 0 && from < vertices_ && to >= 0 && to < vertices_, "vertex out of range");
  CORDON_CHECK(first_.empty(), "arcs are added before Solve");
  arcs_.push_back({from, to, capacity, back});
  return static_cast<int32_t>(arcs_.size() - 1);
}

// The ends of all arcs by the vertex at which they are, the sink first and then the highest number
// on the other side.
void MaxFlow::BuildAdjacency() {
  first_.assign(static_cast<size_t>(vertices_) + 1, 0);
  for (const Arc& arc : arcs_) {
    ++first_[arc.from + 1];
    ++first_[arc.to + 1];
  }
  std::partial_sum(first_.begin(), first_.end(), first_.begin());
  // End 2 i is arc i, end 2 i + 1 its twin.
  const auto other_side = [&](int32_t end) {
    const Arc& arc = arcs_[end / 2];
    return end % 2 == 0 ? arc.to : arc.from;
  };
  std::vector<int32_t> ends(2 * arcs_.size());
  std::vector<int32_t> next(first_.begin(), first_.end() - 1);
  for (size_t i = 0; i < arcs_.size(); ++i) {
    ends[next[arcs_[i].from]++] = static_cast<int32_t>(2 * i);
    ends[next[arcs_[i].to]++] = static_cast<int32_t>(2 * i + 1);
  }
  for (Vertex v = 0; v < vertices_; ++v)
    std::sort(ends.begin() + first_[v], ends.begin() + first_[v + 1], [&](int32_t a, int32_t b) {
      const auto key = [&](int32_t end) {
        return std::tuple(other_side(end) != sink_, -other_side(end), end);
      };
      return key(a) < key(b);
    });
  std::vector<int32_t> place_of_end(ends.size());
  for (size_t i = 0; i < ends.size(); ++i) place_of_end[ends[i]] = static_cast<int32_t>(i);
  to_.resize(ends.size());
  twin_.resize(ends.size());
  residual_.resize(ends.size());
  place_.resize(arcs_.size());
  for (size_t i = 0; i < ends.size(); ++i) {
    const Arc& arc = arcs_[ends[i] / 2];
    to_[i] = other_side(ends[i]);
    twin_[i] = place_of_end[ends[i] ^ 1];
    residual_[i] = ends[i] % 2 == 0 ? arc.capacity : arc.back;
    if (ends[i] % 2 == 0) place_[ends[i] / 2] = static_cast<int32_t>(i);
  }
}

int32_t MaxFlow::PushAlongPath() {
  int32_t amount = kUnlimited;
  for (const int32_t i : path_) amount = std::min(amount, residual_[i]);
  for (const int32_t i : path_) {
    residual_[i] -= amount;
    residual_[twin_[i]] += amount;
  }
  return amount;
}

// Flow along one path from the source to the sink; 0 when there is none.
int32_t MaxFlow::Augment() {
  ++round_;
  path_.clear();
  const auto enter = [&](Vertex v) {
    seen_[v] = round_;
    cursor_[v] = first_[v];
    return v;
  };
  Vertex v = enter(source_);
  while (v != sink_) {
    int32_t& i = cursor_[v];
    const int32_t end = first_[v + 1];
    while (i < end && (residual_[i] == 0 || seen_[to_[i]] == round_)) ++i;
    if (i < end) {
      path_.push_back(i);
      v = enter(to_[i]);
      continue;
    }
    if (path_.empty()) return 0;
    v = to_[twin_[path_.back()]];
    path_.pop_back();
  }
  return PushAlongPath();
}

int32_t MaxFlow::Solve(Vertex source, Vertex sink, int32_t limit) {
  CORDON_CHECK(source != sink, "source and sink must differ");
  source_ = source;
  sink_ = sink;
  BuildAdjacency();
  seen_.assign(static_cast<size_t>(vertices_), 0);
  round_ = 0;
  cursor_.resize(static_cast<size_t>(vertices_));
  return Continue(limit);
}

int32_t MaxFlow::Continue(int32_t limit) {
  int32_t flow = 0;
  while (flow <= limit) {
    const int32_t more = Augment();
    if (more == 0) break;
    flow = std::min(kUnlimited, flow + more);
  }
  return flow;
}

void MaxFlow::Raise(int32_t arc, int32_t extra) {
  residual_[place_[arc]] += extra;
  arcs_[arc].capacity += extra;
}

MaxFlow::Saved MaxFlow::Save() const {
  Saved saved{residual_, {}};
  saved.capacities.reserve(arcs_.size());
  for (const Arc& arc : arcs_) saved.capacities.push_back(arc.capacity);
  return saved;
}

void MaxFlow::Restore(const Saved& saved) {
  CORDON_CHECK(saved.residuals.size() == residual_.size(), "saved from this network");
  residual_ = saved.residuals;
  for (size_t i = 0; i < arcs_.size(); ++i) arcs_[i].capacity = saved.capacities[i];
}

std::vector<uint8_t> MaxFlow::SourceSide() const {
  std::vector<uint8_t> reached(static_cast<size_t>(vertices_), 0);
  std::vector<Vertex> stack{source_};
  reached[source_] = 1;
  while (!stack.empty()) {
    const Vertex v = stack.back();
    stack.pop_back();
    for (int32_t i = first_[v]; i < first_[v + 1]; ++i) {
      if (residual_[i] == 0 || reached[to_[i]]) continue;
      reached[to_[i]] = 1;
      stack.push_back(to_[i]);
    }
  }
  return reached;
}

std::vector<uint8_t> MaxFlow::SourceSideFarthest() const {
  std::vector<uint8_t> source_side(static_cast<size_t>(vertices_), 1);
  std::vector<Vertex> stack{sink_};
  source_side[sink_] = 0;
  while (!stack.empty()) {
    const Vertex v = stack.back();
    stack.pop_back();
    for (int32_t i = first_[v]; i < first_[v + 1]; ++i) {
      if (!source_side[to_[i]] || residual_[twin_[i]] == 0) continue;
      source_side[to_[i]] = 0;
      stack.push_back(to_[i]);
    }
  }
  return source_side;
}

int32_t MaxFlow::Flow(int32_t arc) const { return arcs_[arc].capacity - residual_[place_[arc]]; }

}  // namespace cordon
