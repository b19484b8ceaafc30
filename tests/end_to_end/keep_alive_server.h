// A provider that keeps its connections open and sends whatever a test wants on them, byte for byte
// and also without being asked. HTTP/1.1, plain or over TLS, on a free port of 127.0.0.1; a thread
// for each connection.
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
  // A request, and where it came.
  struct Request {
    std::string target;
    size_t connection;  // its number, from 0 on
    size_t number;      // of the request on its connection, from 0 on
  };

  // What is sent in return.
  struct Reply {
    std::string response = {};
    // Sent without being asked for, behind the response: in the same TCP segment where `at_once`,
    // with TLS as a record of its own; else in a later one.
    std::string unsolicited = {};
    bool at_once = false;
    // Sends a session ticket behind the response, with TLS 1.3.
    bool ticket = false;
    // Asks for another handshake behind the response, with TLS 1.2, and then is silent.
    bool renegotiate = false;
    // Ends the connection then: in order, or by a reset.
    enum class End { kNone, kClose, kReset } end = End::kNone;
  };

  using Handler = std::function<Reply(const Request&)>;

  struct Options {
    // TLS1_2_VERSION or TLS1_3_VERSION; plain where absent.
    std::optional<int> tls_version = std::nullopt;
    // Bounds what the kernel takes of requests that are not read; 0 leaves it to the kernel.
    int receive_buffer_bytes = 0;
    // The second request of a connection is answered when its first bytes have come, and never
    // read.
    bool answers_early = false;
  };

  KeepAliveServer(Options options, Handler handler);
  ~KeepAliveServer();

  // "http://127.0.0.1:PORT" or "https://localhost:PORT".
  std::string url() const;
  // What a client with TLS trusts, in PEM form.
  std::string authority() const { return authority_.certificate(); }

  void SetHandler(Handler handler);

  size_t connections() const { return server_.connections(); }
  std::vector<Request> requests() const;

  // Waits until this many replies are sent, with all that belongs to them. False if it takes too
  // long.
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

  // Last, so that its threads end before what they use.
  LoopbackServer server_;
};

}  // namespace rollcall
