// An HTTP proxy for CONNECT. It connects to 127.0.0.1 for every host name, so that a name that does
// not resolve can be reached only through it. Serves on a free port until destroyed.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "tests/end_to_end/loopback_server.h"

namespace rollcall {

class ConnectProxy {
 public:
  ConnectProxy();

  // "http://127.0.0.1:PORT".
  std::string url() const { return server_.url(); }

  // From now on responds with this status, "403 Forbidden", instead of connecting.
  void Refuse(const std::string& status);

  // The heads of the requests so far.
  std::vector<std::string> heads() const;

 private:
  void Serve(int client);

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::string refusal_;
  std::vector<std::string> heads_;

  // Last, so that its threads end before the members that they use.
  LoopbackServer server_;
};

}  // namespace rollcall
