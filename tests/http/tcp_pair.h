// The two ends of a TCP connection on 127.0.0.1.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace rollcall::service {

class TcpPair {
 public:
  // The peer's receive buffer is small.
  TcpPair() {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int smallest = 1;
    setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &smallest, sizeof(smallest));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listener, any, size), 0);
    EXPECT_EQ(listen(listener, 1), 0);
    EXPECT_EQ(getsockname(listener, any, &size), 0);
    peer_port_ = ntohs(address.sin_port);
    ours_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(connect(ours_, any, size), 0);
    EXPECT_EQ(getsockname(ours_, any, &size), 0);
    our_port_ = ntohs(address.sin_port);
    peer_ = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    EXPECT_GE(peer_, 0);
    close(listener);
  }
  ~TcpPair() {
    close(ours_);
    ClosePeer();
  }
  TcpPair(const TcpPair&) = delete;
  TcpPair& operator=(const TcpPair&) = delete;

  int ours() const { return ours_; }
  int our_port() const { return our_port_; }
  int peer() const { return peer_; }
  int peer_port() const { return peer_port_; }

  void ClosePeer() {
    if (peer_ >= 0) close(std::exchange(peer_, -1));
  }

 private:
  int ours_ = -1;
  int our_port_ = 0;
  int peer_ = -1;
  int peer_port_ = 0;
};

}  // namespace rollcall::service
