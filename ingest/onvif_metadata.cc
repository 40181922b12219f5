// SPDX-License-Identifier: Apache-2.0
#include "ingest/onvif_metadata.h"

#include <utility>

#include "base/log.h"
#include "ingest/onvif_client.h"
#include "ingest/rtsp_connection.h"

namespace cordon {
namespace {

constexpr Seconds kAskAgainAfter{3600};
constexpr Seconds kSayEvery{60};
// An object without a word for so long has left.
constexpr Seconds kObjectGone{10};
// As for pull points (OnvifEventOptions).
constexpr Seconds kStuckAfter{600};
// Metadata come in order over TCP; as for the video.
constexpr size_t kReorder = 24;
constexpr Milliseconds kPatience{60};
constexpr size_t kMostObjectIdBytes = 64;

bool IsFace(const pugi::xml_node& object) {
  const pugi::xml_node classes = Descend(object, "Appearance/Class");
  if (TextOf(Child(classes, "Type")) == "Face") return true;
  for (const pugi::xml_node& candidate : Children(classes, "ClassCandidate")) {
    if (TextOf(Child(candidate, "Type")) == "Face") return true;
  }
  return false;
}

}  // namespace

OnvifMetadata::OnvifMetadata(std::string camera, Metrics& metrics, const Clock& clock,
                             std::function<void()> wake)
    : camera_(std::move(camera)),
      clock_(clock),
      wake_(std::move(wake)),
      documents_(metrics.Counter("cordon_onvif_metadata_documents_total",
                                 "Documents of a camera's metadata stream that were read.",
                                 {{"camera", camera_}})),
      unread_(metrics.Counter("cordon_onvif_metadata_unread_total",
                              "Documents of a metadata stream that were too large, too many, "
                              "broken or incomplete.",
                              {{"camera", camera_}})),
      wakes_(metrics.Counter("cordon_onvif_metadata_wakes_total",
                             "Rules, events and objects of a metadata stream that began.",
                             {{"camera", camera_}})),
      states_(kStuckAfter) {}

bool OnvifMetadata::Wanted() const {
  return !refused_at_ || clock_.Boot() - *refused_at_ >= kAskAgainAfter;
}

void OnvifMetadata::Refuse(std::string_view why) {
  refused_at_ = clock_.Boot();
  log::Warning("the camera's metadata stream is not used", {{"camera", camera_}, {"why", why}});
}

void OnvifMetadata::Begin(int payload_type) {
  refused_at_.reset();
  payload_type_ = payload_type;
  document_.clear();
  broken_ = false;
  sequencer_ = std::make_unique<RtpSequencer>(
      kReorder, kPatience, rtp_,
      [this](const RtpSequencer::Delivery& delivery) { Take(delivery); });
}

void OnvifMetadata::OnRtp(std::span<const uint8_t> bytes) {
  const std::optional<RtpPacket> packet = ParseRtp(bytes);
  if (sequencer_ == nullptr || !packet || packet->payload_type != payload_type_) return;
  const BootTime now = clock_.Boot();
  sequencer_->Expire(now);
  sequencer_->Push(*packet, now);
}

void OnvifMetadata::Take(const RtpSequencer::Delivery& delivery) {
  const RtpPacket& packet = delivery.packet;
  // Some cameras leave the marker out: a new time is a new document too.
  if (packet.timestamp != timestamp_ && !document_.empty()) EndDocument();
  if (packet.timestamp != timestamp_) broken_ = false;
  timestamp_ = packet.timestamp;
  if (delivery.lost_before > 0 && !broken_) {
    broken_ = true;
    document_.clear();
    Unread("packets were lost");
  }
  if (!broken_ && document_.size() + packet.payload.size() > kMaxDocumentBytes) {
    broken_ = true;
    document_ = std::string();
    Unread(fmt::format("a document has more than {} bytes", kMaxDocumentBytes));
  }
  if (!broken_) document_.append(packet.payload.begin(), packet.payload.end());
  if (!packet.marker) return;
  if (!document_.empty()) EndDocument();
  broken_ = false;
}

void OnvifMetadata::EndDocument() {
  const std::string document = std::exchange(document_, std::string());
  if (TooMany()) {
    Unread(fmt::format("more than {} documents in a second", kMostDocumentsInASecond));
  } else if (const absl::StatusOr<bool> began = Read(document); !began.ok()) {
    Unread(MessageOf(began.status()));
  } else {
    documents_.Increment();
    if (*began) {
      wakes_.Increment();
      wake_();
    }
  }
}

bool OnvifMetadata::TooMany() {
  const int64_t second = std::chrono::floor<Seconds>(clock_.Boot().time_since_epoch()).count();
  in_this_second_ = second == second_ ? in_this_second_ + 1 : 1;
  second_ = second;
  return in_this_second_ > kMostDocumentsInASecond;
}

absl::StatusOr<bool> OnvifMetadata::Read(std::string_view xml) {
  pugi::xml_document document;
  RETURN_IF_ERROR(ParseXml(xml, document));
  const pugi::xml_node stream = Child(document, "MetadataStream");
  if (!stream) return absl::DataLossError("the document is no MetadataStream");
  bool began = false;
  for (const pugi::xml_node& part : stream.children()) {
    if (LocalName(part) == "Event") began = ReadEvents(part) || began;
    if (LocalName(part) != "VideoAnalytics") continue;
    for (const pugi::xml_node& frame : Children(part, "Frame")) began = ReadFrame(frame) || began;
  }
  return began;
}

bool OnvifMetadata::ReadEvents(const pugi::xml_node& event) {
  bool began = false;
  const BootTime now = clock_.Boot();
  for (const OnvifNotification& notification : ReadNotifications(event)) {
    const std::optional<OnvifTrigger> trigger = states_.Apply(notification, now);
    began = began || (trigger && trigger->active);
  }
  states_.Expire(now);
  return began;
}

bool OnvifMetadata::ReadFrame(const pugi::xml_node& frame) {
  const BootTime now = clock_.Boot();
  std::erase_if(objects_,
                [&](const auto& entry) { return now - entry.second.seen > kObjectGone; });
  bool began = false;
  for (const pugi::xml_node& object : Children(frame, "Object")) began = Begins(object) || began;
  for (const pugi::xml_node& gone : Children(Child(frame, "ObjectTree"), "Delete")) {
    objects_.erase(gone.attribute("ObjectId").value());
  }
  return began;
}

bool OnvifMetadata::Begins(const pugi::xml_node& object) {
  const std::string id = object.attribute("ObjectId").value();
  if (id.empty() || id.size() > kMostObjectIdBytes || IsFace(object)) return false;
  if (objects_.size() >= kMostObjects && !objects_.contains(id)) return false;
  const pugi::xml_node behaviour = Child(object, "Behaviour");
  const bool moves = !Child(behaviour, "Idle") && !Child(behaviour, "Removed");
  Object& known = objects_[id];
  const bool began = moves && !known.moves;
  known = {moves, clock_.Boot()};
  return began;
}

void OnvifMetadata::Unread(std::string_view why) {
  unread_.Increment();
  const BootTime now = clock_.Boot();
  if (said_at_ && now - *said_at_ < kSayEvery) return;
  said_at_ = now;
  log::Warning("a document of the camera's metadata stream is not read",
               {{"camera", camera_}, {"why", Printable(why)}});
}

}  // namespace cordon
