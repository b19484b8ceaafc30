#include "service/access/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

#include "service/error/error.h"

namespace rollcall::service {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kTokenHash[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

json PolicyOf(const std::string& name) {
  return {{"callers",
           {{{"name", name},
             {"token_sha256", json::array({kTokenHash})},
             {"upstreams", "all"},
             {"lists", "all"}}}}};
}

class AccessTest : public testing::Test {
 protected:
  ~AccessTest() override { std::filesystem::remove(path_); }

  void Write(const std::string& text) const {
    std::ofstream(path_ + ".new") << text;
    std::filesystem::rename(path_ + ".new", path_);
  }

  absl::StatusOr<std::unique_ptr<Access>> Load() const { return Access::Load(path_, {}); }

  // Waits for the next reload, and returns its outcome.
  absl::Status NextReload() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return reloads_ > seen_; });
    ++seen_;
    return last_;
  }

  void Watch(Access& access, FileWatch& watch) {
    access.WatchFile(watch, [this](const absl::Status& status) {
      const std::lock_guard lock(mutex_);
      ++reloads_;
      last_ = status;
      changed_.notify_all();
    });
  }

  const std::string path_ = testing::TempDir() + "/policy_" +
                            testing::UnitTest::GetInstance()->current_test_info()->name() +
                            std::to_string(getpid());

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int reloads_ = 0;
  int seen_ = 0;
  absl::Status last_;
};

Credentials WithToken(const std::string& token) {
  Credentials credentials;
  credentials.token.emplace(token);
  return credentials;
}

TEST_F(AccessTest, LoadErrorNamesPathAndKeys) {
  EXPECT_THAT(Load().status().ToString(), HasSubstr(path_ + ": cannot open"));
  Write(R"({"callers": 1, "more": 2})");
  const absl::Status status = Load().status();
  EXPECT_THAT(std::string(status.message()), StartsWith(path_ + ": more: unknown key"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("\n" + path_ + ": callers: expected"));
}

TEST_F(AccessTest, AdmitsKnownCallersOnly) {
  Write(PolicyOf("billing").dump());
  const auto access = Load();
  ASSERT_TRUE(access.ok()) << access.status();
  EXPECT_EQ((*(*access)->Admit(WithToken("abc")))->name, "billing");

  EXPECT_EQ(ReasonOf((*access)->Admit(WithToken("abd")).status()),
            v1::ERROR_REASON_CALLER_UNAUTHENTICATED);
  EXPECT_EQ(ReasonOf((*access)->Admit({}).status()), v1::ERROR_REASON_CALLER_UNAUTHENTICATED);
  Credentials stranger;
  stranger.dns_names = {"stranger.example"};
  EXPECT_EQ(ReasonOf((*access)->Admit(stranger).status()), v1::ERROR_REASON_CALLER_NOT_PERMITTED);
  // A token takes precedence over a certificate.
  stranger.token.emplace("abc");
  EXPECT_EQ((*(*access)->Admit(stranger))->name, "billing");
}

TEST_F(AccessTest, ReloadsItsFileAndKeepsTheLastGoodPolicy) {
  Write(PolicyOf("first").dump());
  const auto access = *Load();
  FileWatch watch(std::chrono::milliseconds(1));
  Watch(*access, watch);
  const auto rules = *access->Admit(WithToken("abc"));

  Write(PolicyOf("second").dump());
  EXPECT_TRUE(NextReload().ok());
  EXPECT_EQ((*access->Admit(WithToken("abc")))->name, "second");
  EXPECT_EQ(rules->name, "first") << "a running call keeps its rules";

  Write("{");
  EXPECT_THAT(NextReload().ToString(), HasSubstr("not valid JSON"));
  EXPECT_EQ((*access->Admit(WithToken("abc")))->name, "second");

  Write(R"({"callers": []})");
  EXPECT_TRUE(NextReload().ok());
  EXPECT_FALSE(access->Admit(WithToken("abc")).ok());
}

}  // namespace
}  // namespace rollcall::service
