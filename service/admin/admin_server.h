// A small HTTP server for operators: a few pages that are made on request, such as /metrics, on one
// thread. GET and HEAD only. It closes connections that send or read nothing for a few seconds, and
// limits the number of connections per address.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "service/config/current_secret.h"

namespace rollcall {

class AdminServer {
 public:
  struct Page {
    std::string content_type;
    std::string body;
    int status = 200;  // the HTTP status code
  };
  struct Source {
    std::function<Page()> make;  // called on the server's thread
    bool needs_token = true;     // if there is one
  };
  // By path, which begins with '/'.
  using Pages = std::map<std::string, Source>;

  // Serves on this host and port; port 0 chooses a free one. With a token, pages that need it
  // require "Authorization: Bearer TOKEN". The error says why it cannot listen.
  static absl::StatusOr<std::unique_ptr<AdminServer>> Start(const std::string& listen,
                                                            std::optional<CurrentSecret> token,
                                                            Pages pages);

  // Closes all connections at once.
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  // "http://HOST:PORT", with the given host and the chosen port.
  const std::string& url() const { return url_; }

 private:
  class Handler;
  AdminServer(std::unique_ptr<Handler> handler, std::string url);

  std::unique_ptr<Handler> handler_;
  std::string url_;
};

}  // namespace rollcall
