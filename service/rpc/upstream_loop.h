// An event loop with the HTTP client that lives on it: what a call needs to work upstream.
#pragma once

#include <memory>

#include "service/http/event_loop.h"
#include "service/http/http_client.h"

namespace rollcall {

class UpstreamLoop {
 public:
  UpstreamLoop() : client_(std::make_unique<HttpClient>(loop_)) {}

  // All calls that used it must be over. The client ends on the loop's thread, where it lived.
  ~UpstreamLoop() {
    loop_.Post([this] { client_.reset(); });
  }
  UpstreamLoop(const UpstreamLoop&) = delete;
  UpstreamLoop& operator=(const UpstreamLoop&) = delete;

  void Post(EventLoop::Task task) { loop_.Post(std::move(task)); }

  // For the loop's own thread.
  HttpClient& client() { return *client_; }

 private:
  std::unique_ptr<HttpClient> client_;  // made first, but only keeps the reference to the loop
  EventLoop loop_;                      // ends first, after all its tasks
};

}  // namespace rollcall
