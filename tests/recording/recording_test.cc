#include "service/recording/recording.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "nlohmann/json.hpp"

namespace rollcall::service {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Head final : public HttpResponse {
 public:
  Head(int status, std::string retry_after)
      : status_(status), retry_after_(std::move(retry_after)) {}
  int status() const override { return status_; }
  std::optional<std::string> header(const char* name) const override {
    if (std::string(name) == "Retry-After" && !retry_after_.empty()) return retry_after_;
    if (std::string(name) == "Content-Length") return "5";
    return std::nullopt;
  }

 private:
  const int status_;
  const std::string retry_after_;
};

class RecordingTest : public ::testing::Test {
 protected:
  RecordingTest() {
    std::string name = (std::filesystem::temp_directory_path() / "recording-XXXXXX").string();
    root_ = mkdtemp(name.data());
    settings_.folder = root_ / "folder";
  }
  ~RecordingTest() override { std::filesystem::remove_all(root_); }

  absl::StatusOr<std::unique_ptr<Recording>> Open() {
    return Recording::Open(settings_, upstreams_,
                           [this](absl::string_view cause) { causes_.emplace_back(cause); });
  }

  std::string Read(const std::string& name) const {
    std::ifstream file(std::filesystem::path(settings_.folder) / name);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  std::vector<json> Manifest() const {
    std::vector<json> lines;
    for (const absl::string_view line :
         absl::StrSplit(Read("recording.ndjson"), '\n', absl::SkipEmpty())) {
      lines.push_back(json::parse(line.begin(), line.end()));
    }
    return lines;
  }

  std::shared_ptr<Recording::Answer> Begin(Recording& recording) {
    return recording.Begin(TwilioVoiceInsights(), upstreams_[0],
                           "https://insights.twilio.com/v1/Conferences/secret/Participants");
  }

  std::filesystem::path root_;
  RecordingOptions settings_;
  const std::vector<Account> upstreams_ = {
      {.name = "secret",
       .provider = ProviderType::kTwilio,
       .account_sid = "secret",
       .username = "secret",
       .password = CurrentSecret(Secret("secret")),
       .api = *BaseUrl::Parse("https://api.twilio.com"),
       .insights = BaseUrl::Parse("https://insights.twilio.com").value()}};
  std::vector<std::string> causes_;
};

mode_t ModeOf(const std::filesystem::path& path) {
  struct stat status {};
  EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 0777;
}

TEST_F(RecordingTest, WritesAnEntryForEachRequest) {
  const auto recording = Open();
  ASSERT_TRUE(recording.ok()) << recording.status();
  {
    const auto refused = Begin(**recording);
    const auto answered = Begin(**recording);
    const auto given_up = Begin(**recording);
    answered->TakeHead(Head(200, ""));
    answered->TakeBody(R"({"participants": [)");
    answered->TakeBody(R"(]})");
    answered->Finish(true);
    refused->TakeHead(Head(503, "120"));
    refused->Finish(false);
  }
  const std::vector<json> lines = Manifest();
  ASSERT_THAT(lines, SizeIs(4));
  EXPECT_EQ(lines[0]["format"], 1);
  EXPECT_EQ(lines[0]["providers"], json::array({"twilio"}));
  EXPECT_EQ(lines[1]["number"], 2);
  EXPECT_EQ(lines[1]["status"], 200);
  EXPECT_EQ(lines[1]["framing"], "length");
  EXPECT_EQ(lines[1]["body"], "000002.body");
  EXPECT_EQ(lines[1]["bytes"], 20);
  EXPECT_EQ(lines[1]["end"], "complete");
  EXPECT_EQ(Read("000002.body"), R"({"participants": []})");
  EXPECT_EQ(lines[2]["number"], 1);
  EXPECT_EQ(lines[2]["retry_after"], "120");
  EXPECT_EQ(lines[2]["end"], "cut");
  EXPECT_FALSE(lines[2].contains("body"));
  EXPECT_EQ(lines[3]["number"], 3);
  EXPECT_EQ(lines[3]["end"], "given_up");
  EXPECT_FALSE(lines[3].contains("status"));
  for (size_t i = 1; i < lines.size(); ++i) EXPECT_EQ(lines[i]["target"], lines[1]["target"]);
  EXPECT_THAT(Read("recording.ndjson"), ::testing::Not(HasSubstr("secret")));
  EXPECT_EQ(ModeOf(settings_.folder), 0700u);
  EXPECT_EQ(ModeOf(settings_.folder + "/recording.ndjson"), 0600u);
  EXPECT_EQ(ModeOf(settings_.folder + "/000002.body"), 0600u);
}

TEST_F(RecordingTest, LeavesExistingRecordingUnchanged) {
  {
    const auto first = Open();
    ASSERT_TRUE(first.ok()) << first.status();
    Begin(**first);
  }
  const auto manifest = Manifest();
  EXPECT_THAT(manifest, SizeIs(2));
  EXPECT_THAT(causes_, ElementsAre());
  const auto recording = Open();
  ASSERT_TRUE(recording.ok()) << recording.status();
  EXPECT_THAT(causes_, ElementsAre("folder_in_use"));
  EXPECT_EQ(Begin(**recording), nullptr);
  EXPECT_EQ(Manifest(), manifest);
}

TEST_F(RecordingTest, RefusesUnwritableFolder) {
  settings_.folder = root_ / "file";
  std::ofstream(settings_.folder) << "x";
  EXPECT_THAT(std::string(Open().status().message()), HasSubstr("recording.folder: "));
  settings_.folder = root_ / "no" / "such" / "folder";
  EXPECT_THAT(std::string(Open().status().message()), HasSubstr("No such file"));
  settings_.folder = root_ / "there";
  std::filesystem::create_directory(settings_.folder);
  EXPECT_TRUE(Open().ok());
  // Without any request, the folder is left as it was.
  EXPECT_TRUE(std::filesystem::is_empty(settings_.folder));
}

TEST_F(RecordingTest, EndsAtMaxBytes) {
  settings_.max_bytes = 1024;
  const auto recording = Open();
  ASSERT_TRUE(recording.ok()) << recording.status();
  const auto answer = Begin(**recording);
  answer->TakeHead(Head(200, ""));
  const std::string piece(500, ' ');
  for (int i = 0; i < 5; ++i) answer->TakeBody(piece);
  answer->Finish(true);
  EXPECT_THAT(causes_, ElementsAre("max_bytes"));
  EXPECT_EQ(Begin(**recording), nullptr);
  // A body without an entry is removed.
  EXPECT_THAT(Manifest(), SizeIs(1));
  EXPECT_FALSE(std::filesystem::exists(settings_.folder + "/000001.body"));
}

TEST_F(RecordingTest, EndsOnWriteError) {
  const auto recording = Open();
  ASSERT_TRUE(recording.ok()) << recording.status();
  const auto answer = Begin(**recording);
  // The name of the body file is taken.
  std::ofstream(settings_.folder + "/000001.body") << "x";
  answer->TakeHead(Head(200, ""));
  answer->TakeBody("{}");
  answer->Finish(true);
  EXPECT_THAT(causes_, ElementsAre("write_error"));
  EXPECT_THAT(Manifest(), SizeIs(1));
}

}  // namespace
}  // namespace rollcall::service
