// SPDX-License-Identifier: Apache-2.0
#include "ingest/rtsp_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/rtsp_options.h"

namespace cordon {
namespace {

using testing::HasSubstr;

// A connection that counts what it is told and fails how it is told.
class CountingSource final : public PacketSource {
 public:
  CountingSource(RtspStats& stats, absl::Status& next) : stats_(stats), next_(next) {}
  absl::StatusOr<StreamInfo> Open() override {
    return next_.ok() ? absl::StatusOr<StreamInfo>(StreamInfo{}) : next_;
  }
  absl::StatusOr<Packet> Read(Milliseconds) override {
    return next_.ok() ? absl::StatusOr<Packet>(Packet{}) : next_;
  }
  void Interrupt() override {}
  const RtspStats* rtsp_stats() const override { return &stats_; }

 private:
  RtspStats& stats_;
  absl::Status& next_;
};

TEST(RtspMetrics, TotalsRiseOverAllConnectionsAndFailuresHaveTheirCause) {
  Metrics metrics;
  SimulatedClock clock;
  for (int connection = 0; connection < 2; ++connection) {
    RtspStats stats;
    absl::Status next;
    const auto source = WithRtspMetrics(std::make_unique<CountingSource>(stats, next), metrics,
                                        {{"camera", "c"}}, clock);
    ASSERT_TRUE(source->Open().ok());
    stats.lost_packets = 5;
    clock.Advance(Seconds(2));
    ASSERT_TRUE(source->Read(Milliseconds(1)).ok());
    stats.lost_packets = 7;
    next = absl::DeadlineExceededError("nothing yet");
    EXPECT_FALSE(source->Read(Milliseconds(1)).ok());
    next = absl::DataLossError("no RTP");
    EXPECT_FALSE(source->Read(Milliseconds(1)).ok());
  }
  const std::string text = metrics.RenderText();
  EXPECT_THAT(text, HasSubstr("cordon_rtp_lost_packets_total{camera=\"c\"} 14"));
  EXPECT_THAT(text, HasSubstr("cordon_rtsp_failures_total{camera=\"c\",cause=\"bad_data\"} 2"));
  EXPECT_THAT(text, testing::Not(HasSubstr("cause=\"silent\"")));
}

}  // namespace
}  // namespace cordon
