// SPDX-License-Identifier: Apache-2.0
#include "ingest/rtsp_metrics.h"

#include <array>
#include <utility>

#include "ingest/rtsp_options.h"

namespace cordon {
namespace {

constexpr Milliseconds kEvery{1000};

struct Figure {
  const char* name;
  const char* help;
  uint64_t RtspStats::*value;
};
constexpr std::array<Figure, 13> kFigures = {{
    {"cordon_rtp_lost_packets_total", "RTP packets that never came.", &RtspStats::lost_packets},
    {"cordon_rtp_gaps_total", "Places in the stream where packets were missing.", &RtspStats::gaps},
    {"cordon_rtp_reordered_total", "RTP packets that came late and were put in order.",
     &RtspStats::reordered},
    {"cordon_rtp_duplicates_total", "RTP packets that came twice.", &RtspStats::duplicates},
    {"cordon_rtp_late_total", "RTP packets that came after they had been given up.",
     &RtspStats::late},
    {"cordon_rtp_sequence_resets_total", "Restarts of the numbering by the camera.",
     &RtspStats::sequence_resets},
    {"cordon_rtp_foreign_packets_total", "Packets of other senders or channels, dropped.",
     &RtspStats::foreign_packets},
    {"cordon_rtp_source_changes_total", "New senders that took the place of the old.",
     &RtspStats::source_changes},
    {"cordon_rtp_malformed_total", "Packets that contradict their format.", &RtspStats::malformed},
    {"cordon_rtp_dropped_pictures_total", "Pictures that could not be completed.",
     &RtspStats::dropped_pictures},
    {"cordon_rtp_garbage_bytes_total", "Bytes skipped to find the next packet.",
     &RtspStats::garbage_bytes},
    {"cordon_rtp_time_jumps_total", "Breaks of the time line.", &RtspStats::time_jumps},
    {"cordon_rtp_camera_clock_steps_total",
     "Steps of the camera's wall clock by more than a second.", &RtspStats::camera_clock_steps},
}};

const char* CauseOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnauthenticated:
      return "authentication";
    case absl::StatusCode::kPermissionDenied:
      return "forbidden";
    case absl::StatusCode::kDeadlineExceeded:
      return "silent";
    case absl::StatusCode::kDataLoss:
      return "bad_data";
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kInvalidArgument:
      return "not_there";
    default:
      return "unreachable";
  }
}

class MeasuredSource final : public PacketSource {
 public:
  MeasuredSource(std::unique_ptr<PacketSource> source, Metrics& metrics, Labels labels,
                 const Clock& clock)
      : source_(std::move(source)), metrics_(metrics), labels_(std::move(labels)), clock_(clock) {
    for (size_t i = 0; i < kFigures.size(); ++i) {
      counters_[i] = &metrics_.Counter(kFigures[i].name, kFigures[i].help, labels_);
    }
  }
  ~MeasuredSource() override { Publish(); }

  absl::StatusOr<StreamInfo> Open() override {
    absl::StatusOr<StreamInfo> info = source_->Open();
    Note(info.status());
    return info;
  }
  absl::StatusOr<Packet> Read(Milliseconds wait) override {
    absl::StatusOr<Packet> packet = source_->Read(wait);
    if (clock_.Boot() >= next_) Publish();
    // Nothing within `wait` is no failure.
    if (!absl::IsDeadlineExceeded(packet.status())) Note(packet.status());
    return packet;
  }
  void Interrupt() override { source_->Interrupt(); }
  const RtspStats* rtsp_stats() const override { return source_->rtsp_stats(); }

 private:
  void Note(const absl::Status& status) {
    if (status.ok() || absl::IsCancelled(status)) return;
    Labels labels = labels_;
    labels["cause"] = CauseOf(status);
    metrics_
        .Counter("cordon_rtsp_failures_total", "Connections that failed or ended, by cause.",
                 labels)
        .Increment();
  }
  void Publish() {
    next_ = clock_.Boot() + kEvery;
    const RtspStats& now = *source_->rtsp_stats();
    for (size_t i = 0; i < kFigures.size(); ++i) {
      const uint64_t value = now.*kFigures[i].value;
      const uint64_t before = published_.*kFigures[i].value;
      if (value > before) counters_[i]->Increment(static_cast<double>(value - before));
    }
    published_ = now;
  }

  const std::unique_ptr<PacketSource> source_;
  Metrics& metrics_;
  const Labels labels_;
  const Clock& clock_;
  std::array<prometheus::Counter*, kFigures.size()> counters_{};
  RtspStats published_;
  BootTime next_;
};

}  // namespace

std::unique_ptr<PacketSource> WithRtspMetrics(std::unique_ptr<PacketSource> source,
                                              Metrics& metrics, const Labels& labels,
                                              const Clock& clock) {
  if (source->rtsp_stats() == nullptr) return source;
  return std::make_unique<MeasuredSource>(std::move(source), metrics, labels, clock);
}

}  // namespace cordon
