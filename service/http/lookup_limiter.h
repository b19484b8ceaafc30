// Limits how many lookups of one host name a CurlTransport has in progress. libcurl runs each on a
// thread of its own, with a pair of sockets, and cannot end it: the thread stays until
// getaddrinfo() returns, which can take half a minute. Runs on the event loop's thread.
#pragma once

#include <deque>
#include <string>
#include <unordered_map>

namespace rollcall::service {

class CurlExchange;

class LookupLimiter {
 public:
  // More than one, because a lost packet delays a lookup by seconds, and the first that succeeds
  // serves all.
  static constexpr int kMaxLookups = 4;  // per host

  // Acquires a permit for one lookup. False if all of the host's are held.
  bool TryAcquire(const std::string& host);

  // Queues an exchange for a permit, after TryAcquire() has returned false.
  void Wait(const std::string& host, CurlExchange& exchange);
  void StopWaiting(const std::string& host, CurlExchange& exchange);

  // Passes a permit on to the first exchange that waits, and returns that; null if none waits.
  CurlExchange* Release(const std::string& host);

 private:
  struct Host {
    int permits = 0;  // held; at least one
    std::deque<CurlExchange*> waiting;
  };

  std::unordered_map<std::string, Host> hosts_;
};

}  // namespace rollcall::service
