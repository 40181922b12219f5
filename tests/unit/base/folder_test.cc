// SPDX-License-Identifier: Apache-2.0
#include "base/folder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "tests/support/test_data.h"

namespace cordon {
namespace {

class FolderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(temporary_.File("outside")) << "secret";
    auto folder = Folder::Open(temporary_.File("clips"));
    ASSERT_TRUE(folder.ok()) << folder.status();
    folder_.emplace(*std::move(folder));
  }
  absl::Status Read(const std::string& name) {
    const absl::StatusOr<int> fd = folder_->OpenFile(name, O_RDONLY);
    if (fd.ok()) ::close(*fd);
    return fd.status();
  }
  testing::TemporaryFolder temporary_;
  std::optional<Folder> folder_;
};

TEST_F(FolderTest, FilesComeAndGoByName) {
  const auto fd = folder_->OpenFile("a.part", O_WRONLY | O_CREAT | O_EXCL);
  ASSERT_TRUE(fd.ok()) << fd.status();
  ::close(*fd);
  EXPECT_TRUE(folder_->Rename("a.part", "a.mp4").ok());
  EXPECT_TRUE(Read("a.mp4").ok());
  EXPECT_TRUE(folder_->Remove("a.mp4").ok());
  EXPECT_TRUE(folder_->Remove("a.mp4").ok()) << "gone is gone";
  EXPECT_TRUE(absl::IsNotFound(Read("a.mp4")));
}

TEST_F(FolderTest, NothingOutsideIsReached) {
  for (const char* name : {"../outside", "/etc/passwd", "..", ".", "", "a/b"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Read(name))) << name;
    EXPECT_FALSE(folder_->Remove(name).ok()) << name;
    EXPECT_FALSE(folder_->Rename("a", name).ok()) << name;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(Read(std::string("a\0b", 3))));
  EXPECT_TRUE(std::filesystem::exists(temporary_.File("outside")));
}

TEST_F(FolderTest, NoSymbolicLinkIsFollowed) {
  std::filesystem::create_symlink(temporary_.File("outside"), temporary_.File("clips/link"));
  EXPECT_FALSE(Read("link").ok());
  std::filesystem::create_symlink("/etc", temporary_.File("clips/etc"));
  EXPECT_FALSE(Read("etc").ok());
}

TEST_F(FolderTest, AnExchangedPathChangesNothing) {
  std::ofstream(temporary_.File("clips/mine")) << "x";
  std::filesystem::rename(temporary_.File("clips"), temporary_.File("moved"));
  std::filesystem::create_directory(temporary_.File("clips"));
  EXPECT_TRUE(Read("mine").ok()) << "the folder that was opened, not the name it had";
}

}  // namespace
}  // namespace cordon
