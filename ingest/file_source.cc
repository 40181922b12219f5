// SPDX-License-Identifier: Apache-2.0
#include "ingest/file_source.h"

#include <sys/stat.h>

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace cordon {
namespace {

using Kind = FileSourceOptions::Kind;

// What cameras and recorders write. Anything else (images, playlists that open other files,
// devices) stays shut.
constexpr const char* kFileFormats =
    "mov,mp4,m4a,3gp,3g2,mj2,avi,matroska,webm,mpegts,mpeg,flv,live_flv,h264,hevc,m4v,mjpeg,asf,"
    "ogg,mpjpeg,wav,mp3,aac";
constexpr const char* kHttpFormats = "flv,live_flv,hls,mpegts,mov,mp4,m4a,3gp,3g2,mj2,mpjpeg,mjpeg";
constexpr const char* kCodecs =
    "h264,hevc,mjpeg,mpeg4,msmpeg4,msmpeg4v2,mpeg1video,mpeg2video,mpegvideo,vp8,vp9,libdav1d,"
    "rawvideo,h263,flv,"
    "pcm_s16le,pcm_alaw,pcm_mulaw,aac,mp3float,mp3,opus,vorbis,ac3,adpcm_g726";
constexpr const char* kCertificateAuthorities = "/etc/ssl/certs/ca-certificates.crt";

// Decoding times that step back, or leap by more than this, begin a new run.
constexpr int64_t kLargestStepUs = 10'000'000;
constexpr int64_t kLargestBackstepUs = 1'000'000;

class Options {
 public:
  ~Options() { av_dict_free(&dict_); }
  void Set(const char* key, const std::string& value) {
    av_dict_set(&dict_, key, value.c_str(), 0);
  }
  AVDictionary** get() { return &dict_; }
  // libavformat ignores unknown options in silence; a limit that was not taken would be a hole.
  std::string Leftover() const {
    const AVDictionaryEntry* entry = av_dict_get(dict_, "", nullptr, AV_DICT_IGNORE_SUFFIX);
    return entry == nullptr ? "" : entry->key;
  }

 private:
  AVDictionary* dict_ = nullptr;
};

bool IsHttps(const std::string& location) { return location.rfind("https://", 0) == 0; }

std::string HostOf(const std::string& url) {
  const size_t begin = url.find("://");
  if (begin == std::string::npos) return "";
  const std::string authority =
      url.substr(begin + 3, url.find_first_of("/?", begin + 3) - begin - 3);
  return authority.substr(authority.rfind('@') == std::string::npos ? 0 : authority.rfind('@') + 1);
}

std::string PercentEncode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain =
        std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

void SetNetworkOptions(const std::string& url, Milliseconds stall, AVDictionary** options) {
  const int64_t limit_us = std::chrono::duration_cast<Microseconds>(stall).count();
  av_dict_set_int(options, "rw_timeout", limit_us, 0);
  if (!IsHttps(url)) return;
  av_dict_set(options, "tls_verify", "1", 0);
  av_dict_set(options, "ca_file", kCertificateAuthorities, 0);
}

}  // namespace

FileSource::FileSource(FileSourceOptions options, const Clock& clock)
    : clock_(clock), options_(std::move(options)), deadline_(clock) {
  av::Init();
}

FileSource::~FileSource() {
  // Closing may talk to the network (HTTP keep-alive); it gets a moment, not for ever.
  deadline_.Arm(Milliseconds(500));
}

absl::Status FileSource::CheckFile() const {
  struct stat info {};
  if (stat(options_.location.c_str(), &info) != 0) {
    return errno == EACCES
               ? absl::PermissionDeniedError(fmt::format(
                     "{}: not allowed to read it; check its permissions", options_.location))
               : absl::NotFoundError(
                     fmt::format("{}: no such file; check the path", options_.location));
  }
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(
        fmt::format("{}: not a regular file; give a video clip", options_.location));
  }
  if (info.st_size == 0) {
    return absl::DataLossError(
        fmt::format("{}: the file is empty; give a video clip", options_.location));
  }
  return absl::OkStatus();
}

// Child requests of HLS (playlists, segments, keys) get the same limits and checks, and stay on the
// camera's host.
int FileSource::OpenChild(AVFormatContext* input, AVIOContext** io, const char* url, int flags,
                          AVDictionary** options) {
  const auto& self = *static_cast<const FileSource*>(input->opaque);
  const std::string host = HostOf(url);
  const bool http =
      std::string_view(url).starts_with("http://") || std::string_view(url).starts_with("https://");
  if (!http || host.empty() || host != HostOf(self.options_.location)) return AVERROR(EPERM);
  if (IsHttps(self.options_.location) && !IsHttps(url)) return AVERROR(EPERM);
  AVDictionary* mine = nullptr;
  if (options != nullptr) av_dict_copy(&mine, *options, 0);
  SetNetworkOptions(url, self.options_.stall_limit, &mine);
  const int code = avio_open2(io, url, flags, &input->interrupt_callback, &mine);
  av_dict_free(&mine);
  return code;
}

