// SPDX-License-Identifier: Apache-2.0
#include "base/sqlite.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "base/file_util.h"
#include "tests/support/test_data.h"

namespace cordon::sqlite {
namespace {

using cordon::testing::TemporaryFolder;
using Mode = Connection::Mode;

std::unique_ptr<Connection> MustOpen(const std::string& path, Mode mode = Mode::kReadWrite) {
  auto connection = Connection::Open(path, mode);
  EXPECT_TRUE(connection.ok()) << connection.status();
  return connection.ok() ? *std::move(connection) : nullptr;
}

int64_t Count(Connection& connection) {
  auto query = connection.Prepare("SELECT count(*) FROM t");
  EXPECT_TRUE(query.ok() && *query->Step());
  return query->Int(0);
}

TEST(Sqlite, ValuesRoundTrip) {
  const TemporaryFolder folder;
  auto db = MustOpen(folder.File("a.db"));
  ASSERT_TRUE(db->Execute("CREATE TABLE t(i INTEGER, r REAL, s TEXT, b BLOB, n)").ok());
  const std::string blob("\0\x01\xff", 3);
  auto insert = db->Prepare("INSERT INTO t VALUES(?,?,?,?,?)");
  ASSERT_TRUE(insert.ok());
  insert->Bind(1, int64_t{1} << 62).Bind(2, 0.25).Bind(3, "née").BindBlob(4, blob).BindNull(5);
  ASSERT_TRUE(insert->Run().ok());
  auto query = db->Prepare("SELECT * FROM t");
  ASSERT_TRUE(*query->Step());
  EXPECT_EQ(query->Int(0), int64_t{1} << 62);
  EXPECT_EQ(query->Real(1), 0.25);
  EXPECT_EQ(query->Text(2), "née");
  EXPECT_EQ(query->Blob(3), blob);
  EXPECT_TRUE(query->IsNull(4));
  EXPECT_FALSE(*query->Step());
}

TEST(Sqlite, AnEmptyBlobIsNotNull) {
  const TemporaryFolder folder;
  auto db = MustOpen(folder.File("a.db"));
  ASSERT_TRUE(db->Execute("CREATE TABLE t(b BLOB NOT NULL)").ok());
  EXPECT_TRUE(db->Prepare("INSERT INTO t VALUES(?)")->BindBlob(1, {}).Run().ok());
}

TEST(Sqlite, AlertsFilesAreWrittenWithFullSync) {
  const TemporaryFolder folder;
  auto db = MustOpen(folder.File("a.db"));
  auto mode = db->Prepare("PRAGMA journal_mode");
  ASSERT_TRUE(*mode->Step());
  EXPECT_EQ(mode->Text(0), "wal");
  auto sync = db->Prepare("PRAGMA synchronous");
  ASSERT_TRUE(*sync->Step());
  EXPECT_EQ(sync->Int(0), 2) << "2 is FULL";
}

TEST(Sqlite, ATransactionThatIsNotCommittedLeavesNothing) {
  const TemporaryFolder folder;
  auto db = MustOpen(folder.File("a.db"));
  ASSERT_TRUE(db->Execute("CREATE TABLE t(i)").ok());
  {
    auto transaction = Transaction::Begin(*db);
    ASSERT_TRUE(db->Execute("INSERT INTO t VALUES(1)").ok());
  }
  EXPECT_EQ(Count(*db), 0);
  auto transaction = Transaction::Begin(*db);
  ASSERT_TRUE(db->Execute("INSERT INTO t VALUES(1)").ok());
  ASSERT_TRUE(transaction->Commit().ok());
  EXPECT_EQ(Count(*db), 1);
}

TEST(Sqlite, ASecondWriterIsRefusedAndAReaderIsNot) {
  const TemporaryFolder folder;
  auto first = MustOpen(folder.File("a.db"));
  ASSERT_TRUE(first->Execute("CREATE TABLE t(i)").ok());
  const auto second = Connection::Open(folder.File("a.db"), Mode::kReadWrite);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(MessageOf(second.status()).find("in use by another process"), std::string_view::npos);
  auto reader = MustOpen(folder.File("a.db"), Mode::kReadOnly);
  EXPECT_EQ(Count(*reader), 0);
  EXPECT_FALSE(reader->Execute("INSERT INTO t VALUES(1)").ok());
  first.reset();
  EXPECT_NE(MustOpen(folder.File("a.db")), nullptr);
}

TEST(Sqlite, AUniqueKeyTwiceIsAlreadyExists) {
  const TemporaryFolder folder;
  auto db = MustOpen(folder.File("a.db"));
  ASSERT_TRUE(db->Execute("CREATE TABLE t(i INTEGER PRIMARY KEY, c CHECK(c > 0))").ok());
  auto insert = db->Prepare("INSERT INTO t VALUES(?, ?)");
  EXPECT_TRUE(insert->Bind(1, int64_t{1}).Bind(2, int64_t{1}).Run().ok());
  EXPECT_EQ(insert->Bind(1, int64_t{1}).Bind(2, int64_t{1}).Run().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(insert->Bind(1, int64_t{2}).Bind(2, int64_t{0}).Run().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(Sqlite, AFullDiskIsResourceExhaustedAndTheFileStaysUsable) {
  const TemporaryFolder folder;
  auto db = MustOpen(folder.File("a.db"));
  ASSERT_TRUE(db->Execute("CREATE TABLE t(b BLOB)").ok());
  ASSERT_TRUE(db->Execute("PRAGMA max_page_count=8").ok());
  EXPECT_EQ(db->Execute("INSERT INTO t VALUES(zeroblob(100000))").code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(db->Execute("INSERT INTO t VALUES(zeroblob(10))").ok());
}

TEST(Sqlite, MigratesStepByStepAndRefusesANewerFile) {
  const TemporaryFolder folder;
  constexpr std::array<std::string_view, 2> kSteps = {"CREATE TABLE t(i)",
                                                      "INSERT INTO t VALUES(1)"};
  auto db = MustOpen(folder.File("a.db"));
  ASSERT_TRUE(db->Migrate(std::span(kSteps).first(1)).ok());
  EXPECT_EQ(Count(*db), 0);
  ASSERT_TRUE(db->Migrate(kSteps).ok());
  ASSERT_TRUE(db->Migrate(kSteps).ok());
  EXPECT_EQ(Count(*db), 1) << "a step runs once";
  const absl::Status older = db->Migrate(std::span(kSteps).first(1));
  EXPECT_EQ(older.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(MessageOf(older).find("newer Cordon"), std::string_view::npos);
}

TEST(Sqlite, WhatIsNoDatabaseIsDataLoss) {
  const TemporaryFolder folder;
  ASSERT_TRUE(WriteFileDurably(folder.File("a.db"), std::string(8192, 'x')).ok());
  EXPECT_EQ(Connection::Open(folder.File("a.db"), Mode::kReadWrite).status().code(),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(Connection::Open(folder.File("none.db"), Mode::kReadOnly).status().code(),
            absl::StatusCode::kNotFound);
}

TEST(Sqlite, WhatIsDeletedIsNotInTheFileAnyMore) {
  const TemporaryFolder folder;
  const std::string path = folder.File("a.db");
  const std::string picture = "a face that was to be forgotten";
  const auto in_file = [&] { return ReadFile(path, 1 << 20)->find(picture) != std::string::npos; };
  {
    auto db = MustOpen(path);
    ASSERT_TRUE(db->Execute("CREATE TABLE t(b)").ok());
    for (int i = 0; i < 100; ++i) {
      auto insert = db->Prepare("INSERT INTO t VALUES(?)");
      ASSERT_TRUE(insert->BindBlob(1, picture + std::string(1000, 'x')).Run().ok());
    }
  }
  ASSERT_TRUE(in_file());
  ASSERT_TRUE(MustOpen(path)->Execute("DELETE FROM t").ok());
  EXPECT_FALSE(in_file());
}

TEST(Sqlite, CommittedRowsSurviveKill) {
  const TemporaryFolder folder;
  const std::string path = folder.File("a.db");
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto db = MustOpen(path);
    (void)db->Execute("CREATE TABLE t(i); INSERT INTO t VALUES(1)");
    (void)db->Execute("BEGIN; INSERT INTO t VALUES(2)");
    (void)!::write(ready[1], "x", 1);
    ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(Count(*MustOpen(path)), 1);
}

}  // namespace
}  // namespace cordon::sqlite
