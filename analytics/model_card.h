// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "proto/model_card.pb.h"

namespace cordon {

// A detection network and what its card says of it. The bytes are those whose hash was checked:
// what runs is what was checked, whatever happens to the file meanwhile.
struct Model {
  proto::ModelCard card;
  std::string card_path;
  std::string network;    // bytes of card.model
  std::string structure;  // bytes of card.structure; empty without one
};

// Reads and proves a model card (docs/models.md) and the files it names. INVALID_ARGUMENT, one
// problem per line: the card cannot be read strictly, its values contradict each other, it names
// faces, identities or traits of persons. NOT_FOUND: a file is neither beside the card nor in
// $CORDON_MODELS. FAILED_PRECONDITION: a hash differs.
absl::StatusOr<Model> LoadModel(const std::string& card_path);

// The card alone, without its files.
absl::StatusOr<proto::ModelCard> ReadModelCard(const std::string& card_path);

// The word in `text` (case ignored, at word boundaries) that speaks of a face, an identity or a
// personal trait; empty when there is none. Cordon runs no such model.
std::optional<std::string> ForbiddenWord(std::string_view text);

}  // namespace cordon
