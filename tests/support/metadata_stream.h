// SPDX-License-Identifier: Apache-2.0
// What a camera's ONVIF metadata stream carries: documents, and the RTP packets that they are cut
// into.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/rtp_stream.h"

namespace cordon::testing {

inline constexpr int kMetadataPayloadType = 107;

inline std::string MetadataDocument(const std::string& content) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?><tt:MetadataStream "
         "xmlns:tt=\"http://www.onvif.org/ver10/schema\" "
         "xmlns:wsnt=\"http://docs.oasis-open.org/wsn/b-2\">" +
         content + "</tt:MetadataStream>";
}

// The cell motion detector's state, as the standard's example has it.
inline std::string MotionEvent(bool moves) {
  return MetadataDocument(
      std::string("<tt:Event><wsnt:NotificationMessage><wsnt:Topic>tns1:RuleEngine/"
                  "CellMotionDetector/Motion</wsnt:Topic><wsnt:Message><tt:Message "
                  "UtcTime=\"2026-01-01T00:00:00Z\" PropertyOperation=\"Changed\"><tt:Source>"
                  "<tt:SimpleItem Name=\"Rule\" Value=\"yard\"/></tt:Source><tt:Data>"
                  "<tt:SimpleItem Name=\"IsMotion\" Value=\"") +
      (moves ? "true" : "false") +
      "\"/></tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage></tt:Event>");
}

// One picture with one object. `behaviour`: "" or "<tt:Idle/>".
inline std::string ObjectFrame(const std::string& id, const std::string& behaviour,
                               const std::string& type = "Human") {
  return MetadataDocument(
      "<tt:VideoAnalytics><tt:Frame UtcTime=\"2026-01-01T00:00:00Z\"><tt:Object ObjectId=\"" + id +
      "\"><tt:Appearance><tt:Shape><tt:BoundingBox left=\"-0.2\" top=\"0.3\" right=\"0.1\" "
      "bottom=\"-0.5\"/></tt:Shape><tt:Class><tt:ClassCandidate><tt:Type>" +
      type +
      "</tt:Type><tt:Likelihood>0.9</tt:Likelihood></tt:ClassCandidate></tt:Class></tt:Appearance>"
      "<tt:Behaviour>" +
      behaviour + "</tt:Behaviour></tt:Object></tt:Frame></tt:VideoAnalytics>");
}

// Numbers documents and packets as one sender does.
class MetadataPackets {
 public:
  std::vector<RtpPiece> Cut(const std::string& document, size_t mtu = 1200) {
    std::vector<RtpPiece> pieces;
    timestamp_ += 3600;
    for (size_t at = 0; at < document.size(); at += mtu) {
      RtpPiece piece;
      piece.sequence = sequence_++;
      piece.timestamp = timestamp_;
      piece.ssrc = 0x5eed;
      piece.payload_type = kMetadataPayloadType;
      piece.payload = document.substr(at, mtu);
      piece.marker = at + mtu >= document.size();
      pieces.push_back(std::move(piece));
    }
    return pieces;
  }

 private:
  uint16_t sequence_ = 500;
  uint32_t timestamp_ = 90000;
};

// A description of H.264 video with a metadata stream of this encoding beside it.
inline std::string SdpWithMetadata(const std::string& encoding = "vnd.onvif.metadata") {
  return Sdp(false) + "m=application 0 RTP/AVP 107\r\na=rtpmap:107 " + encoding +
         "/90000\r\na=control:track2\r\n";
}

}  // namespace cordon::testing
