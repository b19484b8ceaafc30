// A password is replaced in its file while lists run; callers must not notice.
#include <gmock/gmock.h>
#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/end_to_end/end_to_end.h"

namespace rollcall {
namespace {

using simulator::Fault;
using simulator::Request;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kPath[] = "/v1/Conferences/CF00000000000000000000000000000001/Participants";
constexpr int kPages = 3;

class RotationTest : public EndToEndTest {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "rollcall-XXXXXX").string();
    directory_ = mkdtemp(name.data());
    WritePassword("first");
    EndToEndTest::SetUp();
    for (int page = 0; page < kPages; ++page) {
      const std::string target =
          absl::StrCat(kPath, "?PageSize=1000",
                       page == 0 ? "" : absl::StrCat("&Page=", page, "&PageToken=PT", page));
      const std::string next =
          page + 1 == kPages
              ? "null"
              : absl::StrCat("\"", simulator_->base_url(), kPath, "?PageSize=1000&Page=", page + 1,
                             "&PageToken=PT", page + 1, "\"");
      simulator_->AddPage(target, absl::StrCat(R"({"participants":[{"participant_sid":"CP)", page,
                                               R"("}],"meta":{"next_page_url":)", next, "}}"));
    }
    AcceptPassword("first");
  }
  ~RotationTest() override { std::filesystem::remove_all(directory_); }

  nlohmann::json Configuration() const override {
    nlohmann::json configuration = EndToEndTest::Configuration();
    configuration["upstreams"][0]["auth_token"] = {{"file", PasswordFile()}};
    configuration["prefetch"] = false;
    return configuration;
  }

  std::string PasswordFile() const { return (directory_ / "password").string(); }

  void WritePassword(const std::string& password) const {
    std::ofstream(PasswordFile() + ".new") << password;
    std::filesystem::rename(PasswordFile() + ".new", PasswordFile());
  }

  // The same, and waits until rollcalld has logged `line`.
  void ReplacePassword(const std::string& password, const std::string& line) {
    const size_t before = CountOf(line);
    WritePassword(password);
    while (CountOf(line) == before) {
      ASSERT_TRUE(daemon_->IsRunning()) << daemon_->Errors();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  size_t CountOf(const std::string& line) const {
    const std::string errors = daemon_->Errors();
    size_t count = 0;
    for (size_t at = errors.find(line); at != std::string::npos; at = errors.find(line, at + 1)) {
      ++count;
    }
    return count;
  }

  // The resume token of a list's first participant.
  std::string FirstToken() {
    grpc::ClientContext context;
    const auto reader = stub().ListParticipants(&context, ConferenceRequest(kConference));
    v1::ListParticipantsResponse response;
    EXPECT_TRUE(reader->Read(&response));
    context.TryCancel();
    reader->Finish();
    return response.resume_token();
  }

  static std::string AuthorizationOf(const std::string& password) {
    return absl::StrCat(
        "Basic ", absl::Base64Escape(absl::StrCat(
                      simulator::DefaultAccount(simulator::Api::kVoiceInsights), ":", password)));
  }

  // From now on the provider accepts only this password.
  void AcceptPassword(const std::string& password) {
    simulator_->InjectFaults([this, good = AuthorizationOf(password)](const Request& request) {
      Fault fault;
      if (request.Header("Authorization") != good) {
        fault = simulator::Respond(401, R"({"code":20003,"status":401})");
      }
      fault.hold_before_head = hold_;
      return fault;
    });
  }

  std::filesystem::path directory_;
  std::atomic<bool> hold_ = false;  // holds responses until Release()
};

constexpr char kReplaced[] = R"("event":"reloaded","what":"credentials:twilio")";
constexpr char kRefused[] = R"("event":"reload_refused","what":"credentials:twilio")";

TEST_F(RotationTest, RunningListUsesTheNewPassword) {
  grpc::ClientContext context;
  hold_ = true;
  const auto reader = stub().ListParticipants(&context, ConferenceRequest(kConference));
  ASSERT_TRUE(simulator_->WaitUntilHolding(1));
  ReplacePassword("second", kReplaced);
  hold_ = false;
  AcceptPassword("second");
  simulator_->Release();  // completes the requests sent before
  v1::ListParticipantsResponse response;
  int count = 0;
  while (reader->Read(&response)) ++count;
  const grpc::Status status = reader->Finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(count, kPages);
  const std::vector<Request> requests = simulator_->requests();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[0].Header("Authorization"), AuthorizationOf("first"));
  EXPECT_EQ(requests[1].Header("Authorization"), AuthorizationOf("second"));
  EXPECT_EQ(requests[2].Header("Authorization"), AuthorizationOf("second"));

  // A new list uses it too.
  EXPECT_TRUE(List(ConferenceRequest(kConference)).status.ok());
}

