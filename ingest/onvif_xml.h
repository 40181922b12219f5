// SPDX-License-Identifier: Apache-2.0
// XML of cameras, read with limits: they are not ours to trust. Names are matched without their
// prefix, which every vendor chooses differently.
#pragma once

#include <pugixml.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace cordon {

inline constexpr size_t kMaxOnvifBytes =
    1024 * 1024;  // GetProfiles of a 64-channel recorder: 300 KiB
inline constexpr size_t kMaxOnvifDepth = 32;
inline constexpr size_t kMaxOnvifNodes = 50'000;

// DATA_LOSS: not well-formed, a document type or entity (never needed, always an attack), or beyond
// the limits.
absl::Status ParseXml(std::string_view text, pugi::xml_document& into);

// "Body" of "s:Body".
std::string_view LocalName(const pugi::xml_node& node);

// The first child of that local name; an empty node when there is none.
pugi::xml_node Child(const pugi::xml_node& parent, std::string_view name);
// All of them.
std::vector<pugi::xml_node> Children(const pugi::xml_node& parent, std::string_view name);
// Follows "Body/GetStreamUriResponse/Uri".
pugi::xml_node Descend(const pugi::xml_node& from, std::string_view path);
// Text content, trimmed, at most 1,024 characters.
std::string TextOf(const pugi::xml_node& node);

// Text made safe to stand between tags or in an attribute.
std::string EscapeXml(std::string_view text);

}  // namespace cordon
