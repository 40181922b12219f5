// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz entry without a fuzzer: every file of the corpus folder (argv[1]), then mutations of them from a printed seed. A crash is
// the failure; the seed and the round repeat it. Linked with one *_fuzz.cc each; with clang and CORDON_BUILD_FUZZ libFuzzer drives the
// same entry.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

void Run(const std::string& bytes) { LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()); }

std::string Mutate(std::string bytes, const std::string& other, std::mt19937& random) {
  for (uint32_t steps = 1 + random() % 4; steps > 0; --steps) {
    const size_t at = bytes.empty() ? 0 : random() % bytes.size();
    switch (random() % 5) {
      case 0:
        if (!bytes.empty()) bytes[at] = static_cast<char>(random());
        break;
      case 1: bytes.erase(at, random() % 8); break;
      case 2: bytes.insert(at, std::string(1 + random() % 4, static_cast<char>(random()))); break;
      case 3: bytes = bytes.substr(0, at) + other.substr(other.empty() ? 0 : random() % other.size()); break;
      default: bytes.insert(at, std::to_string(static_cast<int64_t>(random()) - 0x7fff'ffff)); break;
    }
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s CORPUS_FOLDER [ROUNDS] [SEED]\n", argv[0]);
    return 2;
  }
  std::vector<std::string> corpus;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    std::ifstream file(entry.path(), std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    Run(corpus.back());
  }
  if (corpus.empty()) {
    std::fprintf(stderr, "%s: no corpus there\n", argv[1]);
    return 1;
  }
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 20'000;
  const uint32_t seed = argc > 3 ? static_cast<uint32_t>(std::strtoul(argv[3], nullptr, 10)) : std::random_device()();
  std::printf("corpus %zu files, %d mutations, seed %u\n", corpus.size(), rounds, seed);
  std::fflush(stdout);
  std::mt19937 random(seed);
  for (int round = 0; round < rounds; ++round)
    Run(Mutate(corpus[random() % corpus.size()], corpus[random() % corpus.size()], random));
  return 0;
}
