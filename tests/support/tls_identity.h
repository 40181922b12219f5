// SPDX-License-Identifier: Apache-2.0
// Certificates made at test time.
#pragma once

#include <string>

#include "tests/support/fault_rtsp_server.h"

namespace cordon::testing {

// A certificate for `name` (a DNS name or an IPv4 address), signed by `issuer`, or by itself when
// that is nullptr. Valid from `from_days` to `to_days` from now. An authority when `authority`.
TlsIdentity MakeIdentity(const std::string& name, const TlsIdentity* issuer = nullptr,
                         int from_days = -1, int to_days = 10, bool authority = false);

// SHA-256 of its DER form, 64 hex digits.
std::string FingerprintOf(const TlsIdentity& identity);

}  // namespace cordon::testing
