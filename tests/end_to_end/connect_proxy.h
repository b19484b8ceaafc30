// An HTTP proxy of a test's own, for CONNECT only: it leads to 127.0.0.1, whatever host it is asked
// for, so that a name which nobody knows is reached through it and in no other way. Serves on a
// free port until it is destroyed.
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

  // Answers so from now on, "403 Forbidden", instead of connecting.
  void Refuse(const std::string& status);

  // The heads of the requests that came so far.
  std::vector<std::string> heads() const;

 private:
  void Serve(int client);

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::string refusal_;
  std::vector<std::string> heads_;

  // Last, so that its threads end before what they use.
  LoopbackServer server_;
};

}  // namespace rollcall
