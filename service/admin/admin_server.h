// A small HTTP server for operators: a few pages, such as /metrics, made on request on one thread.
// GET and HEAD only. Connections that are idle for a few seconds are closed, and their number is
// limited, also per address.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "service/secrets/current_secret.h"

namespace rollcall::service {

class AdminServer {
 public:
  struct Page {
    std::string content_type;
    std::string body;
    int status = 200;  // the HTTP status code
  };
  struct Source {
    std::function<Page()> make;  // called on the server's thread
    bool needs_token = true;     // if the server has a token
  };
  // By path, beginning with '/'.
  using Pages = std::map<std::string, Source>;

  // Serves on this host and port; port 0 chooses a free one. If there is a token, pages that need
  // it require "Authorization: Bearer TOKEN". The error says why listening failed.
  static absl::StatusOr<std::unique_ptr<AdminServer>> Start(const std::string& listen,
                                                            std::optional<CurrentSecret> token,
                                                            Pages pages);

  // Closes all connections at once.
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  // "http://HOST:PORT", with the given host and the actual port.
  const std::string& url() const { return url_; }

 private:
  class Handler;
  AdminServer(std::unique_ptr<Handler> handler, std::string url);

  std::unique_ptr<Handler> handler_;
  std::string url_;
};

}  // namespace rollcall::service
