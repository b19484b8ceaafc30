#include "service/secrets/secret_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "service/config/config.h"
#include "service/config/config_secrets.h"
#include "service/environment/environment.h"

namespace rollcall::service {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// A configuration with secrets in files.
class SecretWatchTest : public testing::Test {
 protected:
  SecretWatchTest() {
    std::string name = (std::filesystem::temp_directory_path() / "rollcall-XXXXXX").string();
    directory_ = mkdtemp(name.data());
    Write("password", "first\n");
    Write("key", std::string(32, 'k'));
    Write("metrics", "open");
    const nlohmann::json document = {{"resume_key", {{"file", PathOf("key")}}},
                                     {"metrics_token", {{"file", PathOf("metrics")}}},
                                     {"upstreams",
                                      {{{"name", "main"},
                                        {"provider", "twilio"},
                                        {"account_sid", absl::StrCat("AC", std::string(32, 'a'))},
                                        {"auth_token", {{"file", PathOf("password")}}}},
                                       {{"name", "fixed"},
                                        {"provider", "twilio"},
                                        {"account_sid", absl::StrCat("AC", std::string(32, 'b'))},
                                        {"auth_token", "fixed"}}}}};
    config_ = std::make_unique<Config>(*ParseConfig(document.dump(), ProcessEnvironment()));
    watch_ = std::make_unique<FileWatch>(std::chrono::milliseconds(20));
    WatchSecrets(SecretsOf(*config_), *watch_,
                 [this](absl::string_view what, const absl::Status& status) {
                   const std::lock_guard lock(mutex_);
                   told_.push_back(absl::StrCat(what, ": ", status.message()));
                   changed_.notify_all();
                 });
  }
  ~SecretWatchTest() override {
    watch_.reset();
    std::filesystem::remove_all(directory_);
  }

  std::string PathOf(const std::string& name) const { return (directory_ / name).string(); }

  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(PathOf(name + ".new")) << text;
    std::filesystem::rename(PathOf(name + ".new"), PathOf(name));
  }

  // Waits for the next report.
  std::string Next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !told_.empty(); });
    std::string text = told_.front();
    told_.pop_front();
    return text;
  }

  std::filesystem::path directory_;
  std::unique_ptr<Config> config_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> told_;  // guarded by mutex_
  std::unique_ptr<FileWatch> watch_;
};

TEST_F(SecretWatchTest, CopiesOfAConfigurationFollowTheFiles) {
  const Config copy = *config_;
  const CurrentSecret& password = copy.upstreams.at(0).account.password;
  const std::uint64_t version = password.version();
  Write("password", "second\n");
  EXPECT_EQ(Next(), "credentials:main: ");
  EXPECT_EQ(password.get().reveal(), "second");
  EXPECT_EQ(password.get_with_previous().previous->reveal(), "first");
  EXPECT_EQ(password.version(), version + 1);
  EXPECT_EQ(copy.upstreams.at(1).account.password.get().reveal(), "fixed");

  Write("key", std::string(40, 'l'));
  EXPECT_EQ(Next(), "resume_key: ");
  EXPECT_EQ(copy.resume_key->get().reveal(), std::string(40, 'l'));

  Write("metrics", "sesame");
  EXPECT_EQ(Next(), "metrics_token: ");
  EXPECT_EQ(copy.metrics_token->get().reveal(), "sesame");
}

TEST_F(SecretWatchTest, RefusesInvalidSecretsWithoutRepeatingThem) {
  const CurrentSecret& password = config_->upstreams.at(0).account.password;
  Write("password", "\n");
  EXPECT_EQ(Next(), "credentials:main: must not be empty");
  Write("password", "hunter2\nhunter2\n");
  EXPECT_EQ(Next(),
            "credentials:main: must not contain line breaks or other control "
            "characters");
  Write("password", std::string(4097, 'x'));
  EXPECT_THAT(Next(), HasSubstr("must not be longer than 4096 bytes"));
  Write("password", std::string(5000, 'x'));
  EXPECT_THAT(Next(), HasSubstr("the file must not be longer than 4098 bytes"));
  std::filesystem::remove(PathOf("password"));
  EXPECT_THAT(Next(), StartsWith("credentials:main: cannot open the file"));
  EXPECT_EQ(password.get().reveal(), "first");
  Write("key", std::string(31, 'k'));
  EXPECT_EQ(Next(), "resume_key: must have at least 32 bytes");
  EXPECT_EQ(config_->resume_key->get().reveal(), std::string(32, 'k'));

  Write("password", "second");
  EXPECT_EQ(Next(), "credentials:main: ");
  EXPECT_EQ(password.get().reveal(), "second");

  // The end of a refusal is reported even if the secret is the same.
  Write("password", "");
  EXPECT_EQ(Next(), "credentials:main: must not be empty");
  Write("password", "second");
  EXPECT_EQ(Next(), "credentials:main: ");
  EXPECT_EQ(password.get_with_previous().previous->reveal(), "first");
}

TEST_F(SecretWatchTest, AcceptsALineBreakAfterTheLongestSecret) {
  const std::string longest(4096, 'x');
  Write("password", longest + "\r\n");
  EXPECT_EQ(Next(), "credentials:main: ");
  EXPECT_EQ(config_->upstreams.at(0).account.password.get().reveal(), longest);
}

TEST(CurrentSecretTest, ReplacingWithTheSameSecretChangesNothing) {
  CurrentSecret secret{Secret("first")};
  EXPECT_FALSE(secret.Replace(Secret("first")));
  EXPECT_FALSE(secret.get_with_previous().previous.has_value());
  EXPECT_TRUE(secret.Replace(Secret("second")));
  EXPECT_FALSE(secret.Replace(Secret("second")));
  EXPECT_EQ(secret.get_with_previous().previous->reveal(), "first");
}

}  // namespace
}  // namespace rollcall::service
