// The TCP connections of one CurlTransport. libcurl owns, pools and reuses them; when it is about
// to send a request it names the connection only by its addresses. This class maps those to the
// socket, so that the connection can be examined. For the thread of the transport's event loop.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace rollcall::service {

struct Connection {
  int socket = -1;  // libcurl's; not to be closed or read from. -1 once it is closed
  // False once a response came by this connection that was not its request's. More of the kind may
  // follow, so no other request may be sent on it.
  bool reusable = true;
};

class Connections {
 public:
  // The addresses of a connection's two ends, as numbers in text form ("192.0.2.1", "::1").
  struct Ends {
    std::string local_ip;
    int local_port = 0;
    std::string remote_ip;
    int remote_port = 0;

    bool operator==(const Ends&) const = default;
  };

  // libcurl made this socket, and is going to connect it.
  void Opened(int socket);

  // libcurl is closing this socket. It does not say so of all that were never connected.
  void Closed(int socket);

  // The connection between these ends; null where there is none.
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
