// SPDX-License-Identifier: Apache-2.0
// The border between WGS-84 and the two datums of maps and devices made for mainland China. Inside
// Cordon everything is WGS-84; a source's datum is stored with the source and converted once, on
// the way in.
//
// GCJ-02 shifts a position by a smooth function of it (100 to 700 m); BD-09 shifts GCJ-02 once
// more. Neither is published officially; the formulas are those that all open converters share
// (Krasovsky 1940 ellipsoid, a = 6,378,245 m). Both apply inside the rectangle 72.004..137.8347 E,
// 0.8293..55.8271 N only; outside they are the identity here. Within 700 m of that rectangle's edge
// (all of it outside mainland China) the inverse is ambiguous and a point may stay unconverted.
//
// Pure functions, any thread. Points that are not finite come back as they are.
#pragma once

#include "base/geo.h"
#include "proto/position.pb.h"

namespace cordon {

// True inside the rectangle where the shifted datums are defined.
bool DatumApplies(const LatLon& wgs84);

LatLon Gcj02FromWgs84(const LatLon& wgs84);
LatLon Bd09FromGcj02(const LatLon& gcj02);

// Inverses by fixed-point iteration; the residual is below 1e-10 degrees (0.01 mm).
LatLon Wgs84FromGcj02(const LatLon& gcj02);
LatLon Gcj02FromBd09(const LatLon& bd09);

LatLon Bd09FromWgs84(const LatLon& wgs84);
LatLon Wgs84FromBd09(const LatLon& bd09);

// What ingestion calls: `p` as the device sent it, in the datum configured for the device.
LatLon ToWgs84(const LatLon& p, proto::Datum datum);

}  // namespace cordon
