// SPDX-License-Identifier: Apache-2.0
#include "dispatch/max_flow.h"

#include <algorithm>

#include "base/check.h"

namespace cordon {

MaxFlow::MaxFlow(int32_t vertices, size_t arcs) : vertices_(vertices) {
  arcs_.reserve(2 * arcs);
  tails_.reserve(2 * arcs);
  CORDON_CHECK(vertices >= 2, "a network needs a source and a sink");
}

int32_t MaxFlow::AddArc(Vertex from, Vertex to, int32_t capacity, int32_t back) {
  CORDON_CHECK(from >= 0 && from < vertices_ && to >= 0 && to < vertices_, "vertex out of range");
  const auto index = static_cast<int32_t>(arcs_.size());
  arcs_.push_back({to, capacity, capacity});
  arcs_.push_back({from, back, back});
  tails_.push_back(from);
  tails_.push_back(to);
  return index;
}

void MaxFlow::BuildAdjacency() {
  first_.assign(vertices_ + 1, 0);
  for (const Vertex tail : tails_) ++first_[tail + 1];
  for (int32_t v = 0; v < vertices_; ++v) first_[v + 1] += first_[v];
  out_.resize(arcs_.size());
  std::vector<int32_t> next(first_.begin(), first_.end() - 1);
  for (size_t i = 0; i < tails_.size(); ++i) out_[next[tails_[i]]++] = static_cast<int32_t>(i);
}

// Levels from the sink backwards, so that a blocking flow only walks towards it.
bool MaxFlow::BuildLevels() {
  level_.assign(vertices_, -1);
  queue_.clear();
  queue_.push_back(sink_);
  level_[sink_] = 0;
  for (size_t head = 0; head < queue_.size(); ++head) {
    const Vertex v = queue_[head];
    if (v == source_) return true;
    for (int32_t i = first_[v]; i < first_[v + 1]; ++i) {
      const int32_t arc = out_[i];
      const Vertex u = arcs_[arc].to;
      if (level_[u] >= 0 || arcs_[arc ^ 1].residual == 0) continue;
      level_[u] = level_[v] + 1;
      queue_.push_back(u);
    }
  }
  return level_[source_] >= 0;
}

// One blocking flow by depth-first search with an explicit stack of arcs.
int32_t MaxFlow::Augment(int32_t limit) {
  std::vector<int32_t> path;
  int32_t pushed = 0;
  Vertex v = source_;
  while (pushed <= limit) {
    if (v == sink_) {
      int32_t amount = kUnlimited;
      for (const int32_t arc : path) amount = std::min(amount, arcs_[arc].residual);
      for (const int32_t arc : path) {
        arcs_[arc].residual -= amount;
        arcs_[arc ^ 1].residual += amount;
      }
      pushed += amount;
      if (amount == kUnlimited) return pushed;  // no cut exists
      path.clear();
      v = source_;
      continue;
    }
    bool advanced = false;
    for (int32_t& i = cursor_[v]; i < first_[v + 1]; ++i) {
      const Arc& arc = arcs_[out_[i]];
      if (arc.residual == 0 || level_[arc.to] != level_[v] - 1) continue;
      path.push_back(out_[i]);
      v = arc.to;
      advanced = true;
      break;
    }
    if (advanced) continue;
    if (path.empty()) break;
    v = tails_[path.back()];
    path.pop_back();
    ++cursor_[v];
  }
  return pushed;
}

int32_t MaxFlow::Solve(Vertex source, Vertex sink, int32_t limit) {
  CORDON_CHECK(source != sink, "source and sink must differ");
  source_ = source;
  sink_ = sink;
  BuildAdjacency();
  return Continue(limit);
}

int32_t MaxFlow::Continue(int32_t limit) {
  int32_t flow = 0;
  while (flow <= limit && BuildLevels()) {
    cursor_.assign(first_.begin(), first_.end() - 1);
    flow = std::min(kUnlimited, flow + Augment(limit - flow));
  }
  return flow;
}

void MaxFlow::Raise(int32_t arc, int32_t extra) {
  arcs_[arc].residual += extra;
  arcs_[arc].capacity += extra;
}

MaxFlow::Saved MaxFlow::Save() const {
  Saved saved;
  saved.residuals.reserve(arcs_.size());
  saved.capacities.reserve(arcs_.size());
  for (const Arc& arc : arcs_) {
    saved.residuals.push_back(arc.residual);
    saved.capacities.push_back(arc.capacity);
  }
  return saved;
}

void MaxFlow::Restore(const Saved& saved) {
  CORDON_CHECK(saved.residuals.size() == arcs_.size(), "saved from this network");
  for (size_t i = 0; i < arcs_.size(); ++i) {
    arcs_[i].residual = saved.residuals[i];
    arcs_[i].capacity = saved.capacities[i];
  }
}

std::vector<bool> MaxFlow::SourceSide() const {
  std::vector<bool> reached(vertices_, false);
  std::vector<Vertex> stack{source_};
  reached[source_] = true;
  while (!stack.empty()) {
    const Vertex v = stack.back();
    stack.pop_back();
    for (int32_t i = first_[v]; i < first_[v + 1]; ++i) {
      const Arc& arc = arcs_[out_[i]];
      if (arc.residual == 0 || reached[arc.to]) continue;
      reached[arc.to] = true;
      stack.push_back(arc.to);
    }
  }
  return reached;
}

std::vector<bool> MaxFlow::SourceSideFarthest() const {
  std::vector<bool> source_side(vertices_, true);
  std::vector<Vertex> stack{sink_};
  source_side[sink_] = false;
  while (!stack.empty()) {
    const Vertex v = stack.back();
    stack.pop_back();
    for (int32_t i = first_[v]; i < first_[v + 1]; ++i) {
      const int32_t arc = out_[i];
      const Vertex u = arcs_[arc].to;
      if (arcs_[arc ^ 1].residual == 0 || !source_side[u]) continue;
      source_side[u] = false;
      stack.push_back(u);
    }
  }
  return source_side;
}

int32_t MaxFlow::Flow(int32_t arc) const { return arcs_[arc].capacity - arcs_[arc].residual; }

}  // namespace cordon
