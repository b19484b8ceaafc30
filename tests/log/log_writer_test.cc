#include "service/log/log_writer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <semaphore.h>
#include <signal.h>
#include <spdlog/logger.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace rollcall::service {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

// A pipe that is read by ReadLine() only.
class Pipe {
 public:
  Pipe() { EXPECT_EQ(pipe2(ends_.data(), O_CLOEXEC), 0); }
  ~Pipe() {
    for (const int end : ends_) close(end);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int writing_end() const { return ends_[1]; }

  // Waits for the next line, and returns it without its end.
  std::string ReadLine() {
    while (read_.find('\n') == std::string::npos) {
      std::array<char, 4096> bytes{};
      const ssize_t count = read(ends_[0], bytes.data(), bytes.size());
      if (count <= 0) return read_;
      read_.append(bytes.data(), static_cast<size_t>(count));
    }
    const size_t end = read_.find('\n');
    std::string line = read_.substr(0, end);
    read_.erase(0, end + 1);
    return line;
  }

 private:
  std::array<int, 2> ends_{};
  std::string read_;
};

TEST(LogWriterTest, WritesLinesVerbatimInOrder) {
  Pipe pipe;
  LogWriter writer(pipe.writing_end());
  writer.logger()->info(std::string("one {} %v"));
  writer.logger()->warn(std::string("two"));
  EXPECT_EQ(pipe.ReadLine(), "one {} %v");
  EXPECT_EQ(pipe.ReadLine(), "two");
  EXPECT_EQ(writer.lines_lost(), 0);
}

TEST(LogWriterTest, WritesQueuedLinesWhenDestroyed) {
  Pipe pipe;
  {
    LogWriter writer(pipe.writing_end());
    for (int i = 0; i < 100; ++i) writer.logger()->info(std::to_string(i));
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(pipe.ReadLine(), std::to_string(i));
}

// Logs many times what the pipe and the queue hold, which would deadlock if logging blocked.
TEST(LogWriterTest, DropsOldestLinesAndReportsTheirNumberIfUnread) {
  constexpr int kLines = 20000;
  Pipe pipe;
  LogWriter writer(pipe.writing_end(), 16);
  const std::string rest(100, 'x');
  for (int i = 0; i < kLines; ++i) writer.logger()->info(std::to_string(i) + rest);
  const int64_t lost = writer.lines_lost();
  EXPECT_GT(lost, kLines / 2);

  int64_t told = 0;
  int lines = 0;
  for (std::string line; line != std::to_string(kLines - 1) + rest;) {
    line = pipe.ReadLine();
    if (line.front() != '{') {
      ++lines;
      continue;
    }
    const auto event = nlohmann::json::parse(line);
    EXPECT_EQ(event["event"], "log_lines_lost");
    told += event["lines"].get<int64_t>();
  }
  EXPECT_EQ(told, lost);
  EXPECT_EQ(lines, kLines - lost);
}

TEST(LogWriterTest, EndsIfPipeIsUnread) {
  Pipe pipe;
  std::optional<LogWriter> writer(std::in_place, pipe.writing_end(), 16);
  for (int i = 0; i < 20000; ++i) writer->logger()->info(std::string(100, 'x'));
  writer.reset();
}

// Posted for each write to the closed pipe, whose thread receives SIGPIPE.
sem_t broken_writes;

TEST(LogWriterTest, ContinuesWhenReaderIsReplaced) {
  constexpr int kLost = 100;
  ASSERT_EQ(sem_init(&broken_writes, 0, 0), 0);
  const auto before = signal(SIGPIPE, [](int) { sem_post(&broken_writes); });
  int descriptor = -1;
  {
    Pipe gone;
    descriptor = dup(gone.writing_end());
  }
  Pipe pipe;
  {
    LogWriter writer(descriptor);
    for (int i = 0; i < kLost; ++i) writer.logger()->info(std::string("lost"));
    // From the second line on, a note about the lost lines is tried before each.
    for (int i = 0; i < 2 * kLost - 1;) i += sem_wait(&broken_writes) == 0 ? 1 : 0;
    dup2(pipe.writing_end(), descriptor);  // a new reader
    writer.logger()->info(std::string("read"));
    const auto told = nlohmann::json::parse(pipe.ReadLine());
    EXPECT_EQ(told["event"], "log_lines_lost");
    EXPECT_EQ(told["lines"], kLost);
    EXPECT_EQ(pipe.ReadLine(), "read");
    EXPECT_EQ(writer.lines_lost(), kLost);
  }
  close(descriptor);
  signal(SIGPIPE, before);
  sem_destroy(&broken_writes);
}

}  // namespace
}  // namespace rollcall::service
