// SPDX-License-Identifier: Apache-2.0
#include "ingest/onvif_xml.h"

#include <algorithm>

#include "ingest/rtsp_text.h"

namespace cordon {
namespace {

constexpr size_t kMaxText = 1024;

// Depth and number of elements, counted before the parser builds a tree whose destruction recurses.
absl::Status CheckShape(std::string_view text) {
  size_t depth = 0;
  size_t nodes = 0;
  for (size_t at = text.find('<'); at != std::string_view::npos; at = text.find('<', at + 1)) {
    const std::string_view rest = text.substr(at);
    if (rest.starts_with("<!DOCTYPE") || rest.starts_with("<!ENTITY") ||
        rest.starts_with("<!doctype")) {
      return absl::DataLossError("the camera's XML holds a document type or entity");
    }
    if (rest.starts_with("<?") || rest.starts_with("<!")) continue;
    if (++nodes > kMaxOnvifNodes) {
      return absl::DataLossError(
          fmt::format("the camera's XML has more than {} tags", kMaxOnvifNodes));
    }
    if (rest.starts_with("</")) {
      if (depth > 0) --depth;
      continue;
    }
    const size_t end = rest.find('>');
    const bool closed = end != std::string_view::npos && end > 0 && rest[end - 1] == '/';
    if (!closed && ++depth > kMaxOnvifDepth) {
      return absl::DataLossError(
          fmt::format("the camera's XML is nested deeper than {}", kMaxOnvifDepth));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ParseXml(std::string_view text, pugi::xml_document& into) {
  if (text.size() > kMaxOnvifBytes) {
    return absl::DataLossError(fmt::format("the camera's XML has {} bytes; at most {} are read",
                                           text.size(), kMaxOnvifBytes));
  }
  RETURN_IF_ERROR(CheckShape(text));
  const pugi::xml_parse_result result =
      into.load_buffer(text.data(), text.size(), pugi::parse_default | pugi::parse_ws_pcdata_single,
                       pugi::encoding_utf8);
  if (result) return absl::OkStatus();
  return absl::DataLossError(fmt::format("the camera's XML is broken at byte {}: {}", result.offset,
                                         result.description()));
}

std::string_view LocalName(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  const size_t colon = name.rfind(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

pugi::xml_node Child(const pugi::xml_node& parent, std::string_view name) {
  for (const pugi::xml_node& child : parent.children()) {
    if (LocalName(child) == name) return child;
  }
  return {};
}

std::vector<pugi::xml_node> Children(const pugi::xml_node& parent, std::string_view name) {
  std::vector<pugi::xml_node> found;
  for (const pugi::xml_node& child : parent.children()) {
    if (LocalName(child) == name) found.push_back(child);
  }
  return found;
}

pugi::xml_node Descend(const pugi::xml_node& from, std::string_view path) {
  pugi::xml_node node = from;
  for (std::string_view name : text::Split(path, '/')) node = Child(node, name);
  return node;
}

std::string TextOf(const pugi::xml_node& node) {
  return std::string(text::Trim(node.child_value()).substr(0, kMaxText));
}

std::string EscapeXml(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&apos;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace cordon
