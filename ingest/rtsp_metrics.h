// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/metrics.h"
#include "ingest/packet_source.h"

namespace cordon {

// The same source, whose RtspStats go to `metrics` once a second and at its end
// (cordon_rtp_..._total), and whose failures are counted by cause
// (cordon_rtsp_failures_total{cause}). Sources without a network are returned as they are.
// `metrics` and `clock` must outlive it.
std::unique_ptr<PacketSource> WithRtspMetrics(std::unique_ptr<PacketSource> source,
                                              Metrics& metrics, const Labels& labels,
                                              const Clock& clock);

}  // namespace cordon
