// HttpTransport with libcurl, on an event loop. Redirects are not followed, because a request
// carries credentials. Over HTTP/1.1 a request is never sent on a connection that has unread input;
// if a reused connection brings a response that cannot belong to the request, the request is sent
// once more, on a new connection.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "service/http/connections.h"
#include "service/http/event_loop.h"
#include "service/http/http_transport.h"
#include "service/http/lookup_limiter.h"

namespace rollcall::service {

class CurlExchange;

class CurlTransport final : public HttpTransport {
 public:
  explicit CurlTransport(EventLoop& loop);
  // Does not wait for lookups that are running.
  ~CurlTransport() override;

  std::unique_ptr<Transfer> Get(const HttpRequest& request, Receiver& receiver) override;
  Scheduler& scheduler() override { return loop_; }

 private:
  friend class CurlExchange;

  struct FreeMulti {
    void operator()(void* multi) const;
  };
  struct FreeEasy {
    void operator()(void* easy) const;
  };

  // What is left of an exchange that ended while its lookup was running.
  struct AbandonedLookup {
    std::string host;
    std::unique_ptr<void, FreeEasy> easy;  // a CURL, in the multi handle
  };

  // While one exists, libcurl is on the stack, and no handle may be added or removed.
  class CallIntoCurl {
   public:
    explicit CallIntoCurl(CurlTransport& transport) : transport_(transport) {
      ++transport_.calls_into_curl_;
    }
    ~CallIntoCurl() { --transport_.calls_into_curl_; }
    CallIntoCurl(const CallIntoCurl&) = delete;
    CallIntoCurl& operator=(const CallIntoCurl&) = delete;

   private:
    CurlTransport& transport_;
  };

  static int OnSocket(void* easy, int socket, int what, void* transport, void* socket_data);
  static int OnTimer(void* multi, long milliseconds, void* transport);
  static int OnCloseSocket(void* transport, int socket);
  void Act(int socket, int events);
  void DeliverFinished();
  bool IsInCurl() const { return calls_into_curl_ > 0; }
  void Remove(CurlExchange& exchange);
  void WaitForLookup(CurlExchange& exchange);
  void EndLookup(CurlExchange& exchange);
  void PassOnLookup(const std::string& host);
  void CatchUp();

  EventLoop& loop_;
  Connections connections_;
  Timer timer_;                         // libcurl's
  std::vector<CurlExchange*> added_;    // not passed to libcurl yet
  std::vector<CurlExchange*> removed_;  // not removed from libcurl yet
  int calls_into_curl_ = 0;
  LookupLimiter lookups_;
  std::unordered_map<void*, AbandonedLookup> abandoned_;  // by CURL
  // A CURLM. Destroyed first, because it then calls OnSocket() and OnCloseSocket().
  const std::unique_ptr<void, FreeMulti> multi_;
};

}  // namespace rollcall::service