// libavformat takes credentials in the address only; the log callback redacts it and nothing else
// sees it.
std::string FileSource::WithCredentials(std::string url) const {
  if (options_.username.empty()) return url;
  const std::string user =
      PercentEncode(options_.username) + ":" + PercentEncode(options_.password.Reveal());
  return url.insert(url.find("://") + 3, user + "@");
}

absl::Status FileSource::OpenInput() {
  Options options;
  options.Set("codec_whitelist", kCodecs);
  options.Set("max_streams", "8");
  std::string url = options_.location;
  const AVInputFormat* format = nullptr;
  AVFormatContext* input = avformat_alloc_context();
  CORDON_CHECK(input != nullptr, "out of memory");
  input->interrupt_callback = deadline_.callback();
  input->opaque = this;
  if (options_.kind == Kind::kFile) {
    options.Set("protocol_whitelist", "file");
    options.Set("format_whitelist", kFileFormats);
    url = "file:" + url;
  } else if (options_.kind == Kind::kHttp) {
    options.Set("protocol_whitelist", "http,https,tcp,tls,crypto");
    options.Set("format_whitelist", kHttpFormats);
    options.Set("probesize", "1000000");
    options.Set("analyzeduration", "1000000");
    SetNetworkOptions(url, options_.stall_limit, options.get());
    url = WithCredentials(url);
    input->io_open = &FileSource::OpenChild;
  } else {
    format = av_find_input_format("video4linux2");
    if (format == nullptr) return absl::UnavailableError("this FFmpeg was built without V4L2");
  }
  // avformat_open_input frees the context when it fails.
  const int code = avformat_open_input(&input, url.c_str(), format, options.get());
  if (code < 0) return Explain(code, "open");
  input_.reset(input);
  const std::string leftover = options.Leftover();
  CORDON_CHECK(leftover.empty() || options_.kind == Kind::kHttp,
               "FFmpeg did not take option " + leftover);
  return absl::OkStatus();
}

absl::Status FileSource::FindVideo() {
  if (const int code = avformat_find_stream_info(input_.get(), nullptr); code < 0)
    return Explain(code, "reading the header");
  for (unsigned i = 0; i < input_->nb_streams; ++i) {
    AVStream* stream = input_->streams[i];
    const bool usable = stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
                        (stream->disposition & AV_DISPOSITION_ATTACHED_PIC) == 0;
    if (usable && stream_ == nullptr) {
      stream_ = stream;
    } else {
      stream->discard = AVDISCARD_ALL;
    }
  }
  if (stream_ == nullptr) {
    return absl::InvalidArgumentError(
        fmt::format("{}: no video in it{}; give a clip or camera with video", options_.location,
                    input_->nb_streams > 0 ? " (only sound or data)" : ""));
  }
  if (avcodec_find_decoder(stream_->codecpar->codec_id) == nullptr) {
    return absl::InvalidArgumentError(fmt::format("{}: cannot decode {}; convert it to H.264",
                                                  options_.location,
                                                  avcodec_get_name(stream_->codecpar->codec_id)));
  }
  return absl::OkStatus();
}

absl::StatusOr<StreamInfo> FileSource::Open() {
  CORDON_CHECK(input_ == nullptr, "a source is opened once");
  deadline_.Arm(options_.open_limit);
  if (options_.kind == Kind::kFile) RETURN_IF_ERROR(CheckFile());
  if (options_.kind == Kind::kHttp && !options_.username.empty() && !IsHttps(options_.location) &&
      !options_.allow_basic_auth) {
    return absl::PermissionDeniedError(fmt::format(
        "{}: the password would cross the network in clear; use https:// or set allow_basic_auth",
        options_.location));
  }
  RETURN_IF_ERROR(OpenInput());
  RETURN_IF_ERROR(FindVideo());
  StreamInfo info;
  info.codec.reset(avcodec_parameters_alloc());
  CORDON_CHECK(
      info.codec != nullptr && avcodec_parameters_copy(info.codec.get(), stream_->codecpar) >= 0,
      "out of memory");
  info.nominal_fps = stream_->avg_frame_rate.den > 0 ? av_q2d(stream_->avg_frame_rate) : 0;
  info.live = live();
  if (!live() && stream_->duration > 0) {
    info.duration =
        Microseconds(av_rescale_q(stream_->duration, stream_->time_base, AV_TIME_BASE_Q));
  }
  if (info.nominal_fps > 1) step_us_ = std::llround(1e6 / info.nominal_fps);
  return info;
}

