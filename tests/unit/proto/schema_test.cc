// SPDX-License-Identifier: Apache-2.0
// Rules of the schema that no compiler checks (proto/README.md).
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "base/config_rules.h"
#include "proto/alert.pb.h"
#include "proto/circles.pb.h"
#include "proto/config.pb.h"
#include "proto/envelope.pb.h"
#include "proto/incident.pb.h"

namespace cordon {
namespace {

namespace pb = google::protobuf;

std::vector<const pb::FileDescriptor*> AllFiles() {
  std::set<const pb::FileDescriptor*> files;
  std::function<void(const pb::FileDescriptor*)> add = [&](const pb::FileDescriptor* file) {
    if (file->package() != "cordon.proto" || !files.insert(file).second) return;
    for (int i = 0; i < file->dependency_count(); ++i) add(file->dependency(i));
  };
  add(proto::Envelope::descriptor()->file());
  add(proto::OutboxRecord::descriptor()->file());
  add(proto::ResponseCircles::descriptor()->file());
  add(proto::Incident::descriptor()->file());
  return {files.begin(), files.end()};
}

void VisitMessage(const pb::Descriptor& message,
                  const std::function<void(const pb::Descriptor&)>& visit) {
  visit(message);
  for (int i = 0; i < message.nested_type_count(); ++i)
    VisitMessage(*message.nested_type(i), visit);
}

void VisitMessages(const std::function<void(const pb::Descriptor&)>& visit) {
  for (const pb::FileDescriptor* file : AllFiles())
    for (int i = 0; i < file->message_type_count(); ++i)
      VisitMessage(*file->message_type(i), visit);
}

// The words of a name: "face_id", "faceId" and "FaceId" all give {face, id}.
std::vector<std::string> Words(const std::string& name) {
  std::string spaced;
  for (const char c : name) {
    if (absl::ascii_isupper(static_cast<unsigned char>(c))) spaced += '_';
    spaced += absl::ascii_tolower(static_cast<unsigned char>(c));
  }
  return absl::StrSplit(spaced, '_', absl::SkipEmpty());
}

// Words that would make a person recognisable, or a profile of persons.
const std::set<std::string>& ForbiddenWords() {
  static const auto* const words = new std::set<std::string>{
      "face",     "facial",      "biometric", "biometrics", "embedding",   "reid",
      "identity", "gender",      "sex",       "age",        "race",        "ethnicity",
      "ethnic",   "religion",    "gait",      "iris",       "fingerprint", "emotion",
      "skin",     "nationality", "citizen",   "passport",   "watchlist",   "blacklist",
      "plate",    "imsi",        "imei",      "mac",        "voice",       "surname",
      "birth",    "birthday",    "hair",      "clothing",   "appearance",  "phone"};
  return *words;
}

// A name with one of the words above. "age" followed by a unit of time is the age of a picture, a
// packet or a fix.
bool IsForbidden(const std::string& name) {
  const std::vector<std::string> words = Words(name);
  for (size_t i = 0; i < words.size(); ++i) {
    const bool duration =
        words[i] == "age" && i + 1 < words.size() && (words[i + 1] == "ms" || words[i + 1] == "s");
    if (ForbiddenWords().contains(words[i]) && !duration) return true;
  }
  return false;
}

TEST(Privacy, NoFieldCanHoldAFaceAnIdentityOrAPersonsFeatures) {
  size_t fields = 0;
  VisitMessages([&](const pb::Descriptor& message) {
    EXPECT_FALSE(IsForbidden(message.name())) << message.full_name();
    for (int i = 0; i < message.field_count(); ++i, ++fields)
      EXPECT_FALSE(IsForbidden(message.field(i)->name()))
          << message.field(i)->full_name() << " could make a person recognisable";
  });
  EXPECT_GT(fields, 150u) << "the scan saw the whole schema";
}

TEST(Privacy, NoEnumNamesSuchAThing) {
  for (const pb::FileDescriptor* file : AllFiles())
    for (int i = 0; i < file->enum_type_count(); ++i)
      for (int k = 0; k < file->enum_type(i)->value_count(); ++k) {
        const std::string name = absl::AsciiStrToLower(file->enum_type(i)->value(k)->name());
        EXPECT_FALSE(IsForbidden(name)) << name;
      }
}

TEST(Privacy, TheScanWouldFindOne) {
  EXPECT_TRUE(IsForbidden("face_id"));
  EXPECT_TRUE(IsForbidden("faceId"));
  EXPECT_TRUE(IsForbidden("age"));
  EXPECT_FALSE(IsForbidden("last_packet_age_ms"));
  EXPECT_TRUE(IsForbidden("licence_plate"));
  EXPECT_FALSE(IsForbidden("surface")) << "whole words only";
}

TEST(Schema, EveryConfigFieldIsDocumented) {
  const pb::FileDescriptor& file = *proto::Site::descriptor()->file();
  const auto check = [](const pb::Descriptor& message) {
    for (int i = 0; i < message.field_count(); ++i) {
      const pb::FieldDescriptor& field = *message.field(i);
      const FieldRules rules = RulesOf(field);
      EXPECT_FALSE(rules.doc.empty()) << field.full_name() << " has no doc";
      const bool text_or_more = field.cpp_type() == pb::FieldDescriptor::CPPTYPE_STRING ||
                                field.cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE ||
                                field.is_repeated();
      EXPECT_TRUE(text_or_more || rules.required || !rules.default_value.empty())
          << field.full_name() << " is neither required nor has a default";
      EXPECT_FALSE(rules.required && !rules.default_value.empty())
          << field.full_name() << " is required: no default";
      EXPECT_TRUE(rules.pattern.empty() || !rules.pattern_hint.empty())
          << field.full_name() << " has a pattern but no words for it";
      EXPECT_TRUE(!field.is_repeated() || rules.max_items)
          << field.full_name() << " is a list without a bound";
    }
  };
  for (int i = 0; i < file.message_type_count(); ++i) VisitMessage(*file.message_type(i), check);
}

TEST(Schema, EveryConfigNumberHasItsRangeAndItsUnitWhereItMeasures) {
  // Counts, ranks and shares of a picture have no unit; nor has a density counted in objects' own heights.
  const std::set<std::string> unitless = {"outbox_limit", "priority", "count", "min_height",
                                          "max_height",   "x",        "y",        "density"};
  const auto check = [&](const pb::Descriptor& message) {
    for (int i = 0; i < message.field_count(); ++i) {
      const pb::FieldDescriptor& field = *message.field(i);
      const bool number = field.cpp_type() != pb::FieldDescriptor::CPPTYPE_STRING &&
                          field.cpp_type() != pb::FieldDescriptor::CPPTYPE_MESSAGE &&
                          field.cpp_type() != pb::FieldDescriptor::CPPTYPE_BOOL &&
                          field.cpp_type() != pb::FieldDescriptor::CPPTYPE_ENUM;
      if (!number) continue;
      const FieldRules rules = RulesOf(field);
      EXPECT_TRUE(rules.min && rules.max) << field.full_name() << " has no range";
      EXPECT_TRUE(!rules.unit.empty() || unitless.contains(field.name()))
          << field.full_name() << " has no unit";
    }
  };
  const pb::FileDescriptor& file = *proto::Site::descriptor()->file();
  for (int i = 0; i < file.message_type_count(); ++i) VisitMessage(*file.message_type(i), check);
}

TEST(Schema, EveryEnumBeginsAtZeroWithItsOwnPrefix) {
  const auto check = [](const pb::EnumDescriptor& type) {
    EXPECT_EQ(type.value(0)->number(), 0) << type.full_name();
    for (int i = 0; i < type.value_count(); ++i) {
      const std::string key = EnumKey(*type.value(i));
      EXPECT_NE(key, absl::AsciiStrToLower(type.value(i)->name()))
          << type.full_name() << " lacks its prefix";
    }
  };
  for (const pb::FileDescriptor* file : AllFiles())
    for (int i = 0; i < file->enum_type_count(); ++i) check(*file->enum_type(i));
  VisitMessages([&](const pb::Descriptor& message) {
    for (int i = 0; i < message.enum_type_count(); ++i) check(*message.enum_type(i));
  });
}

// "message number name type" of every field, sorted.
std::map<std::string, std::string> Fields() {
  std::map<std::string, std::string> fields;
  VisitMessages([&](const pb::Descriptor& message) {
    for (int i = 0; i < message.field_count(); ++i) {
      const pb::FieldDescriptor& field = *message.field(i);
      fields[message.full_name() + " " + std::to_string(field.number())] =
          field.name() + " " + field.type_name() + (field.is_repeated() ? " list" : "");
    }
  });
  return fields;
}

bool IsReserved(const std::string& message_and_number) {
  const std::vector<std::string> parts = absl::StrSplit(message_and_number, ' ');
  const pb::Descriptor* message =
      pb::DescriptorPool::generated_pool()->FindMessageTypeByName(parts[0]);
  return message == nullptr || message->IsReservedNumber(std::stoi(parts[1]));
}

// Old bytes meet new programs. fields.txt holds what was released; lines are added (CORDON_UPDATE=1
// writes the file), never changed. A field that is given up stays there and is reserved.
TEST(Schema, NoFieldNumberIsEverReused) {
  const std::string path =
      std::string(std::getenv("CORDON_SOURCE_DIR")) + "/tests/unit/proto/fields.txt";
  const std::map<std::string, std::string> now = Fields();
  std::map<std::string, std::string> released;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> words = absl::StrSplit(line, absl::MaxSplits(' ', 2));
    if (words.size() == 3 && words[0] != "#") released[words[0] + " " + words[1]] = words[2];
  }
  ASSERT_TRUE(released.size() > 200 || std::getenv("CORDON_UPDATE") != nullptr) << path;
  for (const auto& [field, meaning] : released) {
    const auto it = now.find(field);
    if (it == now.end()) {
      EXPECT_TRUE(IsReserved(field)) << field << " (" << meaning << ") is gone: reserve its number";
    } else {
      EXPECT_EQ(it->second, meaning)
          << field << " was something else: old files and nodes would be misread";
    }
  }
  if (std::getenv("CORDON_UPDATE") == nullptr) return;
  std::ofstream update(path);
  update
      << "# Every released field: message, number, name, type. Lines are added, never changed.\n";
  released.insert(now.begin(), now.end());
  for (const auto& [field, meaning] : released) update << field << " " << meaning << "\n";
}

}  // namespace
}  // namespace cordon
