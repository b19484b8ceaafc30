#include "service/rpc/accept_probe.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"

namespace rollcall::service {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kInterval{5};

// A listening socket, whose connections are accepted only by Accept().
class Listener {
 public:
  Listener() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(socket_, any, size), 0);
    EXPECT_EQ(listen(socket_, 1000), 0);
    EXPECT_EQ(getsockname(socket_, any, &size), 0);
    address_ = absl::StrCat("127.0.0.1:", ntohs(address.sin_port));
  }
  explicit Listener(const std::string& path)
      : socket_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        address_(absl::StrCat("unix:", path)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(listen(socket_, 1000), 0);
  }
  ~Listener() { close(socket_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  const std::string& address() const { return address_; }

  // Accepts a connection and reacts to it.
  void Accept(bool closes) {
    const int connection = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
    ASSERT_GE(connection, 0);
    if (!closes) {
      EXPECT_EQ(send(connection, "x", 1, MSG_NOSIGNAL), 1);
      char end;
      EXPECT_LE(recv(connection, &end, 1, 0), 0);
    }
    close(connection);
  }

 private:
  const int socket_;
  std::string address_;
};

void ExpectAccepted(Listener& listener, bool closes) {
  AcceptProbe probe(listener.address(), kInterval);
  const auto start = steady_clock::now() + milliseconds(2);  // after the probe was made
  std::this_thread::sleep_until(start);
  for (int i = 0; i < 3; ++i) listener.Accept(closes);
  while (probe.Silence() >= steady_clock::now() - start) std::this_thread::yield();
}

TEST(AcceptProbeTest, SeesThatAServerSends) {
  Listener listener;
  ExpectAccepted(listener, false);
}

TEST(AcceptProbeTest, SeesThatAServerCloses) {
  Listener listener;
  ExpectAccepted(listener, true);
}

TEST(AcceptProbeTest, ConnectsToAUnixSocket) {
  const std::string path = absl::StrCat(testing::TempDir(), "/probe.", getpid());
  Listener listener(path);
  ExpectAccepted(listener, true);
  unlink(path.c_str());
}

TEST(AcceptProbeTest, IsSilentIfConnectionsAreNotAccepted) {
  const Listener listener;
  const AcceptProbe probe(listener.address(), kInterval);
  while (probe.Silence() < kInterval * 40) std::this_thread::sleep_for(kInterval);
}

TEST(AcceptProbeTest, IsSilentIfNoServerListens) {
  std::string address;
  {
    const Listener listener;
    address = listener.address();
  }
  for (const std::string& gone : {address, std::string("unix:/nowhere/socket")}) {
    const AcceptProbe probe(gone, kInterval);
    while (probe.Silence() < kInterval * 40) std::this_thread::sleep_for(kInterval);
  }
}

}  // namespace
}  // namespace rollcall::service
