// Checks that gRPC still accepts connections. gRPC 1.51 stops for good when file descriptors run
// out, and only logs that; a restart of the process helps. Connects to the server's own address
// every few seconds, on a thread of its own.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <string>
#include <thread>

#include "service/sync/mutex.h"

namespace rollcall::service {

class AcceptProbe {
 public:
  // `address`: "HOST:PORT" or "unix:PATH". Starts the thread.
  explicit AcceptProbe(std::string address,
                       std::chrono::milliseconds interval = std::chrono::seconds(5));
  ~AcceptProbe();
  AcceptProbe(const AcceptProbe&) = delete;
  AcceptProbe& operator=(const AcceptProbe&) = delete;

  // How long ago a connection was last accepted; at first, how long ago the probe was made. From
  // any thread.
  std::chrono::milliseconds Silence() const;

 private:
  using Clock = std::chrono::steady_clock;

  void Run();
  bool IsAccepted() const;

  const std::string address_;
  const std::chrono::milliseconds interval_;
  std::atomic<Clock::rep> accepted_;

  Mutex mutex_;
  std::condition_variable_any wake_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;  // last, because it uses the other members
};

}  // namespace rollcall::service
