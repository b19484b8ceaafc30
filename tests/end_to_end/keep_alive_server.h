// A provider that keeps its connections open and sends arbitrary bytes on them, also unsolicited.
// HTTP/1.1, plain or over TLS, on a free port of 127.0.0.1; one thread per connection.
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tests/end_to_end/certificate.h"
#include "tests/end_to_end/loopback_server.h"

namespace rollcall {

class KeepAliveServer {
 public:
  // A request, and the connection on which it arrived.
  struct Request {
    std::string target;
    size_t connection;  // index of the connection, from 0
    size_t number;      // index of the request on its connection, from 0
  };

  // What the server sends back.
  struct Reply {
    std::string response = {};
    // Bytes that the server sends after the response without a request: in the same TCP segment if
    // `at_once` (with TLS, as a record of its own), otherwise in a later one.
    std::string unsolicited = {};
    bool at_once = false;
    // Sends a TLS 1.3 session ticket after the response.
    bool ticket = false;
    // Requests a TLS 1.2 renegotiation after the response, and then sends nothing more.
    bool renegotiate = false;
    // Finally ends the connection: with a FIN, or with a reset.
    enum class End { kNone, kClose, kReset } end = End::kNone;
  };

  using Handler = std::function<Reply(const Request&)>;

  struct Options {
    // TLS1_2_VERSION or TLS1_3_VERSION; without TLS if absent.
    std::optional<int> tls_version = std::nullopt;
    // Size of the kernel's receive buffer, which bounds unread requests; 0 keeps the kernel's
    // default.
    int receive_buffer_bytes = 0;
    // Responds to the second request of a connection at its first bytes, and never reads the rest.
    bool answers_early = false;
  };

  KeepAliveServer(Options options, Handler handler);
  ~KeepAliveServer();

  // "http://127.0.0.1:PORT" or "https://localhost:PORT".
  std::string url() const;
  // The authority that a TLS client must trust, as PEM.
  std::string authority() const { return authority_.certificate(); }

  void SetHandler(Handler handler);

  size_t connections() const { return server_.connections(); }
  std::vector<Request> requests() const;

  // Waits until this many replies are sent completely. False on timeout.
  bool WaitForReplies(size_t count);

 private:
  class Wire;

  void Serve(int socket);
  bool Answer(Wire& wire, const Request& request);

  const Options options_;
  const Certificate authority_ = Certificate::Authority();
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> tls_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  Handler handler_;
  std::vector<Request> requests_;
  size_t accepted_ = 0;
  size_t replies_ = 0;

  // Last, so that its threads end before the members that they use.
  LoopbackServer server_;
};

}  // namespace rollcall
