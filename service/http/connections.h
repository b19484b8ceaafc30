// The TCP connections of one CurlTransport. libcurl owns, pools and reuses them. Before it sends a
// request, it identifies the connection only by its addresses; this class maps these to the socket,
// so that the connection can be examined. Runs on the event loop's thread.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace rollcall::service {

struct Connection {
  int socket = -1;  // owned by libcurl: do not close it or read from it. -1 once it is closed
  // False once this connection has brought a response that did not belong to its request. More of
  // these may follow, so no other request may be sent on it.
  bool reusable = true;
};

class Connections {
 public:
  // The addresses of a connection's two ends, in numeric form ("192.0.2.1", "::1").
  struct Ends {
    std::string local_ip;
    int local_port = 0;
    std::string remote_ip;
    int remote_port = 0;

    bool operator==(const Ends&) const = default;
  };

  // libcurl has created this socket, and will connect it.
  void Opened(int socket);

  // libcurl is closing this socket. It does not report this for all sockets that were never
  // connected.
  void Closed(int socket);

  // The connection between these ends; null if there is none.
  std::shared_ptr<Connection> Find(const Ends& ends);

 private:
  struct Hash {
    size_t operator()(const Ends& ends) const;
  };

  std::unordered_set<int> unidentified_;  // sockets whose ends are not known yet
  std::unordered_map<Ends, std::shared_ptr<Connection>, Hash> connected_;
  std::unordered_map<int, Ends> ends_;  // of connected_, by socket
};

}  // namespace rollcall::service
