// Writes the log on a thread of its own, so that nobody who logs ever waits for who reads. Lines
// wait in a queue of a bounded number; where nobody reads, the oldest make room for new ones, and
// how many were lost is said in the log once it flows again. Made by Telemetry.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace spdlog {
class logger;
namespace details {
class thread_pool;
}  // namespace details
}  // namespace spdlog

namespace rollcall {

class LogWriter {
 public:
  static constexpr size_t kMaxLines = 4096;

  // Writes to this file descriptor, which stays its owner's.
  explicit LogWriter(int descriptor, size_t max_lines = kMaxLines);
  // Gives the lines that wait a second to be written.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // Takes lines until the writer ends, from any thread.
  const std::shared_ptr<spdlog::logger>& logger() const { return logger_; }

  // From any thread.
  int64_t lines_lost() const;

 private:
  class Sink;

  std::shared_ptr<Sink> sink_;
  std::shared_ptr<spdlog::details::thread_pool> pool_;
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace rollcall
