// SPDX-License-Identifier: Apache-2.0
// The metadata stream beside a camera's video: what its own analytics see, as XML documents over
// RTP (ONVIF Streaming Specification: payload vnd.onvif.metadata, the marker bit ends a document).
// No I/O.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/metrics.h"
#include "ingest/onvif_triggers.h"
#include "ingest/onvif_xml.h"
#include "ingest/rtp_sequencer.h"

namespace cordon {

// A camera's metadata across its connections: rules and events that begin, and objects that appear
// or begin to move, wake the full decode. Nothing of a document is kept but the states of rules and
// the numbers of objects; faces are passed over. Documents are bounded in size and number; what
// cannot be read is counted and, once a minute, said. One thread.
class OnvifMetadata {
 public:
  // Far above what one picture's objects need (2 to 20 KiB).
  static constexpr size_t kMaxDocumentBytes = 256 * 1024;
  // Cameras send one for each picture and one for each event.
  static constexpr int kMostDocumentsInASecond = 60;
  static constexpr size_t kMostObjects = 256;

  // `wake` is called from within OnRtp.
  OnvifMetadata(std::string camera, Metrics& metrics, const Clock& clock,
                std::function<void()> wake);

  // False for an hour after Refuse: a camera that cannot serve both must not lose its video.
  bool Wanted() const;
  void Refuse(std::string_view why);

  // A connection begins whose metadata come with this payload type.
  void Begin(int payload_type);
  // One RTP packet. Never an error: what is wrong costs its own document.
  void OnRtp(std::span<const uint8_t> bytes);

 private:
  struct Object {
    bool moves = false;
    BootTime seen;
  };
  void Take(const RtpSequencer::Delivery& delivery);
  void EndDocument();
  bool TooMany();
  // Whether something began.
  absl::StatusOr<bool> Read(std::string_view xml);
  bool ReadEvents(const pugi::xml_node& event);
  bool ReadFrame(const pugi::xml_node& frame);
  bool Begins(const pugi::xml_node& object);
  void Unread(std::string_view why);

  const std::string camera_;
  const Clock& clock_;
  const std::function<void()> wake_;
  prometheus::Counter& documents_;
  prometheus::Counter& unread_;
  prometheus::Counter& wakes_;

  std::optional<BootTime> refused_at_;
  int payload_type_ = -1;
  RtspStats rtp_;  // of this stream, beside the video's
  std::unique_ptr<RtpSequencer> sequencer_;
  std::string document_;
  uint32_t timestamp_ = 0;
  bool broken_ = false;  // the rest of the open document is dropped
  int64_t second_ = 0;
  int in_this_second_ = 0;
  std::optional<BootTime> said_at_;
  OnvifStates states_;
  std::map<std::string, Object> objects_;
};

}  // namespace cordon
