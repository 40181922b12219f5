// SPDX-License-Identifier: Apache-2.0
// Road networks drawn in the test, as one would on a napkin:
//
//     A---B===C        letters and + are junctions; - and | are streets (30 km/h), = and : main
//     roads (primary) |   |   :        > < v ^ in a street make it one-way
//     +-->D   E        a column is 100 m wide, a row 200 m high; spaces are fields
//
// Roads are named after their ends: "A-B".
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dispatch/road_draft.h"
#include "dispatch/road_network.h"

namespace cordon::testing {

class DrawnRoads {
 public:
  // `edit` may change the draft before it is built: add restrictions, barriers, signals.
  explicit DrawnRoads(std::string_view picture,
                      const std::function<void(DrawnRoads&, RoadDraft&)>& edit = {}) {
    Split(picture);
    for (size_t row = 0; row < rows_.size(); ++row)
      for (size_t column = 0; column < rows_[row].size(); ++column)
        if (IsJunction(At(row, column))) PointOf(row, column);
    for (size_t row = 0; row < rows_.size(); ++row)
      for (size_t column = 0; column < rows_[row].size(); ++column)
        if (IsJunction(At(row, column))) {
          Follow(row, column, 0, 1, "-=<>");
          Follow(row, column, 1, 0, "|:v^");
        }
    if (edit) edit(*this, draft_);
    auto image = BuildRoadImage(draft_);
    if (!image.ok()) ADD_FAILURE() << image.status();
    network_ = *RoadNetwork::FromImage(*std::move(image));
  }

  const std::shared_ptr<const RoadNetwork>& network() const { return network_; }
  // Position of a road in RoadDraft::ways by its name, "A-B" as drawn.
  size_t Way(std::string_view name) const {
    for (size_t w = 0; w < draft_.ways.size(); ++w)
      if (draft_.ways[w].name == name) return w;
    ADD_FAILURE() << "no road " << name;
    return 0;
  }
  uint32_t Point(char letter) const { return letters_.at(letter); }
  LatLon Place(char letter) const { return draft_.points[letters_.at(letter)].at.ToLatLon(); }
  JunctionId Junction(char letter) const {
    const RoadPoint at = draft_.points[letters_.at(letter)].at;
    for (uint32_t j = 0; j < network_->junction_count(); ++j)
      if (network_->point({j}) == at) return {j};
    ADD_FAILURE() << "no junction " << letter;
    return {0};
  }
  // '?' for one without a letter.
  char Letter(JunctionId j) const {
    for (const auto& [letter, point] : letters_)
      if (draft_.points[point].at == network_->point(j)) return letter;
    return '?';
  }

 private:
  static constexpr double kColumnMetres = 100;
  static constexpr double kRowMetres = 200;

  static bool IsJunction(char c) {
    return c == '+' || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  }
  char At(size_t row, size_t column) const {
    return row < rows_.size() && column < rows_[row].size() ? rows_[row][column] : ' ';
  }
  void Split(std::string_view picture) {
    std::string line;
    for (const char c : picture) {
      if (c != '\n') {
        line += c;
        continue;
      }
      if (line.find_first_not_of(' ') != std::string::npos || !rows_.empty()) rows_.push_back(line);
      line.clear();
    }
    if (line.find_first_not_of(' ') != std::string::npos) rows_.push_back(line);
  }
  uint32_t PointOf(size_t row, size_t column) {
    const auto [at, is_new] =
        points_.try_emplace({row, column}, static_cast<uint32_t>(draft_.points.size()));
    if (is_new) {
      const LatLon south = Offset({50, 10}, 180, {kRowMetres * static_cast<double>(row)});
      draft_.points.push_back({.at = RoadPoint::From(Offset(
                                   south, 90, {kColumnMetres * static_cast<double>(column)}))});
      if (At(row, column) != '+') letters_[At(row, column)] = at->second;
    }
    return at->second;
  }
  void Follow(size_t row, size_t column, size_t down, size_t right, std::string_view roads) {
    size_t r = row + down, c = column + right;
    bool with = true, against = true, main = false;
    for (; roads.find(At(r, c)) != std::string_view::npos && At(r, c) != ' ';
         r += down, c += right) {
      against &= At(r, c) != '>' && At(r, c) != 'v';
      with &= At(r, c) != '<' && At(r, c) != '^';
      main |= At(r, c) == '=' || At(r, c) == ':';
    }
    if ((r == row + down && c == column + right) || !IsJunction(At(r, c))) return;
    DraftWay way;
    way.id = static_cast<int64_t>(draft_.ways.size()) + 1;
    way.points = {PointOf(row, column), PointOf(r, c)};
    way.road_class = main ? RoadClass::kPrimary : RoadClass::kResidential;
    way.flags = kFlagUrban;
    way.access = BothWays(kAccessFoot);
    for (const AccessBit bit : {kAccessCar, kAccessMotorcycle, kAccessEmergency}) {
      if (with) way.access |= AccessOf(bit, true);
      if (against) way.access |= AccessOf(bit, false);
    }
    if (!against) way.access |= AccessOf(kAccessContraflow, false);
    if (!with) way.access |= AccessOf(kAccessContraflow, true);
    way.speed_kmh[0] = way.speed_kmh[1] = main ? 50 : 30;
    way.name = std::string(1, At(row, column)) + "-" + At(r, c);
    draft_.ways.push_back(std::move(way));
  }

  std::vector<std::string> rows_;
  std::map<std::pair<size_t, size_t>, uint32_t> points_;
  std::map<char, uint32_t> letters_;
  RoadDraft draft_;
  std::shared_ptr<const RoadNetwork> network_;
};

}  // namespace cordon::testing
