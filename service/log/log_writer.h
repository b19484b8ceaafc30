// Writes the log on its own thread, so that logging never blocks. The queue of lines is bounded: if
// the descriptor is not read, the oldest lines are dropped, and the log says how many once it can
// be written again. Made by Telemetry.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <ostream>

namespace spdlog {
class logger;
}  // namespace spdlog

namespace rollcall::service {

class LogWriter {
 public:
  static constexpr size_t kMaxLines = 4096;

  // Writes to this file descriptor, which must outlive the writer. One writer at a time: spdlog's
  // public interface has one thread pool per process.
  explicit LogWriter(int descriptor, size_t max_lines = kMaxLines);
  // Writes queued lines for up to one second.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // Accepts lines from any thread until the writer is destroyed.
  const std::shared_ptr<spdlog::logger>& logger() const { return logger_; }

  // Lines that were dropped or could not be written. From any thread.
  int64_t lines_lost() const;

 private:
  class Output;

  const std::unique_ptr<Output> output_;
  std::ostream stream_;  // to output_
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace rollcall::service
