// Gets documents over HTTP with libcurl, on the thread of an event loop. A body is handed over as
// it arrives; its receiver can refuse a piece, which stops the socket from being read until the
// transfer is resumed. Redirects are not followed: a request goes where it is told to, with its
// credentials, and nowhere else. Over HTTP/1.1 a request is never sent on a connection that has
// unread input; if a reused connection brings a response that cannot be its own, it is sent again,
// once, on a new one. One client a loop; everything here is for the loop's thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "service/config/config.h"
#include "service/http/connections.h"
#include "service/http/event_loop.h"
#include "service/trace/trace_context.h"

namespace rollcall {

// A GET. Names what it refers to for as long as the transfer runs.
struct HttpRequest {
  std::string url;
  const std::string& username;
  const Secret& password;
  std::chrono::milliseconds connect_timeout;
  std::chrono::milliseconds idle_timeout;  // without a byte from the server
  const std::string& ca_file;              // in PEM form; the system's where empty
  TlsVersion min_tls_version;
  bool http2;  // whether to share a connection with other requests, where the server can
  const std::optional<std::string>& proxy;  // its URL; empty for none; absent: the environment's
  const TraceContext& trace;                // whose headers go with it
  bool new_connection = false;              // rather than one that other requests have used
};

// The head of an answer, valid while it is being handed over.
class HttpResponse {
 public:
  virtual int status() const = 0;
  // The value of a header, nullopt where it is absent.
  virtual std::optional<std::string> header(const char* name) const = 0;
  // Whether nothing but the end of the connection tells where the body ends.
  virtual bool ends_with_connection() const = 0;

 protected:
  ~HttpResponse() = default;
};

class HttpClient {
 public:
  // Gets what a transfer brings. Any of its functions may destroy the transfer.
  class Receiver {
   public:
    // Called as soon as the head is complete; not where there is none.
    virtual void OnHead(const HttpResponse& response) = 0;
    // False refuses `bytes`: they come again, perhaps with more, when the transfer is resumed.
    virtual bool OnBody(absl::string_view bytes) = 0;
    // The answer is complete, or `status` says why there will be no more of it: UNAVAILABLE with
    // UPSTREAM_UNREACHABLE or UPSTREAM_TIMEOUT, INTERNAL with UPSTREAM_NOT_TRUSTED or
    // UPSTREAM_MALFORMED_RESPONSE. The last call.
    virtual void OnDone(absl::Status status) = 0;

   protected:
    ~Receiver() = default;
  };

  // A request under way; destroying it ends the request and, unless the answer was complete or the
  // connection is shared, closes its connection. Must not outlive the client.
  class Transfer;

  explicit HttpClient(EventLoop& loop);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  EventLoop& loop() { return loop_; }

  // Begins a request. `receiver` is called from the loop, not from here, and must outlive the
  // transfer.
  std::unique_ptr<Transfer> Get(const HttpRequest& request, Receiver& receiver);

 private:
  friend class Transfer;
  class Exchange;

  static int OnSocket(void* easy, int socket, int what, void* client, void* socket_data);
  static int OnTimer(void* multi, long milliseconds, void* client);
  static int OnOpenSocket(void* client, int socket, int purpose);
  static int OnCloseSocket(void* client, int socket);
  void Act(int socket, int events);
  void DeliverFinished();
  void Drop(Exchange& exchange, const absl::Status& status);
  void Abandon(Exchange& exchange);
  void CatchUp();

  EventLoop& loop_;
  Connections connections_;
  void* const multi_;                                               // a CURLM
  Timer timer_;                                                     // libcurl's
  std::unordered_map<void*, std::unique_ptr<Exchange>> exchanges_;  // by CURL handle
  std::unordered_set<void*> added_;                                 // not handed to libcurl yet
  std::unordered_set<void*> abandoned_;
  int calls_into_curl_ = 0;  // while over 0, no handle may be added or removed
};

class HttpClient::Transfer {
 public:
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Goes on after a refused piece of the body.
  void Resume();

  // The response was not to this request: its connection carries no further one. Also after the
  // transfer has ended.
  void DistrustConnection();

 private:
  friend class HttpClient;
  friend class Exchange;
  Transfer(HttpClient& client, Exchange& exchange) : client_(client), exchange_(&exchange) {}

  HttpClient& client_;
  Exchange* exchange_;                      // null once done
  std::shared_ptr<Connection> connection_;  // null before the request is sent, and with HTTP/2
};

}  // namespace rollcall
