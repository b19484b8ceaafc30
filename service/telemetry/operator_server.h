// The operator's port: a small HTTP server for a few pages that are made up when they are asked
// for, such as /metrics. It has one thread, which the pages are made on. GET and HEAD only; a
// client that sends or reads nothing is disconnected after a few seconds, and no address gets all
// of the few connections that there are. Made by Telemetry.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "service/config/current_secret.h"

namespace rollcall {

class OperatorServer {
 public:
  struct Page {
    std::string content_type;
    std::string body;
    int status = 200;  // of HTTP
  };
  struct Source {
    std::function<Page()> make;  // called on the server's thread
    bool needs_token = true;     // where there is one
  };
  // By their path, which begins with '/'.
  using Pages = std::map<std::string, Source>;

  // Listens on this host and port, of which port 0 takes a free one, and serves. With a token,
  // only those who send it ("Authorization: Bearer TOKEN") get the pages that need it. The error
  // says why it cannot listen.
  static absl::StatusOr<std::unique_ptr<OperatorServer>> Start(const std::string& listen,
                                                               std::optional<CurrentSecret> token,
                                                               Pages pages);

  // Ends at once: whoever is being served is disconnected.
  ~OperatorServer();
  OperatorServer(const OperatorServer&) = delete;
  OperatorServer& operator=(const OperatorServer&) = delete;

  // "http://HOST:PORT", the host as it was given and the port as it was chosen.
  const std::string& url() const { return url_; }

 private:
  class Handler;
  OperatorServer(std::unique_ptr<Handler> handler, std::string url);

  std::unique_ptr<Handler> handler_;
  std::string url_;
};

}  // namespace rollcall
