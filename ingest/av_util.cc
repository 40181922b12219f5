// SPDX-License-Identifier: Apache-2.0
#include "ingest/av_util.h"

extern "C" {
#include <libavdevice/avdevice.h>
#include <libavutil/imgutils.h>
}

#include <array>
#include <cstdarg>
#include <mutex>

#include "base/log.h"

namespace cordon::av {
namespace {

// FFmpeg writes about each damaged macroblock and prints whole addresses; both are for our debug
// level only.
void LogLine(void* context, int level, const char* format, va_list arguments) {
  if (level > AV_LOG_WARNING) return;
  std::array<char, 1024> line{};
  int print_prefix = 1;
  av_log_format_line2(context, level, format, arguments, line.data(), line.size(), &print_prefix);
  std::string text = RedactUrls(line.data());
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  if (!text.empty()) log::Debug("ffmpeg says", {{"text", text}});
}

}  // namespace

void Init() {
  static std::once_flag once;
  std::call_once(once, [] {
    av_max_alloc(kMaxAllocation);
    av_log_set_level(AV_LOG_WARNING);
    av_log_set_callback(&LogLine);
    avformat_network_init();
    avdevice_register_all();
  });
}

std::string ErrorText(int code) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(code, text.data(), text.size());
  return text.data();
}

std::string RedactUrls(std::string_view line) {
  std::string out(line);
  for (size_t at = out.find("://"); at != std::string::npos; at = out.find("://", at + 3)) {
    const size_t begin = at + 3;
    const size_t end = out.find_first_of("/ \t\n'\"?", begin);
    const size_t limit = end == std::string::npos ? out.size() : end;
    const size_t sign = out.rfind('@', limit == 0 ? 0 : limit - 1);
    if (sign == std::string::npos || sign < begin) continue;
    out.replace(begin, sign - begin, "***");
  }
  return out;
}

void Deadline::Arm(Milliseconds in) {
  cause_ = Cause::kNone;
  until_ = clock_.Boot() + in;
}

void Deadline::Disarm() { until_ = BootTime::max(); }

int Deadline::Poll(void* self) {
  auto& deadline = *static_cast<Deadline*>(self);
  if (deadline.interrupted_.load(std::memory_order_relaxed)) {
    deadline.cause_ = Cause::kInterrupted;
    return 1;
  }
  if (deadline.until_ != BootTime::max() && deadline.clock_.Boot() > deadline.until_) {
    deadline.cause_ = Cause::kTimedOut;
    return 1;
  }
  return 0;
}

absl::Status StatusFrom(int code, std::string_view what) {
  const std::string message = fmt::format("{}: {}", what, ErrorText(code));
  switch (code) {
    case AVERROR(ENOENT):
    case AVERROR_HTTP_NOT_FOUND:
    case AVERROR_DEMUXER_NOT_FOUND:
    case AVERROR_PROTOCOL_NOT_FOUND:
      return absl::NotFoundError(message);
    case AVERROR(EACCES):
    case AVERROR(EPERM):
    case AVERROR_HTTP_FORBIDDEN:
      return absl::PermissionDeniedError(message);
    case AVERROR_HTTP_UNAUTHORIZED:
      return absl::UnauthenticatedError(message);
    case AVERROR(ETIMEDOUT):
      return absl::DeadlineExceededError(message);
    case AVERROR_EXIT:
      return absl::CancelledError(message);
    case AVERROR_EOF:
      return absl::OutOfRangeError(message);
    case AVERROR(ENOMEM):
      return absl::DataLossError(what.empty() ? message
                                              : message + " (larger than any camera needs)");
    case AVERROR_INVALIDDATA:
      return absl::DataLossError(message);
    default:
      return absl::UnavailableError(message);
  }
}

}  // namespace cordon::av
