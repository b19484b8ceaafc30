// What is seen of a real TCP connection between two requests. With TLS it is tested end to end
// (unsolicited_response_test).
#include "service/http/socket_state.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <utility>

namespace rollcall {
namespace {

class SocketStateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int smallest = 1;
    setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &smallest, sizeof(smallest));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(bind(listener, any, size), 0);
    ASSERT_EQ(listen(listener, 1), 0);
    ASSERT_EQ(getsockname(listener, any, &size), 0);
    ours_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(connect(ours_, any, size), 0);
    peer_ = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    ASSERT_GE(peer_, 0);
    close(listener);
  }
  void TearDown() override {
    close(ours_);
    if (peer_ >= 0) close(peer_);
  }

  // Waits for what the kernel brings to the other side by itself.
  void WaitForInput() const {
    char byte;
    EXPECT_GE(recv(ours_, &byte, 1, MSG_PEEK), -1);
  }

  int ours_ = -1;
  int peer_ = -1;
};

TEST_F(SocketStateTest, AnIdleConnectionHasNothingToRead) {
  EXPECT_EQ(CheckUnreadInput(ours_, nullptr), UnreadInput::kNone);
  EXPECT_FALSE(HasUnacknowledgedOutput(ours_));
}

TEST_F(SocketStateTest, AByteIsInputUntilItIsRead) {
  ASSERT_EQ(send(peer_, "x", 1, 0), 1);
  WaitForInput();
  EXPECT_EQ(CheckUnreadInput(ours_, nullptr), UnreadInput::kSome);
  EXPECT_EQ(CheckUnreadInput(ours_, nullptr), UnreadInput::kSome);  // it was not taken away
  char byte = 0;
  ASSERT_EQ(recv(ours_, &byte, 1, 0), 1);
  EXPECT_EQ(byte, 'x');
  EXPECT_EQ(CheckUnreadInput(ours_, nullptr), UnreadInput::kNone);
}

TEST_F(SocketStateTest, AnEndIsInput) {
  shutdown(peer_, SHUT_WR);
  WaitForInput();
  EXPECT_EQ(CheckUnreadInput(ours_, nullptr), UnreadInput::kSome);
}

TEST_F(SocketStateTest, AResetIsInput) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(peer_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  close(std::exchange(peer_, -1));
  WaitForInput();
  EXPECT_EQ(CheckUnreadInput(ours_, nullptr), UnreadInput::kSome);
}

TEST_F(SocketStateTest, OutputIsUnacknowledgedWhileThePeerHasNoRoom) {
  const std::string bytes(10000, 'x');
  ASSERT_EQ(send(ours_, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  EXPECT_TRUE(HasUnacknowledgedOutput(ours_));
  std::string read(bytes.size(), '\0');
  ASSERT_EQ(recv(peer_, read.data(), read.size(), MSG_WAITALL), static_cast<ssize_t>(read.size()));
  // The peer's response acknowledges what it has read.
  ASSERT_EQ(send(peer_, "x", 1, 0), 1);
  WaitForInput();
  EXPECT_FALSE(HasUnacknowledgedOutput(ours_));
}

}  // namespace
}  // namespace rollcall
