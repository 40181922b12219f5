// SPDX-License-Identifier: Apache-2.0
#include "analytics/model_card.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "absl/strings/str_join.h"
#include "base/config_reader.h"
#include "base/file_util.h"
#include "base/sha256.h"

namespace cordon {
namespace {

// The largest detector that a node would want to hold; also what a wrong path may cost.
constexpr size_t kMaxModelBytes = 512UL * 1024 * 1024;

// Words of models that tell persons apart or describe them. Object classes such as "person" are
// none.
constexpr std::string_view kForbidden[] = {
    "face",       "faces",       "facial",    "facenet",    "arcface",    "insightface",
    "retinaface", "yunet",       "sface",     "identity",   "identities", "identification",
    "reid",       "gait",        "biometric", "biometrics", "embedding",  "embeddings",
    "gender",     "age",         "ethnicity", "race",       "emotion",    "emotions",
    "iris",       "fingerprint", "landmark",  "landmarks"};

absl::Status Contradiction(const std::string& path, const std::string& what) {
  return absl::InvalidArgumentError(path + ": " + what);
}

absl::Status RefuseForbidden(const std::string& path, const proto::ModelCard& card) {
  std::vector<std::string> texts = {card.name(), card.model(), card.structure(), card.source()};
  texts.insert(texts.end(), card.classes().begin(), card.classes().end());
  for (const std::string& text : texts) {
    if (const auto word = ForbiddenWord(text)) {
      return Contradiction(
          path, fmt::format("'{}' names '{}': Cordon runs no model that recognises or describes "
                            "persons; use an object detector",
                            text, *word));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckConsistent(const std::string& path, const proto::ModelCard& card) {
  RETURN_IF_ERROR(RefuseForbidden(path, card));
  if (card.confident_score() < card.least_score()) {
    return Contradiction(path, "confident_score is below least_score; raise it");
  }
  if (!std::is_sorted(card.strides().begin(), card.strides().end())) {
    return Contradiction(path, "strides must ascend");
  }
  const bool two_files = card.format() != proto::ModelCard::FORMAT_ONNX;
  if (two_files != !card.structure().empty()) {
    return Contradiction(path, two_files ? "this format needs 'structure' (.cfg or .prototxt)"
                                         : "an ONNX model has no 'structure'; remove it");
  }
  if (two_files && card.structure_sha256().empty()) {
    return Contradiction(path, "structure_sha256 is missing");
  }
  for (const std::string& name : card.report()) {
    if (std::find(card.classes().begin(), card.classes().end(), name) == card.classes().end()) {
      return Contradiction(path, fmt::format("report: '{}' is none of 'classes'", name));
    }
  }
  return absl::OkStatus();
}

// Beside the card, else in $CORDON_MODELS.
absl::StatusOr<std::string> Find(const std::string& card_path, const std::string& file) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::path beside =
      fs::path(file).is_absolute() ? fs::path(file) : fs::path(card_path).parent_path() / file;
  if (fs::exists(beside, ignored)) return beside.string();
  if (const char* folder = std::getenv("CORDON_MODELS"); folder != nullptr) {
    const fs::path stored = fs::path(folder) / file;
    if (fs::exists(stored, ignored)) return stored.string();
  }
  return absl::NotFoundError(fmt::format(
      "{}: model file '{}' is neither beside the card nor in $CORDON_MODELS; fetch it with "
      "deploy/get-model",
      card_path, file));
}

absl::StatusOr<std::string> ReadProven(const std::string& card_path, const std::string& file,
                                       const std::string& sha256) {
  ASSIGN_OR_RETURN(const std::string path, Find(card_path, file));
  ASSIGN_OR_RETURN(std::string bytes, ReadFile(path, kMaxModelBytes));
  if (const std::string found = Sha256Hex(bytes); found != sha256) {
    return absl::FailedPreconditionError(
        fmt::format("{}: refused: its SHA-256 is {}, but {} says {}; get the file the card was "
                    "written for, or measure the new one and correct the card",
                    path, found, card_path, sha256));
  }
  return bytes;
}

}  // namespace

std::optional<std::string> ForbiddenWord(std::string_view text) {
  std::string word;
  for (size_t i = 0; i <= text.size(); ++i) {
    const auto c =
        i < text.size() ? static_cast<unsigned char>(text[i]) : static_cast<unsigned char>(' ');
    if (std::isalpha(c) != 0) {
      word.push_back(static_cast<char>(std::tolower(c)));
      continue;
    }
    if (std::find(std::begin(kForbidden), std::end(kForbidden), word) != std::end(kForbidden)) {
      return word;
    }
    word.clear();
  }
  return std::nullopt;
}

absl::StatusOr<proto::ModelCard> ReadModelCard(const std::string& card_path) {
  proto::ModelCard card;
  RETURN_IF_ERROR(LoadConfig(card_path, card));
  RETURN_IF_ERROR(CheckConsistent(card_path, card));
  return card;
}

absl::StatusOr<Model> LoadModel(const std::string& card_path) {
  Model model;
  model.card_path = card_path;
  ASSIGN_OR_RETURN(model.card, ReadModelCard(card_path));
  ASSIGN_OR_RETURN(model.network, ReadProven(card_path, model.card.model(), model.card.sha256()));
  if (!model.card.structure().empty()) {
    ASSIGN_OR_RETURN(model.structure,
                     ReadProven(card_path, model.card.structure(), model.card.structure_sha256()));
  }
  return model;
}

}  // namespace cordon
