// SPDX-License-Identifier: Apache-2.0
#include "ingest/evidence_keeper.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/time/time.h"
#include "base/log.h"

namespace cordon {
namespace {

constexpr Milliseconds kTurn{250};
constexpr Seconds kSweepEvery{60};
constexpr size_t kPacketsAtOnce = 64;
// After the end of the post-roll, for packets that are on their way.
constexpr Milliseconds kGrace{500};
constexpr int kNice = 10;

Nanoseconds FromSeconds(double seconds) { return Nanoseconds(static_cast<int64_t>(seconds * 1e9)); }

}  // namespace

absl::StatusOr<std::unique_ptr<EvidenceKeeper>> EvidenceKeeper::Open(EvidenceStore::Options options,
                                                                     const Clock& clock,
                                                                     Metrics& metrics, Done done) {
  ASSIGN_OR_RETURN(std::unique_ptr<EvidenceStore> store,
                   EvidenceStore::Open(std::move(options), clock));
  return std::unique_ptr<EvidenceKeeper>(
      new EvidenceKeeper(std::move(store), clock, metrics, std::move(done)));
}

EvidenceKeeper::EvidenceKeeper(std::unique_ptr<EvidenceStore> store, const Clock& clock,
                               Metrics& metrics, Done done)
    : store_(std::move(store)),
      clock_(clock),
      done_(std::move(done)),
      clips_(metrics.Counter("cordon_evidence_clips_total", "Clips written.")),
      failures_(
          metrics.Counter("cordon_evidence_failures_total", "Clips that could not be written.")),
      deleted_(metrics.Counter("cordon_evidence_deleted_total",
                               "Clips deleted by retention or for space.")),
      thread_([this] { Run(); }) {}

EvidenceKeeper::~EvidenceKeeper() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

void EvidenceKeeper::Cut(const CameraStream& camera, const Ulid& clip, const std::string& alert_id,
                         BootTime event) {
  auto job = std::make_unique<Job>();
  job->clip = clip;
  job->alert_id = alert_id;
  job->camera = camera.config();
  job->masks = camera.masks();
  job->ring = camera.evidence();
  job->codec = camera.evidence_codec();
  job->from = event - FromSeconds(camera.config().pre_roll_s());
  job->to = event + FromSeconds(camera.config().post_roll_s());
  absl::MutexLock lock(&mutex_);
  job->refused = open_jobs_ >= kMostAtOnce;
  ++open_jobs_;
  requests_.push_back(std::move(job));
}

void EvidenceKeeper::Run() {
  SetThreadName("evidence");
  // Cutting may be late, analysis may not. Linux nice values are per thread.
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kNice);
  std::vector<std::unique_ptr<Job>> jobs;
  while (true) {
    bool stopping = false;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.AwaitWithTimeout(absl::Condition(&stopping_), absl::FromChrono(kTurn));
      stopping = stopping_;
    }
    TakeRequests(jobs);
    std::erase_if(jobs, [&](std::unique_ptr<Job>& job) { return Advance(*job, stopping); });
    SweepWhenDue();
    if (stopping) return;
  }
}

void EvidenceKeeper::TakeRequests(std::vector<std::unique_ptr<Job>>& jobs) {
  absl::MutexLock lock(&mutex_);
  for (std::unique_ptr<Job>& job : requests_) jobs.push_back(std::move(job));
  requests_.clear();
}

bool EvidenceKeeper::Advance(Job& job, bool stopping) {
  bool complete = stopping;
  absl::Status status;
  if (job.refused) {
    status = absl::ResourceExhaustedError("too many clips at once");
  } else if (store_->full()) {
    status = absl::ResourceExhaustedError("the disk is full; free space or shorten the retention");
  } else if (job.codec == nullptr) {
    status = absl::UnavailableError("the camera never sent a picture");
  } else {
    status = Feed(job, complete);
  }
  if (status.ok() && !complete) return false;
  Complete(job, std::move(status));
  absl::MutexLock lock(&mutex_);
  --open_jobs_;
  return true;
}

absl::Status EvidenceKeeper::Feed(Job& job, bool& complete) {
  if (job.cursor == 0) {
    job.cursor = job.ring->KeyFrameBefore(job.from);
    if (job.cursor == 0) {
      complete = complete || clock_.Boot() > job.to + kGrace;
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(job.file,
                     ClipFile::Create(store_->folder(), EvidenceStore::NameOf(job.clip), *job.codec,
                                      job.masks, clock_));
  }
  while (true) {
    const std::vector<RingEntry> entries = job.ring->Read(job.cursor, kPacketsAtOnce);
    if (entries.empty()) break;
    for (const RingEntry& entry : entries) {
      if (entry.packet->received > job.to) {
        complete = true;
        return absl::OkStatus();
      }
      const absl::Status appended = job.file->Append(*entry.packet);
      if (absl::IsOutOfRange(appended)) {  // the picture's size changed: the clip ends here
        complete = true;
        return absl::OkStatus();
      }
      RETURN_IF_ERROR(appended);
      job.cursor = entry.sequence + 1;
    }
  }
  complete = complete || clock_.Boot() > job.to + kGrace;
  return absl::OkStatus();
}

void EvidenceKeeper::Complete(Job& job, absl::Status status) {
  proto::EvidenceReady ready;
  ready.set_alert_id(job.alert_id);
  ready.set_clip_id(job.clip.str());
  if (status.ok() && job.file == nullptr)
    status = absl::UnavailableError("no picture came in the clip's time");
  absl::StatusOr<ClipFacts> facts =
      status.ok() ? job.file->Finish() : absl::StatusOr<ClipFacts>(status);
  if (facts.ok()) {
    EvidenceRow row;
    row.id = job.clip;
    row.camera = CameraId(job.camera.id());
    row.alert_id = job.alert_id;
    row.facts = *facts;
    row.expires =
        clock_.Wall() + Seconds(static_cast<int64_t>(job.camera.retention_hours() * 3600));
    if (const absl::Status added = store_->Add(row); !added.ok()) facts = added;
  }
  if (facts.ok()) {
    clips_.Increment();
    ready.set_sha256(std::string(facts->sha256.begin(), facts->sha256.end()));
    ready.set_size_bytes(facts->bytes);
    ready.set_first_wall_time_us(ToMicros(facts->first_wall));
    ready.set_duration_s(std::chrono::duration<double>(facts->duration).count());
  } else {
    failures_.Increment();
    ready.set_failure(std::string(MessageOf(facts.status())));
    log::Warning("no clip",
                 {{"camera", job.camera.id()}, {"alert", job.alert_id}, {"why", ready.failure()}});
  }
  done_(ready);
}

void EvidenceKeeper::SweepWhenDue() {
  if (swept_ != BootTime{} && clock_.Boot() - swept_ < kSweepEvery) return;
  swept_ = clock_.Boot();
  absl::StatusOr<std::vector<DeletionRow>> deleted = store_->Sweep();
  if (!deleted.ok()) {
    log::Error("clips could not be swept", {{"why", MessageOf(deleted.status())}});
  } else {
    deleted_.Increment(static_cast<double>(deleted->size()));
  }
}

}  // namespace cordon