absl::StatusOr<Packet> FileSource::Read(Milliseconds wait) {
  CORDON_CHECK(input_ != nullptr, "Open comes before Read");
  if (deadline_.interrupted()) return absl::CancelledError("interrupted");
  deadline_.Arm(live() ? std::max(wait, options_.stall_limit)
                       : std::max(wait, Milliseconds(2'000)));
  Packet packet;
  packet.av.reset(av_packet_alloc());
  CORDON_CHECK(packet.av != nullptr, "out of memory");
  while (true) {
    const int code = av_read_frame(input_.get(), packet.av.get());
    if (code == AVERROR_EOF && !live()) return EndOfFile();
    if (code < 0) return Explain(code, "read");
    if (packet.av->stream_index == stream_->index && packet.av->size > 0) break;
    av_packet_unref(packet.av.get());
  }
  packet.received = clock_.Boot();
  packet.received_wall = clock_.Wall();
  SetTimes(packet);
  return packet;
}

void FileSource::SetTimes(Packet& packet) {
  AVPacket& av = *packet.av;
  av_packet_rescale_ts(&av, stream_->time_base, AV_TIME_BASE_Q);
  int64_t decode_us = av.dts != AV_NOPTS_VALUE ? av.dts : av.pts;
  if (decode_us == AV_NOPTS_VALUE) decode_us = last_us_ ? *last_us_ + step_us_ : 0;
  if (last_us_) {
    const int64_t step = decode_us - *last_us_;
    if (step > kLargestStepUs || step < -kLargestBackstepUs) ++run_;
    if (step > 0 && step < 1'000'000) step_us_ = step;
  }
  last_us_ = decode_us;
  if (av.dts == AV_NOPTS_VALUE) av.dts = decode_us;
  av.time_base = AV_TIME_BASE_Q;
  packet.run = run_;
  packet.loss_before = corrupt_before_;
  corrupt_before_ = (av.flags & AV_PKT_FLAG_CORRUPT) != 0;
}

absl::Status FileSource::EndOfFile() const {
  const bool stated = stream_->duration > 0 && last_us_.has_value();
  if (stated) {
    const int64_t start = stream_->start_time == AV_NOPTS_VALUE ? 0 : stream_->start_time;
    const int64_t end_us =
        av_rescale_q(start + stream_->duration, stream_->time_base, AV_TIME_BASE_Q);
    const int64_t missing = end_us - *last_us_;
    if (missing > std::max<int64_t>(1'000'000 + step_us_, end_us / 20)) {
      return absl::DataLossError(
          fmt::format("{}: cut off at {:.1f} s of {:.1f} s; copy the file again", options_.location,
                      static_cast<double>(*last_us_) / 1e6, static_cast<double>(end_us) / 1e6));
    }
  }
  return absl::OutOfRangeError("end of the clip");
}

absl::Status FileSource::Explain(int code, std::string_view phase) const {
  const std::string& where = options_.location;
  if (deadline_.why() == av::Deadline::Cause::kInterrupted)
    return absl::CancelledError("interrupted");
  if (deadline_.why() == av::Deadline::Cause::kTimedOut) {
    return absl::DeadlineExceededError(
        fmt::format("{}: nothing came in time ({}); check that it sends", where, phase));
  }
  if (code == AVERROR_EOF && live()) {
    return absl::UnavailableError(fmt::format("{}: the camera closed the connection", where));
  }
  if (code == AVERROR_HTTP_UNAUTHORIZED) {
    return absl::UnauthenticatedError(
        fmt::format("{}: user or password refused; check username and password_file", where));
  }
  if (code == AVERROR(EPERM) && options_.kind == Kind::kHttp) {
    return absl::PermissionDeniedError(
        fmt::format("{}: it refers to another host; give that address instead", where));
  }
  if (options_.kind == Kind::kFile &&
      (code == AVERROR_INVALIDDATA || code == AVERROR_EOF || code == AVERROR(EINVAL))) {
    return absl::DataLossError(fmt::format(
        "{}: not a video, or cut off before its index; copy or convert it again", where));
  }
  return av::StatusFrom(code, fmt::format("{}: {}", where, phase));
}

}  // namespace cordon
