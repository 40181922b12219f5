// SPDX-License-Identifier: Apache-2.0
// Position reports of phones and trackers, normalised to UnitPosition. Nothing here keeps state or
// asks the time.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/status.h"
#include "proto/position.pb.h"

namespace cordon {

// The OsmAnd protocol as Traccar's client and OsmAnd speak it, query form: id|deviceid, lat, lon or
// location=lat,lon, timestamp (s, ms or ISO 8601), speed in KNOTS, bearing|heading, accuracy,
// valid; plus "kind" (car, motorcycle, foot) for units that are not in the configuration.
// `parameters` are decoded. Missing stays missing. INVALID_ARGUMENT says which field is wrong; a
// fix that the device itself calls invalid is FAILED_PRECONDITION.
absl::StatusOr<proto::UnitPosition> ParseOsmAndQuery(
    const std::map<std::string, std::string>& parameters);

// The JSON form of the same protocol: {device_id, location: {timestamp, coords: {latitude,
// longitude, speed (m/s), heading, accuracy}}}. Negative speed or heading: unknown.
absl::StatusOr<proto::UnitPosition> ParseOsmAndJson(std::string_view json);

// OwnTracks over HTTP, _type=location: lat, lon, tst (s), acc (m), cog (deg), vel (km/h), t,
// created_at. Zero-valued acc, cog and vel are omitted by the app and stay missing. A ping (t=p)
// carries the time of sending as tst, which makes an old fix look fresh: it is UNAVAILABLE and
// moves nothing. `device` is the X-Limit-D or, failing that, X-Limit-U header. Other _types:
// UNIMPLEMENTED.
absl::StatusOr<proto::UnitPosition> ParseOwnTracks(std::string_view json,
                                                   const std::string& device);

// "name=value&..." with percent and plus decoding; at most 64 pairs, the first of a name counts.
// INVALID_ARGUMENT on a bad escape.
absl::StatusOr<std::map<std::string, std::string>> ParseQuery(std::string_view query);

}  // namespace cordon