// The provider may revoke the old password while a request with it is in flight.
TEST_F(RotationTest, RequestRejectedWithOldPasswordIsResentWithNewOne) {
  AcceptPassword("second");
  hold_ = true;
  Listing listing;
  std::thread caller([&] { listing = List(ConferenceRequest(kConference)); });
  ASSERT_TRUE(simulator_->WaitUntilHolding(1));
  ReplacePassword("second", kReplaced);
  hold_ = false;
  simulator_->Release();
  caller.join();
  EXPECT_TRUE(listing.status.ok()) << listing.status.error_message();
  EXPECT_EQ(listing.participants.size(), 3u);
  EXPECT_EQ(listing.trailers.at("rollcall-attempts"), "4");
  EXPECT_EQ(simulator_->requests().at(0).Header("Authorization"), AuthorizationOf("first"));
  EXPECT_EQ(simulator_->requests().at(1).Header("Authorization"), AuthorizationOf("second"));

  // A wrong password that was not replaced is not sent twice.
  AcceptPassword("third");
  const Listing refused = List(ConferenceRequest(kConference));
  EXPECT_EQ(Reason(refused.status), "UPSTREAM_CREDENTIALS_REJECTED");
  EXPECT_EQ(refused.trailers.at("rollcall-attempts"), "1");
}

TEST_F(RotationTest, InvalidPasswordFileIsRefused) {
  for (const char* text : {"", "\n", "hunter2\nhunter2", "hunter2\x01"}) {
    ReplacePassword(text, kRefused);
    EXPECT_TRUE(List(ConferenceRequest(kConference)).status.ok());
    // After a refusal, the next reload is logged even if the password is the one in use.
    ReplacePassword("first ", kReplaced);
    ReplacePassword("first", kReplaced);
  }
  EXPECT_THAT(daemon_->Errors(), Not(HasSubstr("hunter2")));
}

TEST_F(RotationTest, TokenIsValidAfterPasswordIsReplaced) {
  v1::ListParticipantsRequest request = ConferenceRequest(kConference);
  request.set_resume_token(FirstToken());
  AcceptPassword("second");
  ReplacePassword("second", kReplaced);
  const Listing rest = List(request);
  EXPECT_TRUE(rest.status.ok()) << rest.status.error_message();
  EXPECT_EQ(rest.participants.size(), 2u);
}

// Replicas may see a new password at different times, or restart with it one by one.
TEST_F(RotationTest, WithResumeKeyTokensDoNotDependOnThePassword) {
  v1::ListParticipantsRequest request = ConferenceRequest(kConference);
  const auto restart_with = [this](const std::string& password, const nlohmann::json& changes) {
    AcceptPassword(password);
    WritePassword(password);
    StartDaemon(changes);
  };
  request.set_resume_token(FirstToken());
  restart_with("second", nlohmann::json::object());
  EXPECT_EQ(Reason(List(request).status), "INVALID_REQUEST");

  const nlohmann::json with_key = {{"resume_key", std::string(32, 'k')}};
  restart_with("third", with_key);
  request.set_resume_token(FirstToken());
  restart_with("fourth", with_key);
  const Listing rest = List(request);
  EXPECT_TRUE(rest.status.ok()) << rest.status.error_message();
  EXPECT_EQ(rest.participants.size(), 2u);
}

}  // namespace
}  // namespace rollcall
