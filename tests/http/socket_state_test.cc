// The checks of an idle TCP connection, without TLS. unsolicited_response_test has those with TLS.
#include "service/http/socket_state.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>

#include "tests/http/tcp_pair.h"

namespace rollcall::service {
namespace {

class SocketStateTest : public ::testing::Test {
 protected:
  // Waits until the kernel has delivered the peer's bytes, EOF or reset.
  void WaitForInput() const {
    char byte;
    EXPECT_GE(recv(pair_.ours(), &byte, 1, MSG_PEEK), -1);
  }

  TcpPair pair_;
};

TEST_F(SocketStateTest, IdleConnectionHasNoInput) {
  EXPECT_EQ(CheckUnreadInput(pair_.ours(), nullptr), UnreadInput::kNone);
  EXPECT_FALSE(HasUnacknowledgedOutput(pair_.ours()));
}

TEST_F(SocketStateTest, ByteIsInputUntilItIsRead) {
  ASSERT_EQ(send(pair_.peer(), "x", 1, 0), 1);
  WaitForInput();
  EXPECT_EQ(CheckUnreadInput(pair_.ours(), nullptr), UnreadInput::kSome);
  EXPECT_EQ(CheckUnreadInput(pair_.ours(), nullptr), UnreadInput::kSome);  // not consumed
  char byte = 0;
  ASSERT_EQ(recv(pair_.ours(), &byte, 1, 0), 1);
  EXPECT_EQ(byte, 'x');
  EXPECT_EQ(CheckUnreadInput(pair_.ours(), nullptr), UnreadInput::kNone);
}

TEST_F(SocketStateTest, EofIsInput) {
  shutdown(pair_.peer(), SHUT_WR);
  WaitForInput();
  EXPECT_EQ(CheckUnreadInput(pair_.ours(), nullptr), UnreadInput::kSome);
}

TEST_F(SocketStateTest, ResetIsInput) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(pair_.peer(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  pair_.ClosePeer();
  WaitForInput();
  EXPECT_EQ(CheckUnreadInput(pair_.ours(), nullptr), UnreadInput::kSome);
}

TEST_F(SocketStateTest, OutputIsUnacknowledgedWhileThePeersBufferIsFull) {
  const std::string bytes(10000, 'x');
  ASSERT_EQ(send(pair_.ours(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  EXPECT_TRUE(HasUnacknowledgedOutput(pair_.ours()));
  std::string read(bytes.size(), '\0');
  ASSERT_EQ(recv(pair_.peer(), read.data(), read.size(), MSG_WAITALL),
            static_cast<ssize_t>(read.size()));
  // The peer's response acknowledges what it has read.
  ASSERT_EQ(send(pair_.peer(), "x", 1, 0), 1);
  WaitForInput();
  EXPECT_FALSE(HasUnacknowledgedOutput(pair_.ours()));
}

}  // namespace
}  // namespace rollcall::service
