// SPDX-License-Identifier: Apache-2.0
// Clips, models and maps that tests use but the repository may not hold (their licences differ). A test that lacks its file
// skips and names it.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace cordon::testing {

// $CORDON_TEST_DATA/relative, by default ../shared beside the source tree.
inline std::string TestData(const std::string& relative) {
  const char* folder = std::getenv("CORDON_TEST_DATA");
  const char* source = std::getenv("CORDON_SOURCE_DIR");
  const std::string root =
      folder != nullptr ? folder : std::string(source != nullptr ? source : ".") + "/../shared";
  return root + "/" + relative;
}

// A fresh folder that is removed with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "cordon-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace cordon::testing

// SKIP_WITHOUT(path): skips the test visibly when the file is absent.
#define SKIP_WITHOUT(path)                                                                    \
  do {                                                                                        \
    if (!std::filesystem::exists(path))                                                       \
      GTEST_SKIP() << "missing test data: " << (path) << " (set CORDON_TEST_DATA)";           \
  } while (false)
