#include "service/recording/recording_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "nlohmann/json.hpp"
#include "tests/fakes/fake_scheduler.h"
#include "tests/fakes/fake_transport.h"

namespace rollcall::service {
namespace {

using nlohmann::json;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kUrl[] = "https://insights.test/v1/Conferences/CF1/Participants";

// Accepts or refuses each piece of the body, as told.
class Receiver final : public HttpTransport::Receiver {
 public:
  void OnHead(const HttpResponse& response) override { status = response.status(); }
  bool OnBody(absl::string_view bytes) override {
    if (refuses) return false;
    body.append(bytes.data(), bytes.size());
    if (cancels) transfer->Cancel();
    return true;
  }
  void OnDone(absl::Status end) override { done = std::move(end); }

  bool refuses = false;
  bool cancels = false;
  int status = 0;
  std::string body;
  std::optional<absl::Status> done;
  std::unique_ptr<HttpTransport::Transfer> transfer;
};

class RecordingTransportTest : public ::testing::Test {
 protected:
  RecordingTransportTest() {
    std::string name = (std::filesystem::temp_directory_path() / "recording-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    recording_ = *Recording::Open({.folder = folder_}, accounts_, [](absl::string_view) {});
    auto transport = std::make_unique<FakeTransport>(scheduler_);
    provider_ = transport.get();
    transport_ = std::make_unique<RecordingTransport>(std::move(transport), *recording_, accounts_);
  }
  ~RecordingTransportTest() override {
    transport_.reset();
    recording_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Get(Receiver& receiver, absl::string_view upstream = "main") {
    const HttpRequest request = {.url = kUrl,
                                 .username = accounts_[0].username,
                                 .password = password_,
                                 .connect_timeout = std::chrono::seconds(1),
                                 .idle_timeout = std::chrono::seconds(1),
                                 .ca_file = ca_file_,
                                 .require_tls_1_3 = false,
                                 .http2 = false,
                                 .proxy = proxy_,
                                 .trace = trace_,
                                 .upstream = upstream,
                                 .api = TwilioVoiceInsights().name()};
    receiver.transfer = transport_->Get(request, receiver);
  }

  std::string Read(const std::string& name) const {
    std::ifstream file(std::filesystem::path(folder_) / name);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  // The recorded requests.
  std::vector<json> Entries() const {
    std::vector<json> entries;
    for (const absl::string_view line :
         absl::StrSplit(Read("recording.ndjson"), '\n', absl::SkipEmpty())) {
      entries.push_back(json::parse(line.begin(), line.end()));
    }
    entries.erase(entries.begin());  // the format
    return entries;
  }

  const std::vector<Account> accounts_ = {
      {.name = "main",
       .provider = ProviderType::kTwilio,
       .account_sid = "AC1",
       .username = "AC1",
       .password = CurrentSecret(Secret("secret")),
       .api = *BaseUrl::Parse("https://api.test"),
       .insights = BaseUrl::Parse("https://insights.test").value()}};
  const Secret password_{"secret"};
  const std::string ca_file_;
  const std::optional<std::string> proxy_;
  const TraceContext trace_;
  std::string folder_;
  FakeScheduler scheduler_;
  std::unique_ptr<Recording> recording_;
  std::unique_ptr<RecordingTransport> transport_;
  FakeTransport* provider_ = nullptr;  // behind transport_
};

TEST_F(RecordingTransportTest, PassesResponseOnAndRecordsIt) {
  Receiver receiver;
  Get(receiver);
  EXPECT_EQ(provider_->last().url(), kUrl);
  provider_->last().Respond(200, R"({"participants": []})");
  EXPECT_EQ(receiver.status, 200);
  EXPECT_EQ(receiver.body, R"({"participants": []})");
  EXPECT_EQ(receiver.done, absl::OkStatus());
  ASSERT_THAT(Entries(), SizeIs(1));
  EXPECT_EQ(Entries()[0]["status"], 200);
  EXPECT_EQ(Entries()[0]["end"], "complete");
  EXPECT_EQ(Read("000001.body"), R"({"participants": []})");
}

TEST_F(RecordingTransportTest, RecordsRefusedBytesOnceWhenTheyAreAccepted) {
  Receiver receiver;
  receiver.refuses = true;
  Get(receiver);
  provider_->last().Head(200);
  provider_->last().Body(R"({"participants":)");
  EXPECT_TRUE(provider_->last().is_paused());
  EXPECT_EQ(Read("000001.body"), "");
  receiver.refuses = false;
  receiver.transfer->Resume();
  provider_->last().Body(" []}");
  provider_->last().End();
  EXPECT_EQ(receiver.body, R"({"participants": []})");
  EXPECT_EQ(Read("000001.body"), R"({"participants": []})");
}

TEST_F(RecordingTransportTest, RecordsTransferThatReceiverCancels) {
  Receiver receiver;
  receiver.cancels = true;
  Get(receiver);
  provider_->last().Head(200);
  provider_->last().Body(R"({"participants":)");
  EXPECT_FALSE(provider_->last().is_in_flight());
  ASSERT_THAT(Entries(), SizeIs(1));
  EXPECT_EQ(Entries()[0]["end"], "given_up");
  EXPECT_EQ(Read("000001.body"), R"({"participants":)");
}

TEST_F(RecordingTransportTest, RecordsBrokenResponseAsCut) {
  Receiver receiver;
  Get(receiver);
  provider_->last().Head(200);
  provider_->last().End(absl::UnavailableError("broken"));
  EXPECT_EQ(receiver.done, absl::UnavailableError("broken"));
  ASSERT_THAT(Entries(), SizeIs(1));
  EXPECT_EQ(Entries()[0]["end"], "cut");
}

TEST_F(RecordingTransportTest, PassesDistrustOn) {
  Receiver receiver;
  Get(receiver);
  receiver.transfer->DistrustConnection();
  EXPECT_TRUE(provider_->last().is_distrusted());
}

TEST_F(RecordingTransportTest, DoesNotRecordWhatItCannotRedact) {
  Receiver receiver;
  Get(receiver, "another");
  provider_->last().Respond(200, R"({"participants": []})");
  EXPECT_EQ(receiver.done, absl::OkStatus());
  EXPECT_THAT(Entries(), IsEmpty());
}

}  // namespace
}  // namespace rollcall::service
