// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace cordon {

// A set of numbers below a bound that is filled in any order and emptied in ascending order: what
// is looked at then lies side by side in memory. One bit for each possible number.
class NumberSet {
 public:
  // Forgets everything.
  void Reset(size_t bound) {
    words_.assign((bound + 63) / 64, 0);
    empty_ = true;
  }
  void Insert(uint32_t number) {
    words_[number >> 6] |= uint64_t{1} << (number & 63);
    empty_ = false;
  }
  bool empty() const { return empty_; }
  // fn(number) for each, ascending; the set is empty afterwards. fn must not insert into it.
  template <class Fn>
  void Drain(Fn&& fn) {
    if (empty_) return;
    empty_ = true;
    for (size_t word = 0; word < words_.size(); ++word) {
      if (words_[word] == 0) continue;
      for (uint64_t rest = words_[word]; rest != 0; rest &= rest - 1)
        fn(static_cast<uint32_t>(word * 64 + static_cast<size_t>(std::countr_zero(rest))));
      words_[word] = 0;
    }
  }

 private:
  std::vector<uint64_t> words_;
  bool empty_ = true;
};

}  // namespace cordon
