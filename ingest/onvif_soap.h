// SPDX-License-Identifier: Apache-2.0
// SOAP 1.2 as ONVIF uses it: envelopes with WS-Security UsernameToken (OASIS WSS 1.1) and
// WS-Addressing, and faults.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "base/status.h"
#include "base/time.h"
#include "ingest/onvif_xml.h"

namespace cordon {

// "2026-03-01T12:34:56Z", the form every camera reads.
std::string FormatXmlTime(WallTime time);
// Reads xs:dateTime in UTC or with an offset, with or without fraction; nullopt when it is none.
std::optional<WallTime> ParseXmlTime(std::string_view text);

struct SoapSecurity {
  std::string username;
  Secret password;
  WallTime device_now;  // the camera's own clock: it refuses tokens that are minutes off
};

struct SoapRequest {
  std::string action;  // for WS-Addressing; empty: none
  std::string to;
  std::string reference_parameters;  // XML of the subscription that is meant, as the camera gave it
  std::string body;                  // XML
};

std::string WriteEnvelope(const SoapRequest& request, const std::optional<SoapSecurity>& security);

// The Body of a reply. UNAUTHENTICATED for the NotAuthorized family of faults (or HTTP 401),
// UNIMPLEMENTED for ActionNotSupported, INVALID_ARGUMENT for other sender faults, UNAVAILABLE for
// receiver faults; DATA_LOSS when it is no SOAP. The node lives as long as `document`.
absl::StatusOr<pugi::xml_node> ReadBody(int http_status, std::string_view text,
                                        pugi::xml_document& document);

}  // namespace cordon
