// SPDX-License-Identifier: Apache-2.0
#include "ingest/stream_reader.h"

#include <utility>

#include "absl/time/time.h"
#include "base/log.h"

namespace cordon {
namespace {

// Nothing came for so long: the connection is given up. Shown as stalled before, after 2.5 s.
constexpr Milliseconds kStallLimit{4'000};
// How long one read may wait when there is nothing to decode: also the time until a stop is
// noticed.
constexpr Milliseconds kIdleRead{100};
// Packets taken from the socket before decoding goes on: a burst must not fill the kernel's buffer.
constexpr int kMostReadsInARow = 64;
// Some sources cannot return at once when nothing is there; decoding must not starve behind them.
constexpr Milliseconds kLongestReads{120};
// A file that came to its end is not opened again.
bool IsFinal(const absl::Status& status) { return absl::IsOutOfRange(status); }

}  // namespace

StreamReader::StreamReader(Options options, Hooks hooks, PacketRing& ring, StreamHealth& health,
                           OpenGate& gate, const Clock& clock)
    : options_(std::move(options)),
      hooks_(std::move(hooks)),
      ring_(ring),
      health_(health),
      gate_(gate),
      clock_(clock),
      policy_(options_.seed),
      thread_([this] { Run(); }) {}

StreamReader::~StreamReader() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    if (source_ != nullptr) source_->Interrupt();
  }
  thread_.join();
}

std::shared_ptr<const AVCodecParameters> StreamReader::codec() const {
  absl::MutexLock lock(&mutex_);
  return codec_;
}

bool StreamReader::Stopping() const {
  absl::MutexLock lock(&mutex_);
  return stopping_;
}

void StreamReader::Rest(Milliseconds time) {
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&stopping_), absl::FromChrono(time));
}

std::shared_ptr<PacketSource> StreamReader::Adopt(std::unique_ptr<PacketSource> source) {
  std::shared_ptr<PacketSource> shared = std::move(source);
  absl::MutexLock lock(&mutex_);
  source_ = shared;
  if (stopping_ && shared != nullptr) shared->Interrupt();
  return shared;
}

void StreamReader::Run() {
  SetThreadName(options_.thread_name.c_str());
  while (!Stopping()) {
    const BootTime began = clock_.Boot();
    const absl::Status why = RunConnection();
    Adopt(nullptr);
    if (Stopping()) return;
    if (IsFinal(why)) {
      health_.FileEnded(std::string(MessageOf(why)));
      log::Info("camera ended", {{"camera", options_.name}, {"why", MessageOf(why)}});
      return;
    }
    LetGo(why, began);
  }
}

void StreamReader::LetGo(const absl::Status& why, BootTime began) {
  const LossCause cause = CauseOf(why);
  health_.ConnectionEnded(cause, std::string(MessageOf(why)));
  policy_.Lived(std::chrono::duration_cast<Milliseconds>(last_packet_ - began));
  const Milliseconds delay = policy_.NextDelay(cause);
  // One line for each new cause, not for each attempt.
  if (!said_ || said_cause_ != cause) {
    log::Warning("camera lost", {{"camera", options_.name},
                                 {"cause", NameOf(cause)},
                                 {"why", MessageOf(why)},
                                 {"again_in_ms", delay.count()}});
  }
  said_ = true;
  said_cause_ = cause;
  Rest(delay);
}

absl::Status StreamReader::RunConnection() {
  health_.Connecting();
  std::shared_ptr<PacketSource> source;
  StreamInfo info;
  {
    OpenGate::Pass pass = gate_.Enter(Seconds(10));
    if (!pass)
      return absl::UnavailableError("too many cameras are being opened; waiting for a turn");
    if (Stopping()) return absl::CancelledError("stopping");
    absl::StatusOr<std::unique_ptr<PacketSource>> made = options_.make_source();
    if (!made.ok()) return made.status();
    source = Adopt(*std::move(made));
    ASSIGN_OR_RETURN(info, source->Open());
  }
  if (hooks_.opened) RETURN_IF_ERROR(hooks_.opened(info, ring_.newest() + 1));
  health_.Opened(info);
  log::Info("camera connected",
            {{"camera", options_.name}, {"codec", avcodec_get_name(info.codec->codec_id)}});
  said_ = false;
  {
    absl::MutexLock lock(&mutex_);
    codec_ = std::shared_ptr<const AVCodecParameters>(std::move(info.codec));
  }
  runs_before_ = last_run_;
  last_packet_ = clock_.Boot();
  const absl::Status why = Pump(*source);
  if (hooks_.ended) hooks_.ended();
  return why;
}

absl::Status StreamReader::Pump(PacketSource& source) {
  bool backlog = false;
  while (true) {
    const BootTime began = clock_.Boot();
    for (int i = 0; i < kMostReadsInARow && (i == 0 || clock_.Boot() - began < kLongestReads);
         ++i) {
      absl::StatusOr<Packet> packet = source.Read(backlog || i > 0 ? Milliseconds(0) : kIdleRead);
      if (packet.ok()) {
        Accept(*std::move(packet));
        continue;
      }
      if (!absl::IsDeadlineExceeded(packet.status())) return packet.status();
      if (clock_.Boot() - last_packet_ > kStallLimit) return packet.status();
      break;
    }
    if (Stopping()) return absl::CancelledError("stopping");
    backlog = hooks_.work && hooks_.work();
  }
}

void StreamReader::Accept(Packet packet) {
  packet.run += runs_before_;
  last_run_ = packet.run;
  last_packet_ = packet.received;
  health_.PacketArrived(packet);
  auto shared = std::make_shared<const Packet>(std::move(packet));
  const uint64_t sequence = ring_.Push(shared);
  if (hooks_.packet) hooks_.packet({sequence, std::move(shared)});
}

}  // namespace cordon
