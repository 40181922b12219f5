// SPDX-License-Identifier: Apache-2.0
#include "ingest/mp4_writer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace cordon {
namespace {

constexpr int kBufferBytes = 64 * 1024;
constexpr AVRational kMicros{1, 1'000'000};

int TypeOf(AVCodecID codec, uint8_t header) {
  return codec == AV_CODEC_ID_H264 ? header & 0x1F : (header >> 1) & 0x3F;
}

bool IsSequenceSet(AVCodecID codec, uint8_t header) {
  return TypeOf(codec, header) == (codec == AV_CODEC_ID_H264 ? 7 : 33);
}

bool IsParameterSet(AVCodecID codec, uint8_t header) {
  const int type = TypeOf(codec, header);
  return codec == AV_CODEC_ID_H264 ? type == 7 || type == 8 : type >= 32 && type <= 34;
}

// Offset of the next 00 00 01 at or after `from`; size when there is none.
size_t NextStartCode(std::string_view data, size_t from) {
  static constexpr std::string_view kStart("\0\0\1", 3);
  const size_t at = data.find(kStart, from);
  return at == std::string_view::npos ? data.size() : at;
}

}  // namespace

bool FitsMp4(AVCodecID codec) { return codec == AV_CODEC_ID_H264 || codec == AV_CODEC_ID_HEVC; }

namespace {

// Calls `take` with every unit of an Annex B picture, without its start code.
template <class Take>
void EachUnit(std::string_view data, const Take& take) {
  for (size_t at = NextStartCode(data, 0); at + 3 < data.size();) {
    const size_t begin = at + 3;
    at = NextStartCode(data, begin);
    size_t end = at;
    while (end > begin && data[end - 1] == '\0') --end;
    if (end > begin) take(data.substr(begin, end - begin));
  }
}

std::string_view DataOf(const AVPacket& packet) {
  return {reinterpret_cast<const char*>(packet.data), static_cast<size_t>(packet.size)};
}

std::string SequenceSet(AVCodecID codec, std::string_view annex_b) {
  std::string set;
  EachUnit(annex_b, [&](std::string_view unit) {
    if (set.empty() && IsSequenceSet(codec, static_cast<uint8_t>(unit[0]))) set = unit;
  });
  return set;
}

}  // namespace

std::string ParameterSets(AVCodecID codec, const AVPacket& packet) {
  std::string sets;
  EachUnit(DataOf(packet), [&](std::string_view unit) {
    if (!IsParameterSet(codec, static_cast<uint8_t>(unit[0]))) return;
    sets.append("\0\0\0\1", 4);
    sets.append(unit);
  });
  return sets;
}

absl::StatusOr<std::string> Mp4MimeType(const AVCodecParameters& codec, const Packet& first) {
  if (codec.codec_id != AV_CODEC_ID_H264)
    return absl::InvalidArgumentError(
        fmt::format("{} is not what browsers play", avcodec_get_name(codec.codec_id)));
  const std::string_view outside(reinterpret_cast<const char*>(codec.extradata),
                                 static_cast<size_t>(codec.extradata_size));
  // Profile, constraints and level stand behind the header of the set, and in the same places of
  // the container's description (avcC).
  std::string set = SequenceSet(codec.codec_id, DataOf(*first.av));
  if (outside.size() > 3 && outside[0] == 1) set = outside;
  if (set.size() < 4) set = SequenceSet(codec.codec_id, outside);
  if (set.size() < 4) return absl::InvalidArgumentError("the stream has no parameter sets");
  const auto byte = [&set](size_t i) { return static_cast<uint8_t>(set[i]); };
  return fmt::format("video/mp4; codecs=\"avc1.{:02x}{:02x}{:02x}\"", byte(1), byte(2), byte(3));
}

absl::StatusOr<std::unique_ptr<Mp4Writer>> Mp4Writer::Make(const AVCodecParameters& codec,
                                                           const Packet& first, Cut cut,
                                                           Sink sink) {
  av::Init();
  if (!FitsMp4(codec.codec_id)) {
    return absl::InvalidArgumentError(
        fmt::format("{} does not go into MP4 as it is", avcodec_get_name(codec.codec_id)));
  }
  if ((first.av->flags & AV_PKT_FLAG_KEY) == 0)
    return absl::InvalidArgumentError("a clip begins with a key frame");
  std::unique_ptr<Mp4Writer> writer(new Mp4Writer(std::move(sink)));
  RETURN_IF_ERROR(writer->Begin(codec, first, cut));
  return writer;
}

Mp4Writer::~Mp4Writer() {
  if (output_ == nullptr) return;
  if (output_->pb != nullptr) {
    av_freep(&output_->pb->buffer);
    avio_context_free(&output_->pb);
  }
  avformat_free_context(output_);
}

absl::Status Mp4Writer::Check(int code, std::string_view what) const {
  if (!sink_status_.ok()) return sink_status_;
  return code < 0 ? absl::InternalError(fmt::format("{}: {}", what, av::ErrorText(code)))
                  : absl::OkStatus();
}

