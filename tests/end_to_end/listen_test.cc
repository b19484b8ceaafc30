// Listening addresses other than IPv4: IPv6, and Unix sockets in the file system.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/end_to_end/end_to_end.h"

namespace rollcall {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class ListenTest : public EndToEndTest {
 protected:
  ListenTest() {
    std::string folder = (std::filesystem::temp_directory_path() / "rollcalld-XXXXXX").string();
    folder_ = mkdtemp(folder.data());
  }
  ~ListenTest() override { std::filesystem::remove_all(folder_); }

  std::string Path() const { return (folder_ / "socket").string(); }

  // Expects that a second rollcalld cannot listen on this address.
  void ExpectCannotListen(const std::string& address, const std::string& why) {
    nlohmann::json configuration = Configuration();
    configuration["listen"] = address;
    const auto other = Daemon::WithConfiguration(configuration);
    EXPECT_EQ(other->Wait(), 69);
    EXPECT_THAT(other->Errors(), HasSubstr("rollcalld: cannot listen on " + address + ": " + why));
  }

  std::filesystem::path folder_;
};

TEST_F(ListenTest, ServesOnUnixSocketAndRemovesIt) {
  StartDaemon({{"listen", "unix:" + Path()}});
  EXPECT_EQ(daemon_->address(), "unix:" + Path());
  EXPECT_EQ(List(ConferenceRequest(100)).participants.size(), 100u);
  int calls = 0;
  for (const nlohmann::json& line : EndAndReadLog()) {
    if (line["event"] != "call") continue;
    ++calls;
    EXPECT_EQ(line["caller"], "unix");
  }
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(daemon_->Wait(), 0);
  EXPECT_FALSE(std::filesystem::exists(Path()));
}

TEST_F(ListenTest, KeepsSocketOfARunningServer) {
  StartDaemon({{"listen", "unix:" + Path()}});
  ExpectCannotListen("unix:" + Path(), "another process listens there");
  ExpectStillServes();
}

TEST_F(ListenTest, ReplacesSocketOfACrashedServer) {
  StartDaemon({{"listen", "unix:" + Path()}});
  daemon_->Signal(SIGKILL);
  daemon_->Wait();
  ASSERT_TRUE(std::filesystem::is_socket(Path()));
  StartDaemon({{"listen", "unix:" + Path()}});
  ExpectStillServes();
}

TEST_F(ListenTest, DoesNotReplaceOtherFiles) {
  std::ofstream(Path()) << "mine";
  ExpectCannotListen("unix:" + Path(), "the path is a file that is not a socket");
  std::string text;
  std::ifstream(Path()) >> text;
  EXPECT_EQ(text, "mine");
  ExpectCannotListen("unix:" + (folder_ / "none/socket").string(), "the folder does not exist");
}

TEST_F(ListenTest, ServesOverIpv6) {
  const int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  const bool has_ipv6 = bind(probe, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  close(probe);
  if (!has_ipv6) GTEST_SKIP() << "this machine has no IPv6";
  StartDaemon({{"listen", "[::1]:0"}, {"metrics_listen", "[::1]:0"}});
  EXPECT_THAT(daemon_->address(), StartsWith("[::1]:"));
  EXPECT_THAT(daemon_->ReadMetricsUrl(), StartsWith("http://[::1]:"));
  EXPECT_EQ(List(ConferenceRequest(100)).participants.size(), 100u);
}

}  // namespace
}  // namespace rollcall
