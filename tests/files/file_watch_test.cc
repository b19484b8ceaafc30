#include "service/files/file_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>

namespace rollcall::service {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

// A directory with watched files, and what was reported of them, in order.
class FileWatchTest : public testing::Test {
 protected:
  FileWatchTest() {
    std::string name = (std::filesystem::temp_directory_path() / "rollcall-XXXXXX").string();
    directory_ = mkdtemp(name.data());
  }
  ~FileWatchTest() override {
    watch_.reset();
    std::filesystem::remove_all(directory_);
  }

  std::filesystem::path PathOf(const std::string& name) const { return directory_ / name; }

  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(PathOf(name)) << text;
  }

  // Replaces the file, so that no reader sees a half-written one.
  void Replace(const std::string& name, const std::string& text) const {
    Write(name + ".new", text);
    std::filesystem::rename(PathOf(name + ".new"), PathOf(name));
  }

  void Watch(const std::string& name, const std::string& text, size_t max_bytes = 100) {
    watch_->Add(PathOf(name), max_bytes, text,
                [this, name](const absl::StatusOr<std::string>& now) {
                  const std::lock_guard lock(mutex_);
                  told_.push_back(name + ": " + (now.ok() ? *now : now.status().ToString()));
                  changed_.notify_all();
                });
  }

  // Waits for the next report.
  std::string Next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !told_.empty(); });
    std::string text = told_.front();
    told_.pop_front();
    return text;
  }

  // Checks that nothing was reported so far: a change of another file is reported after it.
  void ExpectNothingElse() {
    if (!std::filesystem::exists(PathOf("other"))) {
      Write("other", "0");
      Watch("other", "0");
    }
    // Twice, because a running poll may be past the file already.
    for (int i = 0; i < 2; ++i) {
      const std::string text = std::to_string(++others_);
      Replace("other", text);
      EXPECT_EQ(Next(), "other: " + text);
    }
  }

  std::filesystem::path directory_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> told_;  // guarded by mutex_
  int others_ = 0;
  std::unique_ptr<FileWatch> watch_ = std::make_unique<FileWatch>(milliseconds(20));
};

TEST_F(FileWatchTest, ReportsNewTextOnce) {
  Write("a", "one");
  Watch("a", "one");
  Replace("a", "two");
  EXPECT_EQ(Next(), "a: two");
  ExpectNothingElse();
  Replace("a", "three");
  EXPECT_EQ(Next(), "a: three");
  ExpectNothingElse();
}

TEST_F(FileWatchTest, ReportsAChangeMadeBeforeWatching) {
  Write("a", "two");
  Watch("a", "one");
  EXPECT_EQ(Next(), "a: two");
}

TEST_F(FileWatchTest, ReportsTheTextIfNoneWasGiven) {
  Write("a", "");
  watch_->Add(PathOf("a"), 100, std::nullopt, [this](const absl::StatusOr<std::string>& now) {
    const std::lock_guard lock(mutex_);
    told_.push_back(now.ok() ? *now : now.status().ToString());
    changed_.notify_all();
  });
  EXPECT_EQ(Next(), "");
}

TEST_F(FileWatchTest, ReportsTextOfTheSameLengthWrittenInPlace) {
  Write("a", "one");
  Watch("a", "one");
  ExpectNothingElse();
  Write("a", "two");
  // A poll may find the file empty.
  std::string told = Next();
  if (told == "a: ") told = Next();
  EXPECT_EQ(told, "a: two");
}

TEST_F(FileWatchTest, ReportsAChangeThatKeepsTimeAndSize) {
  Write("a", "one");
  Watch("a", "one");
  ExpectNothingElse();
  const auto time = std::filesystem::last_write_time(PathOf("a"));
  Write("a.new", "two");
  std::filesystem::last_write_time(PathOf("a.new"), time);
  std::filesystem::rename(PathOf("a.new"), PathOf("a"));
  EXPECT_EQ(Next(), "a: two");
}

TEST_F(FileWatchTest, IgnoresANewFileWithTheSameText) {
  Write("a", "one");
  Watch("a", "one");
  Replace("a", "one");
  ExpectNothingElse();
}

// ..data -> a directory named by time; the file -> ..data/file. An update moves ..data.
TEST_F(FileWatchTest, FollowsLinksAsKubernetesMovesThem) {
  std::filesystem::create_directory(PathOf("..1"));
  std::filesystem::create_directory(PathOf("..2"));
  Write("..1/a", "one");
  Write("..2/a", "two");
  std::filesystem::create_directory_symlink("..1", PathOf("..data"));
  std::filesystem::create_symlink("..data/a", PathOf("a"));
  Watch("a", "one");
  ExpectNothingElse();

  std::filesystem::create_directory_symlink("..2", PathOf("..data_tmp"));
  std::filesystem::rename(PathOf("..data_tmp"), PathOf("..data"));
  std::filesystem::remove_all(PathOf("..1"));
  EXPECT_EQ(Next(), "a: two");
  ExpectNothingElse();
}

TEST_F(FileWatchTest, ReportsOnceThatAFileIsGoneAndThatItIsBack) {
  Write("a", "one");
  Watch("a", "one");
  std::filesystem::rename(PathOf("a"), PathOf("b"));
  EXPECT_THAT(Next(), HasSubstr("cannot open the file"));
  ExpectNothingElse();
  std::filesystem::rename(PathOf("b"), PathOf("a"));
  EXPECT_EQ(Next(), "a: one");
  ExpectNothingElse();
}

TEST_F(FileWatchTest, ReportsADifferentFailure) {
  Write("a", "one");
  Watch("a", "one", 3);
  Replace("a", "four");
  EXPECT_THAT(Next(), HasSubstr("longer than 3 bytes"));
  std::filesystem::remove(PathOf("a"));
  EXPECT_THAT(Next(), HasSubstr("cannot open the file"));
  std::filesystem::create_directory(PathOf("a"));
  EXPECT_THAT(Next(), HasSubstr("cannot read the file"));
  ExpectNothingElse();
}

// The first read consumed its content.
TEST_F(FileWatchTest, DoesNotReadPipesAgain) {
  ASSERT_EQ(mkfifo(PathOf("a").c_str(), 0600), 0);
  Watch("a", "one");
  ExpectNothingElse();
}

TEST_F(FileWatchTest, ReportsAFileReplacedByAPipeWithoutBlocking) {
  Write("a", "one");
  Watch("a", "one");
  ExpectNothingElse();
  std::filesystem::remove(PathOf("a"));
  ASSERT_EQ(mkfifo(PathOf("b").c_str(), 0600), 0);
  std::filesystem::rename(PathOf("b"), PathOf("a"));
  // A poll in between may have found no file.
  std::string told = Next();
  if (told.find("cannot open") != std::string::npos) told = Next();
  EXPECT_THAT(told, HasSubstr("is not a regular file"));
  ExpectNothingElse();
}

TEST(FileWatchWithoutFilesTest, StopsWithoutFiles) { const FileWatch watch; }

}  // namespace
}  // namespace rollcall::service
