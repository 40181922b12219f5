// SPDX-License-Identifier: Apache-2.0
#include "base/file_util.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/test_data.h"

namespace cordon {
namespace {

TEST(FileUtil, WritesAndReadsBack) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.File("a");
  const std::string bytes("one\0two", 7);
  ASSERT_TRUE(WriteFileDurably(path, bytes).ok());
  EXPECT_EQ(*ReadFile(path, 100), bytes);
  ASSERT_TRUE(WriteFileDurably(path, "new").ok());
  EXPECT_EQ(*ReadFile(path, 100), "new");
  EXPECT_FALSE(std::filesystem::exists(path + ".tmp"));
}

TEST(FileUtil, ModeIsAsAsked) {
  const testing::TemporaryFolder folder;
  ASSERT_TRUE(WriteFileDurably(folder.File("key"), "x", 0600).ok());
  struct stat info {};
  ASSERT_EQ(::stat(folder.File("key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST(FileUtil, RefusesAFileLargerThanTheLimit) {
  const testing::TemporaryFolder folder;
  ASSERT_TRUE(WriteFileDurably(folder.File("a"), "12345").ok());
  EXPECT_EQ(ReadFile(folder.File("a"), 4).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(ReadFile(folder.File("a"), 5).ok());
  EXPECT_EQ(ReadFile("/dev/zero", 1000).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(FileUtil, MissingFilesAreNotFoundAndNamed) {
  const absl::Status status = ReadFile("/nowhere/at/all", 10).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(MessageOf(status).find("/nowhere/at/all"), std::string_view::npos);
  EXPECT_FALSE(WriteFileDurably("/nowhere/at/all", "x").ok());
}

TEST(FileUtil, MakesFoldersAndAcceptsThatTheyExist) {
  const testing::TemporaryFolder folder;
  const std::string deep = folder.File("a/b/c");
  EXPECT_TRUE(MakeDirectories(deep).ok());
  EXPECT_TRUE(MakeDirectories(deep).ok());
  EXPECT_TRUE(std::filesystem::is_directory(deep));
}

TEST(FileUtil, AFileInTheWayOfAFolderIsSaid) {
  const testing::TemporaryFolder folder;
  ASSERT_TRUE(WriteFileDurably(folder.File("a"), "x").ok());
  EXPECT_FALSE(MakeDirectories(folder.File("a")).ok());
  EXPECT_FALSE(MakeDirectories(folder.File("a/b")).ok());
}

}  // namespace
}  // namespace cordon
