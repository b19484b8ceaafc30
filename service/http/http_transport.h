// HTTP requests as the rest of the service sees them: a GET whose response body arrives in pieces.
// The receiver can refuse a piece, which pauses the transfer. CurlTransport is the real
// implementation; tests have one that plays a script. All functions but scheduler() must be called
// on the scheduler's thread.
//
// Deferred deletion: a transfer must not be destroyed inside a callback of any transfer. An owner
// that drops one there calls Cancel(), after which its receiver is not called any more, and passes
// it to Scheduler::DeleteLater(). So an object is never destroyed below its own callbacks.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "service/http/scheduler.h"
#include "service/secrets/secret.h"
#include "service/trace/trace_context.h"

namespace rollcall::service {

// A GET. What it refers to must outlive Get().
struct HttpRequest {
  std::string url;
  const std::string& username;
  const Secret& password;
  std::chrono::milliseconds connect_timeout;
  std::chrono::milliseconds idle_timeout;   // the longest time without a byte from the server
  const std::string& ca_file;               // in PEM form; the system's if empty
  bool require_tls_1_3;                     // otherwise at least 1.2
  bool http2;                               // whether requests may share a connection
  const std::optional<std::string>& proxy;  // its URL; empty: none; absent: the environment's
  const TraceContext& trace;                // whose headers are sent
  bool new_connection = false;              // do not reuse one
  // The configured upstream and the provider's API, by name. CurlTransport ignores them; a
  // decorator that reads responses cannot tell from the URL what they contain. Empty if unknown.
  absl::string_view upstream = {};
  absl::string_view api = {};
};

// The head of a response. Valid during OnHead().
class HttpResponse {
 public:
  virtual int status() const = 0;
  // The value of a header; nullopt if it is absent.
  virtual std::optional<std::string> header(const char* name) const = 0;
  // Whether only the end of the connection shows where the body ends. HTTP/2 shows it as well, but
  // libcurl 7.88 does not in all cases: a stream that is cut while another one of its connection is
  // paused, or after a GOAWAY, can look like one that has ended.
  bool ends_with_connection() const {
    return !header("Content-Length") && !header("Transfer-Encoding");
  }

 protected:
  ~HttpResponse() = default;
};

class HttpTransport {
 public:
  // Gets the response to a request.
  class Receiver {
   public:
    // The head is complete. Not called if there is none.
    virtual void OnHead(const HttpResponse& response) = 0;
    // False refuses `bytes`: they are passed again, perhaps with more, after Transfer::Resume().
    virtual bool OnBody(absl::string_view bytes) = 0;
    // The response is complete, or `status` says why the rest is missing: UNAVAILABLE with
    // UPSTREAM_UNREACHABLE or UPSTREAM_TIMEOUT, INTERNAL with UPSTREAM_NOT_TRUSTED or
    // UPSTREAM_MALFORMED_RESPONSE, or INTERNAL if the request could not be made. The last call.
    virtual void OnDone(absl::Status status) = 0;

   protected:
    ~Receiver() = default;
  };

  // A request in flight. Must not outlive the transport.
  class Transfer {
   public:
    Transfer() = default;
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;
    // Cancels the request. Not inside a callback, see above.
    virtual ~Transfer() = default;

    // Ends the request. Its receiver is not called any more. Has no effect once it has ended.
    virtual void Cancel() = 0;

    // Continues after a refused piece of the body. May call the receiver.
    virtual void Resume() = 0;

    // The response belongs to another request: no further request may be sent on its connection.
    // Also after the transfer has ended. Has no effect over HTTP/2.
    virtual void DistrustConnection() = 0;
  };

  HttpTransport() = default;
  HttpTransport(const HttpTransport&) = delete;
  HttpTransport& operator=(const HttpTransport&) = delete;
  virtual ~HttpTransport() = default;

  // Sends a request. `receiver` is not called from here, and must outlive the transfer unless that
  // is cancelled.
  virtual std::unique_ptr<Transfer> Get(const HttpRequest& request, Receiver& receiver) = 0;

  virtual Scheduler& scheduler() = 0;
};

}  // namespace rollcall::service