int Mp4Writer::OnBytes(void* self, uint8_t* bytes, int size) {
  auto& writer = *static_cast<Mp4Writer*>(self);
  if (!writer.sink_status_.ok()) return AVERROR(EIO);
  writer.sink_status_ =
      writer.sink_({reinterpret_cast<const char*>(bytes), static_cast<size_t>(size)});
  return writer.sink_status_.ok() ? size : AVERROR(EIO);
}

absl::Status Mp4Writer::Begin(const AVCodecParameters& codec, const Packet& first, Cut cut) {
  every_picture_ = cut == Cut::kEveryPicture;
  codec_ = codec.codec_id;
  RETURN_IF_ERROR(Check(avformat_alloc_output_context2(&output_, nullptr, "mp4", nullptr), "MP4"));
  auto* buffer = static_cast<uint8_t*>(av_malloc(kBufferBytes));
  output_->pb =
      avio_alloc_context(buffer, kBufferBytes, 1, this, nullptr, &Mp4Writer::OnBytes, nullptr);
  CORDON_CHECK(buffer != nullptr && output_->pb != nullptr, "out of memory");
  output_->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT;
  stream_ = avformat_new_stream(output_, nullptr);
  CORDON_CHECK(stream_ != nullptr, "out of memory");
  RETURN_IF_ERROR(Check(avcodec_parameters_copy(stream_->codecpar, &codec), "codec"));
  AVCodecParameters& own = *stream_->codecpar;
  own.codec_tag = codec.codec_id == AV_CODEC_ID_HEVC ? MKTAG('h', 'v', 'c', '1') : 0;
  const bool length_prefixed = own.extradata_size > 0 && own.extradata[0] == 1;
  if (const std::string sets = length_prefixed ? "" : ParameterSets(codec.codec_id, *first.av);
      !sets.empty()) {
    av_freep(&own.extradata);
    own.extradata = static_cast<uint8_t*>(av_mallocz(sets.size() + AV_INPUT_BUFFER_PADDING_SIZE));
    CORDON_CHECK(own.extradata != nullptr, "out of memory");
    std::memcpy(own.extradata, sets.data(), sets.size());
    own.extradata_size = static_cast<int>(sets.size());
    sequence_set_ = SequenceSet(codec_, DataOf(*first.av));
  }
  if (own.extradata_size == 0) return absl::DataLossError("the stream has no parameter sets");
  if (own.width == 0 || own.height == 0) {
    own.width = 16;  // the muxer insists on a size; players take it from the parameter sets
    own.height = 16;
  }
  stream_->time_base = AVRational{1, 90'000};
  AVDictionary* options = nullptr;
  av_dict_set(&options, "movflags",
              every_picture_ ? "empty_moov+default_base_moof+frag_custom"
                             : "empty_moov+default_base_moof+frag_keyframe",
              0);
  const int code = avformat_write_header(output_, &options);
  av_dict_free(&options);
  RETURN_IF_ERROR(Check(code, "MP4 header"));
  avio_flush(output_->pb);
  return sink_status_;
}

void Mp4Writer::Rebase(const Packet& packet, AVPacket& out) {
  int64_t dts = out.dts != AV_NOPTS_VALUE ? out.dts : out.pts;
  int64_t pts = out.pts != AV_NOPTS_VALUE ? out.pts : dts;
  if (!run_ || packet.run != *run_) {
    shift_us_ = (run_ ? last_dts_us_ + step_us_ : 0) - dts;
    run_ = packet.run;
  }
  dts += shift_us_;
  pts += shift_us_;
  if (dts > last_dts_us_ && last_dts_us_ >= 0)
    step_us_ = std::min<int64_t>(dts - last_dts_us_, 1'000'000);
  dts = std::max(dts, last_dts_us_ + 12);  // one tick of the 90 kHz clock
  last_dts_us_ = dts;
  out.dts = dts;
  out.pts = std::max(pts, dts);
  out.duration = step_us_;
  end_us_ = std::max(end_us_, out.pts + step_us_);
}

absl::Status Mp4Writer::Write(const Packet& packet) {
  if (!sequence_set_.empty() && (packet.av->flags & AV_PKT_FLAG_KEY) != 0) {
    const std::string set = SequenceSet(codec_, DataOf(*packet.av));
    if (!set.empty() && set != sequence_set_)
      return absl::OutOfRangeError("the camera changed its picture's format");
  }
  AvPacketPtr out(av_packet_clone(packet.av.get()));
  CORDON_CHECK(out != nullptr, "out of memory");
  Rebase(packet, *out);
  out->stream_index = 0;
  av_packet_rescale_ts(out.get(), kMicros, stream_->time_base);
  RETURN_IF_ERROR(Check(av_write_frame(output_, out.get()), "MP4"));
  if (every_picture_) {
    RETURN_IF_ERROR(Check(av_write_frame(output_, nullptr), "MP4"));
    avio_flush(output_->pb);
  }
  return sink_status_;
}

absl::Status Mp4Writer::Finish() {
  if (std::exchange(finished_, true)) return absl::OkStatus();
  RETURN_IF_ERROR(Check(av_write_trailer(output_), "MP4 end"));
  avio_flush(output_->pb);
  return sink_status_;
}

}  // namespace cordon
