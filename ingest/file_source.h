// SPDX-License-Identifier: Apache-2.0
// Everything that libavformat reads for us: files, http(s) FLV and HLS, V4L2. Live RTSP has its own
// client, because libavformat hides loss and verifies no certificate.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/secret.h"
#include "ingest/av_util.h"
#include "ingest/packet_source.h"

namespace cordon {

// What is read and what may be trusted about it.
struct FileSourceOptions {
  enum class Kind { kFile, kHttp, kV4l2 };
  Kind kind = Kind::kFile;
  std::string location;  // path, http(s):// address without user and password, or /dev/videoN
  std::string username;
  Secret password;
  bool allow_basic_auth =
      false;  // libavformat cannot refuse Basic: clear http with a password needs this
  Milliseconds open_limit{10'000};
  Milliseconds stall_limit{5'000};
};

// One pass over one file, or one connection. Files: as fast as the caller reads, OUT_OF_RANGE at
// the end, DATA_LOSS at an end that comes before the clip's stated length. Network kinds: a read
// cannot stop in the middle of a packet, so Read waits up to stall_limit whatever `wait` says, and
// the source is dead after that. Threads: as PacketSource.
class FileSource final : public PacketSource {
 public:
  FileSource(FileSourceOptions options, const Clock& clock);
  ~FileSource() override;

  absl::StatusOr<StreamInfo> Open() override;
  absl::StatusOr<Packet> Read(Milliseconds wait) override;
  void Interrupt() override { deadline_.Interrupt(); }

 private:
  struct InputCloser {
    void operator()(AVFormatContext* input) const { avformat_close_input(&input); }
  };
  using InputPtr = std::unique_ptr<AVFormatContext, InputCloser>;

  absl::Status CheckFile() const;
  std::string WithCredentials(std::string url) const;
  absl::Status OpenInput();
  absl::Status FindVideo();
  absl::Status Explain(int code, std::string_view phase) const;
  absl::Status EndOfFile() const;
  void SetTimes(Packet& packet);
  bool live() const { return options_.kind != FileSourceOptions::Kind::kFile; }
  static int OpenChild(AVFormatContext* input, AVIOContext** io, const char* url, int flags,
                       AVDictionary** options);

  const Clock& clock_;
  const FileSourceOptions options_;
  av::Deadline deadline_;
  InputPtr input_;
  AVStream* stream_ = nullptr;
  uint64_t run_ = 1;
  std::optional<int64_t> last_us_;  // decoding time of the last packet
  int64_t step_us_ = 40'000;
  bool corrupt_before_ = false;
};

}  // namespace cordon
