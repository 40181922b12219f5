// SPDX-License-Identifier: Apache-2.0
// A camera's side of an RTSP connection: replies, challenges, frames, garbage.
#include <cstdint>
#include <span>
#include <string>

#include "ingest/rtsp_auth.h"
#include "ingest/rtsp_message.h"
#include "ingest/rtsp_url.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cordon;
  if (size == 0) return 0;
  RtspParser parser;
  if ((data[0] & 1) != 0)
    parser.Streaming(0, 1);  // 'R' of RTSP/1.0 is even, '$' too: a first byte chooses
  std::span<const uint8_t> rest(data, size);
  if ((data[0] & 1) != 0) rest = rest.subspan(1);
  RtspAuthenticator authenticator("user", Secret("password"), true);
  while (!rest.empty()) {
    const absl::StatusOr<RtspParser::Item> item = parser.Next(rest);
    if (!item.ok()) break;
    if (item->consumed > rest.size()) __builtin_trap();
    if (item->kind == RtspParser::Kind::kReply) {
      authenticator.OnUnauthorized(item->message.FindAll("WWW-Authenticate")).IgnoreError();
      authenticator.Authorization("PLAY", "rtsp://h/");
      for (const auto& [name, value] : item->message.headers) {
        HeaderParameter(value, "timeout");
        ParseRtspUrl(value).IgnoreError();
        JoinControl("rtsp://h/a", value);
      }
    }
    if (item->consumed == 0) break;
    rest = rest.subspan(item->consumed);
  }
  return 0;
}
