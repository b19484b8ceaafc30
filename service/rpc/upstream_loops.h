// Event loops, each with the HTTP transport and the decoders' memory that belong to its thread. A
// call stays on one loop.
#pragma once

#include <prometheus/histogram.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "service/http/event_loop.h"
#include "service/http/http_transport.h"
#include "service/record/record_decoder.h"

namespace rollcall::service {

class UpstreamLoop {
 public:
  // Makes the transport of a loop.
  using MakeTransport = std::function<std::unique_ptr<HttpTransport>(EventLoop& loop)>;

  // Observes in `lag`, once a second, how late the loop's timer was. `lag` must outlive the loop.
  UpstreamLoop(prometheus::Histogram& lag, const MakeTransport& make_transport)
      : lag_(lag),
        loop_(std::make_unique<EventLoop>()),
        scheduler_(*loop_),
        lag_timer_(*loop_),
        transport_(make_transport(*loop_)) {
    loop_->Post([this] { MeasureLag(); });
  }

  // All calls that used it must be over.
  ~UpstreamLoop() {
    loop_->Post([this] {
      lag_timer_.Stop();
      transport_.reset();
    });
    loop_.reset();  // runs that task before it ends
  }
  UpstreamLoop(const UpstreamLoop&) = delete;
  UpstreamLoop& operator=(const UpstreamLoop&) = delete;

  Scheduler& scheduler() { return scheduler_; }

  // To be used on the loop's thread.
  HttpTransport& transport() { return *transport_; }
  DecoderScratch& decoder_scratch() { return decoder_scratch_; }

 private:
  friend class UpstreamLoops;
  friend class LoopLease;

  // For the loop's own thread.
  void MeasureLag() {
    constexpr std::chrono::seconds kInterval{1};
    const auto now = EventLoop::Clock::now();
    measured_ = now;
    const auto due = now + kInterval;
    lag_timer_.Start(kInterval, [this, due] {
      lag_.Observe(std::chrono::duration<double>(EventLoop::Clock::now() - due).count());
      MeasureLag();
    });
  }

  prometheus::Histogram& lag_;
  std::atomic<int> calls_ = 0;
  std::atomic<EventLoop::Clock::time_point> measured_ = EventLoop::Clock::now();  // last
  std::unique_ptr<EventLoop> loop_;
  Scheduler& scheduler_;  // the loop, also while it ends
  // Used and ended on the loop's thread.
  Timer lag_timer_;
  std::unique_ptr<HttpTransport> transport_;
  DecoderScratch decoder_scratch_;
};

// A call's use of a loop, for as long as it exists.
class LoopLease {
 public:
  explicit LoopLease(UpstreamLoop& loop) : loop_(loop) { ++loop_.calls_; }
  ~LoopLease() { --loop_.calls_; }
  LoopLease(const LoopLease&) = delete;
  LoopLease& operator=(const LoopLease&) = delete;

  UpstreamLoop& operator*() const { return loop_; }
  UpstreamLoop* operator->() const { return &loop_; }

 private:
  UpstreamLoop& loop_;
};

class UpstreamLoops {
 public:
  UpstreamLoops(int count, prometheus::Histogram& lag,
                const UpstreamLoop::MakeTransport& make_transport) {
    for (int i = 0; i < count; ++i) {
      loops_.push_back(std::make_unique<UpstreamLoop>(lag, make_transport));
    }
  }

  // The one with the fewest calls. From any thread.
  UpstreamLoop& Pick() {
    return **std::min_element(loops_.begin(), loops_.end(), [](const auto& a, const auto& b) {
      return a->calls_.load() < b->calls_.load();
    });
  }

  // How many calls each has. From any thread.
  std::vector<int> Calls() const {
    std::vector<int> calls;
    for (const auto& loop : loops_) calls.push_back(loop->calls_);
    return calls;
  }

  // How long ago the slowest loop last measured its lag, which each does once a second. From any
  // thread.
  std::chrono::milliseconds LongestSilence() const {
    EventLoop::Clock::duration longest{};
    for (const auto& loop : loops_) {
      longest = std::max(longest, EventLoop::Clock::now() - loop->measured_.load());
    }
    return std::chrono::duration_cast<std::chrono::milliseconds>(longest);
  }

 private:
  std::vector<std::unique_ptr<UpstreamLoop>> loops_;
};

}  // namespace rollcall::service
