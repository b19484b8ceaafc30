#include "service/log/log_writer.h"

#include <limits.h>
#include <poll.h>
#include <spdlog/async.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <streambuf>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "service/log/log_value.h"

namespace rollcall::service {
namespace {

using Clock = std::chrono::steady_clock;
using ThreadPool = decltype(spdlog::thread_pool());

constexpr std::chrono::milliseconds kTimeToEnd = std::chrono::seconds(1);

// A pool of one thread, so that lines keep their order.
ThreadPool MakeThreadPool(size_t max_lines) {
  spdlog::init_thread_pool(max_lines, 1);
  return spdlog::thread_pool();
}

}  // namespace

// Writes lines to the descriptor. spdlog passes each line in one piece, on the pool's thread.
class LogWriter::Output final : public std::streambuf {
 public:
  Output(int descriptor, size_t max_lines)
      : descriptor_(descriptor),
        wakeup_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        pool_(MakeThreadPool(max_lines)),
        queue_(*pool_) {}
  ~Output() override { close(wakeup_); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  const ThreadPool& pool() const { return pool_; }

  int64_t lost() const { return static_cast<int64_t>(queue_.overrun_counter()) + unwritten_; }

  // Writes what is queued until `time`, drops the rest, and ends the thread. From another thread.
  void EndBy(Clock::time_point time) {
    end_ = time;
    eventfd_write(wakeup_, 1);
    spdlog::shutdown();  // releases spdlog's reference to the pool
    pool_.reset();       // joins the thread
  }

 protected:
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    WriteLine({text, static_cast<size_t>(size)});
    return size;
  }

 private:
  void WriteLine(absl::string_view line) {
    if (const int64_t now_lost = lost(); now_lost != lost_told_) {
      const std::string note = absl::StrCat(R"({"time":")", LogTime(),
                                            R"(","level":"warn","event":"log_lines_lost","lines":)",
                                            now_lost - lost_told_, "}\n");
      if (Write(note)) lost_told_ = now_lost;
    }
    if (!Write(line)) ++unwritten_;
  }

  // Returns whether the whole line was written. On a full disk, for example, it cannot be.
  bool Write(absl::string_view line) {
    const std::string whole = absl::StrCat(is_cut_ ? "\n" : "", line);
    absl::string_view rest = whole;
    while (!rest.empty()) {
      if (!WaitForRoom()) return true;  // the end: lost lines are not reported any more
      // A pipe with room accepts this many bytes without blocking.
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

  // Returns false if the time to end is over.
  bool WaitForRoom() const {
    while (true) {
      const Clock::time_point end = end_;
      int timeout = -1;
      if (end != Clock::time_point::max()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
        timeout = static_cast<int>(std::max<int64_t>(left.count(), 0));
      }
      // Once the end is set, the eventfd stays readable and would make poll() return at once.
      std::array<pollfd, 2> wanted{pollfd{descriptor_, POLLOUT, 0}, pollfd{wakeup_, POLLIN, 0}};
      const int count = poll(wanted.data(), timeout < 0 ? 2 : 1, timeout);
      if (count < 0 && errno != EINTR) return false;
      if (count > 0 && wanted[0].revents != 0) return true;
      if (count == 0) return false;
    }
  }

  const int descriptor_;
  const int wakeup_;  // an eventfd
  ThreadPool pool_;
  ThreadPool::element_type& queue_;  // *pool_, for the pool's thread until it is joined
  std::atomic<Clock::time_point> end_ = Clock::time_point::max();
  std::atomic<int64_t> unwritten_ = 0;
  // Accessed on the pool's thread only.
  int64_t lost_told_ = 0;
  bool is_cut_ = false;  // the last line was written in part
};

LogWriter::LogWriter(int descriptor, size_t max_lines)
    : output_(std::make_unique<Output>(descriptor, max_lines)), stream_(output_.get()) {
  auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(stream_);
  sink->set_pattern("%v");  // the line as it is
  logger_ = std::make_shared<spdlog::async_logger>("", std::move(sink), output_->pool(),
                                                   spdlog::async_overflow_policy::overrun_oldest);
}

LogWriter::~LogWriter() {
  logger_.reset();
  output_->EndBy(Clock::now() + kTimeToEnd);
}

int64_t LogWriter::lines_lost() const { return output_->lost(); }

}  // namespace rollcall::service
