#include "service/http/connections.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace rollcall {
namespace {

// A socket that is connected to a listener on 127.0.0.1, and its ends.
class Socket {
 public:
  Socket() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listener_, any, size), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    EXPECT_EQ(getsockname(listener_, any, &size), 0);
    descriptor_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(connect(descriptor_, any, size), 0);
    ends_ = {"127.0.0.1", 0, "127.0.0.1", ntohs(address.sin_port)};
    EXPECT_EQ(getsockname(descriptor_, any, &size), 0);
    ends_.local_port = ntohs(address.sin_port);
  }
  ~Socket() {
    close(descriptor_);
    close(listener_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  int descriptor() const { return descriptor_; }
  const Connections::Ends& ends() const { return ends_; }

 private:
  const int listener_;
  int descriptor_;
  Connections::Ends ends_;
};

TEST(Connections, AreFoundByTheirEnds) {
  const Socket a;
  const Socket b;
  Connections connections;
  EXPECT_EQ(connections.Find(a.ends()), nullptr);  // which was not opened
  connections.Opened(a.descriptor());
  connections.Opened(b.descriptor());
  const auto found = connections.Find(a.ends());
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->socket, a.descriptor());
  EXPECT_TRUE(found->reusable);
  EXPECT_EQ(connections.Find(a.ends()), found);
  EXPECT_EQ(connections.Find(b.ends())->socket, b.descriptor());
}

TEST(Connections, AreGoneOnceTheyAreClosed) {
  const Socket a;
  Connections connections;
  connections.Opened(a.descriptor());
  const auto found = connections.Find(a.ends());
  ASSERT_NE(found, nullptr);
  connections.Closed(a.descriptor());
  EXPECT_EQ(found->socket, -1);
  EXPECT_EQ(connections.Find(a.ends()), nullptr);
  connections.Closed(a.descriptor());  // twice
  connections.Opened(a.descriptor());
  connections.Closed(a.descriptor());  // before it was found
  EXPECT_EQ(connections.Find(a.ends()), nullptr);
}

// libcurl does not always say that it closes a socket, and the kernel gives its number out again.
TEST(Connections, ADescriptorThatIsOpenedAgainIsAnotherConnection) {
  const Socket a;
  Connections connections;
  connections.Opened(a.descriptor());
  const auto before = connections.Find(a.ends());
  ASSERT_NE(before, nullptr);
  before->reusable = false;
  connections.Opened(a.descriptor());
  const auto after = connections.Find(a.ends());
  ASSERT_NE(after, nullptr);
  EXPECT_NE(after, before);
  EXPECT_TRUE(after->reusable);
}

}  // namespace
}  // namespace rollcall
