// SPDX-License-Identifier: Apache-2.0
// What the API and the feed say, as JSON; docs/api.md documents the fields. Strings that came from
// outside are kept as they are: the page treats every one as hostile text and never as markup.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "dispatch/dispatcher.h"

namespace cordon {

using Json = nlohmann::json;

// Text for the wire. Bytes that are not UTF-8 become U+FFFD; never throws.
std::string Dump(const Json& json);
// The text of an object with one more member, whose value is JSON text as it is: what was written
// once is not read to be written again.
std::string WithMember(std::string object, const char* name, std::string_view value);

Json ToJson(const StoredAlert& alert);
Json ToJson(const proto::Incident& incident);
Json ToJson(const proto::IncidentChange& change);
Json ToJson(const proto::ResponseCircles& circles, bool routes);  // without the areas
// The areas as the text of an array; their geometry is passed on as it was drawn.
std::string AreasText(const proto::ResponseCircles& circles);
// Both.
std::string CirclesText(const proto::ResponseCircles& circles, bool routes);
Json ToJson(const UnitState& unit);
Json ToJson(const proto::UnitChange& change);
Json ToJson(const proto::Notice& notice);
Json ToJson(const proto::ViewRecord& view);
Json ToJson(const proto::CameraHealth& health);
Json ToJson(const proto::EvidenceReady& evidence);
Json ToJson(const RuleScore& score);

}  // namespace cordon
