// SPDX-License-Identifier: Apache-2.0
// What the API and the feed say, as JSON; docs/api.md documents the fields. Strings that came from
// outside are kept as they are: the page treats every one as hostile text and never as markup.
#pragma once

#include <nlohmann/json.hpp>

#include "dispatch/dispatcher.h"

namespace cordon {

using Json = nlohmann::json;

// Text for the wire. Bytes that are not UTF-8 become U+FFFD; never throws.
std::string Dump(const Json& json);

Json ToJson(const StoredAlert& alert);
Json ToJson(const proto::Incident& incident);
Json ToJson(const proto::IncidentChange& change);
Json ToJson(const proto::ResponseCircles& circles, bool routes);
Json ToJson(const UnitState& unit);
Json ToJson(const proto::UnitChange& change);
Json ToJson(const proto::Notice& notice);
Json ToJson(const proto::ViewRecord& view);
Json ToJson(const proto::CameraHealth& health);
Json ToJson(const proto::EvidenceReady& evidence);
Json ToJson(const RuleScore& score);

}  // namespace cordon
