#include "service/log/log_writer.h"

#include <limits.h>
#include <poll.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/sink.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "service/log/log_value.h"

namespace rollcall {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTimeToEnd = std::chrono::seconds(1);

}  // namespace

// What the pool's one thread writes with.
class LogWriter::Sink final : public spdlog::sinks::sink {
 public:
  explicit Sink(int descriptor)
      : descriptor_(descriptor), wakeup_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~Sink() override { close(wakeup_); }

  void CountLost(const spdlog::details::thread_pool& pool) { pool_ = &pool; }
  int64_t lost() const {
    // It only reads, but spdlog does not say so.
    auto* const pool = const_cast<spdlog::details::thread_pool*>(pool_);
    return static_cast<int64_t>(pool->overrun_counter()) + unwritten_;
  }

  // From another thread: whatever is not written by then is not written.
  void EndBy(Clock::time_point time) {
    end_ = time;
    eventfd_write(wakeup_, 1);
  }

  void log(const spdlog::details::log_msg& message) override {
    if (const int64_t now_lost = lost(); now_lost != lost_told_) {
      const std::string line = absl::StrCat(R"({"time":")", LogTime(),
                                            R"(","level":"warn","event":"log lines lost","lines":)",
                                            now_lost - lost_told_, "}\n");
      if (Write(line)) lost_told_ = now_lost;
    }
    if (!Write(absl::StrCat(absl::string_view(message.payload.data(), message.payload.size()),
                            "\n"))) {
      ++unwritten_;
    }
  }
  void flush() override {}
  void set_pattern(const std::string& /*pattern*/) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter> /*formatter*/) override {}

 private:
  // Whether all of the line was written. On a full disk, for example, it cannot be.
  bool Write(absl::string_view line) {
    const std::string whole = absl::StrCat(is_cut_ ? "\n" : "", line);
    absl::string_view rest = whole;
    while (!rest.empty()) {
      if (!WaitForRoom()) return true;  // the end: nobody counts any more
      // So much a pipe with room takes without making its writer wait.
      const ssize_t written =
          write(descriptor_, rest.data(), std::min<size_t>(rest.size(), PIPE_BUF));
      if (written < 0 && errno != EINTR && errno != EAGAIN) {
        is_cut_ = is_cut_ || rest.size() < whole.size();
        return false;
      }
      if (written > 0) rest.remove_prefix(static_cast<size_t>(written));
    }
    is_cut_ = false;
    return true;
  }

  // False once there is no more time.
  bool WaitForRoom() const {
    while (true) {
      const Clock::time_point end = end_;
      int timeout = -1;
      if (end != Clock::time_point::max()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
        timeout = static_cast<int>(std::max<int64_t>(left.count(), 0));
      }
      // To be told of the end is of use only until it was.
      std::array<pollfd, 2> wanted{pollfd{descriptor_, POLLOUT, 0}, pollfd{wakeup_, POLLIN, 0}};
      const int count = poll(wanted.data(), timeout < 0 ? 2 : 1, timeout);
      if (count < 0 && errno != EINTR) return false;
      if (count > 0 && wanted[0].revents != 0) return true;
      if (count == 0) return false;
    }
  }

  const int descriptor_;
  const int wakeup_;  // an eventfd
  std::atomic<Clock::time_point> end_ = Clock::time_point::max();
  const spdlog::details::thread_pool* pool_ = nullptr;
  std::atomic<int64_t> unwritten_ = 0;
  // Of the writing thread.
  int64_t lost_told_ = 0;
  bool is_cut_ = false;  // what was written last is a part of a line
};

LogWriter::LogWriter(int descriptor, size_t max_lines)
    : sink_(std::make_shared<Sink>(descriptor)),
      pool_(std::make_shared<spdlog::details::thread_pool>(max_lines, 1)),
      logger_(std::make_shared<spdlog::async_logger>(
          "", sink_, pool_, spdlog::async_overflow_policy::overrun_oldest)) {
  sink_->CountLost(*pool_);
}

LogWriter::~LogWriter() {
  sink_->EndBy(Clock::now() + kTimeToEnd);
  logger_.reset();
  pool_.reset();  // waits for its thread
}

int64_t LogWriter::lines_lost() const { return sink_->lost(); }

}  // namespace rollcall
