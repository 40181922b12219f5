// SPDX-License-Identifier: Apache-2.0
#include "bus/keys.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/file_util.h"
#include "bus/bus_context.h"
#include "tests/support/test_data.h"

namespace cordon {
namespace {

using testing::TemporaryFolder;

TEST(Keys, GenerateLoadAndList) {
  const TemporaryFolder folder;
  const std::string dir = folder.File("keys");
  ASSERT_TRUE(GenerateKeyFiles(dir, kDispatcherName).ok());
  ASSERT_TRUE(GenerateKeyFiles(dir, "node-1").ok());
  const auto ring = LoadKeyRing(dir, "node-1");
  ASSERT_TRUE(ring.ok()) << ring.status();
  EXPECT_EQ(ring->peers.size(), 2u);
  EXPECT_EQ(ring->peers.at(ring->own.public_key), "node-1");
  EXPECT_EQ(ring->peers.at(ring->dispatcher_public_key), kDispatcherName);
  const auto list = ListKeyFiles(dir);
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ((*list)[0].name, kDispatcherName);
  EXPECT_TRUE((*list)[0].has_secret);
}

TEST(Keys, SecretsAreReadableByTheOwnerOnly) {
  const TemporaryFolder folder;
  const std::string dir = folder.File("keys");
  ASSERT_TRUE(GenerateKeyFiles(dir, "node-1").ok());
  struct stat info {};
  ASSERT_EQ(::stat((dir + "/node-1.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat(dir.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  ASSERT_EQ(::chmod((dir + "/node-1.key").c_str(), 0644), 0);
  const absl::Status status = LoadKeyRing(dir, "node-1").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(MessageOf(status).find("chmod 600"), std::string_view::npos);
}

TEST(Keys, AKeyIsNeverOverwritten) {
  const TemporaryFolder folder;
  ASSERT_TRUE(GenerateKeyFiles(folder.path(), "node-1").ok());
  EXPECT_EQ(GenerateKeyFiles(folder.path(), "node-1").code(), absl::StatusCode::kAlreadyExists);
}

TEST(Keys, AMissingKeySaysWhichCommandMakesIt) {
  const TemporaryFolder folder;
  const absl::Status status = LoadKeyRing(folder.path(), "node-1").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(MessageOf(status).find("cordon keys generate " + folder.path() + " --name node-1"),
            std::string_view::npos);
}

TEST(Keys, NamesThatLeaveTheFolderAreRefused) {
  const TemporaryFolder folder;
  for (const char* name : {"", "../x", "a/b", "Node", "a b", "-x"})
    EXPECT_EQ(GenerateKeyFiles(folder.path(), name).code(), absl::StatusCode::kInvalidArgument)
        << name;
}

TEST(Keys, OneKeyUnderTwoNamesIsRefused) {
  const TemporaryFolder folder;
  ASSERT_TRUE(GenerateKeyFiles(folder.path(), "node-1").ok());
  std::filesystem::copy(folder.File("node-1.pub"), folder.File("node-2.pub"));
  EXPECT_EQ(LoadKeyRing(folder.path(), "node-1").status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(Keys, ADamagedKeyIsNamed) {
  const TemporaryFolder folder;
  ASSERT_TRUE(GenerateKeyFiles(folder.path(), "node-1").ok());
  ASSERT_TRUE(WriteFileDurably(folder.File("node-2.pub"), "short").ok());
  const absl::Status status = LoadKeyRing(folder.path(), "node-1").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(MessageOf(status).find("node-2.pub"), std::string_view::npos);
}

TEST(ResolveEndpoint, PutsTheDataFolderInAndKnowsTheLimitOfSocketPaths) {
  EXPECT_EQ(*ResolveEndpoint("ipc://@data/alerts.sock", "/var/lib/cordon"),
            "ipc:///var/lib/cordon/alerts.sock");
  EXPECT_EQ(*ResolveEndpoint("tcp://10.0.0.1:5555", "/x"), "tcp://10.0.0.1:5555");
  const absl::Status status =
      ResolveEndpoint("ipc://@data/alerts.sock", "/" + std::string(100, 'd')).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(MessageOf(status).find("107"), std::string_view::npos);
  EXPECT_FALSE(ResolveEndpoint("udp://x", "/x").ok());
}

}  // namespace
}  // namespace cordon
