// SPDX-License-Identifier: Apache-2.0
// Text handling of the protocol parsers over std::string_view. ASCII only.
#pragma once

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

namespace cordon::text {

inline bool IsBlank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
inline char LowerOf(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

inline std::string_view TrimLeft(std::string_view s) {
  while (!s.empty() && IsBlank(s.front())) s.remove_prefix(1);
  return s;
}
inline std::string_view TrimRight(std::string_view s) {
  while (!s.empty() && IsBlank(s.back())) s.remove_suffix(1);
  return s;
}
inline std::string_view Trim(std::string_view s) { return TrimLeft(TrimRight(s)); }

inline bool EqualsNoCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (LowerOf(a[i]) != LowerOf(b[i])) return false;
  }
  return true;
}
inline bool StartsWithNoCase(std::string_view s, std::string_view prefix) {
  return EqualsNoCase(s.substr(0, prefix.size()), prefix);
}
inline bool EndsWithNoCase(std::string_view s, std::string_view suffix) {
  return s.size() >= suffix.size() && EqualsNoCase(s.substr(s.size() - suffix.size()), suffix);
}

inline std::string Lower(std::string_view s) {
  std::string out(s);
  for (char& c : out) c = LowerOf(c);
  return out;
}
inline std::string Upper(std::string_view s) {
  std::string out(s);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return out;
}

// Always at least one part; views into `s`.
inline std::vector<std::string_view> Split(std::string_view s, char at) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = s.find(at);
    parts.push_back(s.substr(0, end));
    if (end == std::string_view::npos) return parts;
    s.remove_prefix(end + 1);
  }
}

// The whole of `s` (but for blanks around it) as a number; false and `into` untouched otherwise.
template <class Number>
bool ParseNumber(std::string_view s, Number& into) {
  s = Trim(s);
  Number value{};
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
  if (error != std::errc() || end != s.data() + s.size() || s.empty()) return false;
  into = value;
  return true;
}

}  // namespace cordon::text
