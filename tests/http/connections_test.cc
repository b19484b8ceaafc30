#include "service/http/connections.h"

#include <gtest/gtest.h>

#include "tests/http/tcp_pair.h"

namespace rollcall::service {
namespace {

Connections::Ends EndsOf(const TcpPair& pair) {
  return {"127.0.0.1", pair.our_port(), "127.0.0.1", pair.peer_port()};
}

TEST(Connections, FindsConnectionsByTheirEnds) {
  const TcpPair a;
  const TcpPair b;
  Connections connections;
  EXPECT_EQ(connections.Find(EndsOf(a)), nullptr);  // not opened
  connections.Opened(a.ours());
  connections.Opened(b.ours());
  const auto found = connections.Find(EndsOf(a));
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->socket, a.ours());
  EXPECT_TRUE(found->reusable);
  EXPECT_EQ(connections.Find(EndsOf(a)), found);
  EXPECT_EQ(connections.Find(EndsOf(b))->socket, b.ours());
}

TEST(Connections, ForgetsClosedConnections) {
  const TcpPair a;
  Connections connections;
  connections.Opened(a.ours());
  const auto found = connections.Find(EndsOf(a));
  ASSERT_NE(found, nullptr);
  connections.Closed(a.ours());
  EXPECT_EQ(found->socket, -1);
  EXPECT_EQ(connections.Find(EndsOf(a)), nullptr);
  connections.Closed(a.ours());  // twice
  connections.Opened(a.ours());
  connections.Closed(a.ours());  // before it was found
  EXPECT_EQ(connections.Find(EndsOf(a)), nullptr);
}

// libcurl does not report every socket that it closes, and the kernel reuses descriptors.
TEST(Connections, TreatsAReopenedDescriptorAsAnotherConnection) {
  const TcpPair a;
  Connections connections;
  connections.Opened(a.ours());
  const auto before = connections.Find(EndsOf(a));
  ASSERT_NE(before, nullptr);
  before->reusable = false;
  connections.Opened(a.ours());
  const auto after = connections.Find(EndsOf(a));
  ASSERT_NE(after, nullptr);
  EXPECT_NE(after, before);
  EXPECT_TRUE(after->reusable);
}

}  // namespace
}  // namespace rollcall::service
