// Turns a bug report into a test: records lists that a provider garbles, checks that the recording
// reveals nothing, and reproduces the same outcome from it with a second provider.
#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "tests/end_to_end/end_to_end.h"
#include "tests/paths.h"
#include "tests/simulator/replay.h"
#include "tests/simulator/sid_of.h"

namespace rollcall {
namespace {

using simulator::Api;
using simulator::Fault;
using simulator::Request;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr char kMark[] = "xyzzyplughquux";
constexpr char kMarkedNumber[] = "15551234567890";
constexpr char kRecordedConference[] = "CF0123456789abcdef0123456789abcdef";

// A list as its caller sees it, without the values that a recording replaces.
struct Outcome {
  std::vector<std::string> participants;  // paths of null, empty and unrecognized values
  std::vector<int> identities;            // the ordinal of the first participant with the same sid
  std::string code;
  std::string reason;
  bool operator==(const Outcome& other) const = default;
};

Outcome OutcomeOf(const Listing& listing) {
  Outcome outcome;
  outcome.code = absl::StrCat(listing.status.error_code());
  outcome.reason = Reason(listing.status);
  std::map<std::string, int> seen;
  for (const v1::Participant& participant : listing.participants) {
    std::string paths;
    for (const auto& path : participant.null_fields().paths()) absl::StrAppend(&paths, path, " ");
    for (const auto& path : participant.empty_fields().paths()) absl::StrAppend(&paths, path, " ");
    for (const auto& value : participant.unrecognized()) {
      absl::StrAppend(&paths, value.path(), "=", value.kind(), " ");
    }
    outcome.participants.push_back(paths);
    const int ordinal = static_cast<int>(outcome.identities.size());
    outcome.identities.push_back(
        seen.emplace(simulator::SidOf(participant), ordinal).first->second);
  }
  return outcome;
}

class RecordingEndToEndTest : public EndToEndTest {
 protected:
  RecordingEndToEndTest() {
    std::string name = (std::filesystem::temp_directory_path() / "recording-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~RecordingEndToEndTest() override { std::filesystem::remove_all(folder_); }

  nlohmann::json Configuration() const override {
    nlohmann::json configuration = EndToEndTest::Configuration();
    configuration["retry"] = {{"max_attempts", 3}, {"initial_backoff_seconds", 0.001}};
    configuration["recording"] = {{"folder", folder_}};
    return configuration;
  }

  // Stops the service, so that everything is written, and searches the folder for the secrets.
  void ExpectNothingRevealed(const std::vector<std::string>& secrets) {
    EndAndReadLog();
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string text{std::istreambuf_iterator<char>(file),
                             std::istreambuf_iterator<char>()};
      for (const std::string& secret : secrets) {
        EXPECT_FALSE(absl::StrContains(absl::AsciiStrToLower(text), absl::AsciiStrToLower(secret)))
            << entry.path() << ": " << secret;
      }
      ++files;
    }
    EXPECT_GT(files, 1);
  }

  // From now on the simulator replays the recording, and rollcalld uses the accounts in it. Returns
  // the commands that reproduce the requests.
  std::vector<std::string> Replay() { return Replay(folder_); }
  std::vector<std::string> Replay(const std::string& folder) {
    auto loaded = simulator::Replay::Load(folder);
    EXPECT_TRUE(loaded.ok()) << loaded.status();
    if (!loaded.ok()) return {};
    replay_ = *std::move(loaded);
    // Shared, because the simulator may still use it when the fixture's members are destroyed.
    simulator_->InjectFaults([replay = replay_, origin = simulator_->base_url()](
                                 const Request& request) { return replay->Next(request, origin); });
    nlohmann::json upstreams = Configuration()["upstreams"];
    std::vector<std::string> commands;
    for (const std::string& line : replay_->Instructions()) {
      const std::vector<std::string> words = absl::StrSplit(line, '"');
      if (words.size() == 5) {
        upstreams[words[1] == "project_id" ? 1 : 0][words[1]] = words[3];
      } else {
        commands.push_back(line);
      }
    }
    StartDaemon({{"recording", nullptr}, {"upstreams", upstreams}});
    return commands;
  }

  // The request of this command, with everything else taken from `like`.
  template <class Message>
  Message RequestOf(const std::string& command, const Message& like) {
    Message request = like;
    const std::vector<std::string> words = absl::StrSplit(command, ' ');
    EXPECT_GE(words.size(), 4u) << command;
    if constexpr (std::is_same_v<Message, v1::ListParticipantsRequest>) {
      if (request.has_room_participant_summaries()) {
        request.mutable_room_participant_summaries()->set_room_sid(words[3]);
      } else if (request.has_live_participants()) {
        request.mutable_live_participants()->set_conference_sid(words[3]);
      } else {
        request.mutable_conference_participant_summaries()->set_conference_sid(words[3]);
      }
    } else {
      request.mutable_live_participant()->set_conference_sid(words[3]);
      request.mutable_live_participant()->set_call_sid(words[4]);
    }
    return request;
  }

  // The list whose pages are marked.
  static simulator::List MarkedList(Api api) { return {api, 40}; }

  // Everything marked in it is personal data.
  std::string MarkedPage(Api api, const std::string& next) const {
    std::string page = absl::StrCat(R"({"meta": {"key": "participants", "next_page_url": )", next,
                                    R"(}, "next_page_uri": )", next, R"(, "participants": [)");
    for (int64_t i = 0; i < 20; ++i) {
      simulator::AppendParticipantJson(MarkedList(api), next == "null" ? i : i + 20, &page);
      absl::StrAppend(&page, ", ");
    }
    return absl::StrCat(
        page, R"({"participant_sid": "CP", "label": "xyzzyplughquux", "from": "+15551234567890",
          "nickname": {"xyzzyplughquux Ada": 15551234567890}, "label": "xyzzyplughquux",
          "participant_identity": "Ada xyzzyplughquux", "publisher_info": {"name": "xyzzyplughquux"},
          "account_sid": ")",
        simulator::DefaultAccount(api), R"(", "muted": "xyzzyplughquux"}]})");
  }

  std::string folder_;
  std::shared_ptr<simulator::Replay> replay_;
};

// A list with an error, a page cut in the middle, and a second page.
class RecordingOfEachProvider : public RecordingEndToEndTest,
                                public ::testing::WithParamInterface<Api> {};

TEST_P(RecordingOfEachProvider, ReplayReproducesOutcomeAndRevealsNothing) {
  const Api api = GetParam();
  v1::ListParticipantsRequest request = RequestFor(MarkedList(api));
  if (api == Api::kVoiceInsights) {
    request.mutable_conference_participant_summaries()->set_label("xyzzyplughquux é");
  } else if (api != Api::kVideoInsights) {
    request.mutable_live_participants()->set_muted(true);
  }
  std::atomic<int> asked = 0;
  simulator_->InjectFaults([&](const Request& http) {
    const int number = ++asked;
    const bool is_first = !absl::StrContains(http.target, "PageToken");
    if (number == 1) return simulator::Respond(503, "<html>xyzzyplughquux at 15551234567890");
    const std::string path = http.target.substr(0, http.target.find('?'));
    const std::string origin =
        api == Api::kVoiceInsights || api == Api::kVideoInsights ? simulator_->base_url() : "";
    Fault fault = simulator::Respond(
        200, MarkedPage(api, is_first ? absl::StrCat("\"", origin, path, "?PageSize=1000&Page=1",
                                                     "&PageToken=PAxyzzyplughquux\"")
                                      : "null"));
    if (number == 2) fault.cut_after = fault.answer->body.size() / 2;
    fault.chunked = number == 3;
    return fault;
  });
  const Listing listing = List(request);
  const Outcome original = OutcomeOf(listing);
  ASSERT_EQ(original.code, "0") << listing.status.error_message();
  ASSERT_THAT(original.participants, SizeIs(42));
  EXPECT_THAT(original.participants.back(), HasSubstr("nickname="));
  std::vector<std::string> secrets = {kMark,
                                      kMarkedNumber,
                                      ListSid(MarkedList(api)),
                                      "simulator",
                                      simulator::DefaultAccount(Api::kTwilioCore),
                                      simulator::DefaultAccount(Api::kSignalWire),
                                      simulator_->base_url()};
  for (const v1::Participant& participant : listing.participants) {
    if (simulator::SidOf(participant).size() > 2) secrets.push_back(simulator::SidOf(participant));
  }
  ExpectNothingRevealed(secrets);

  const std::vector<std::string> commands = Replay();
  ASSERT_THAT(commands, SizeIs(1));
  v1::ListParticipantsRequest again = RequestOf(commands[0], request);
  if (api == Api::kVoiceInsights) {
    const std::vector<std::string> words = absl::StrSplit(commands[0], '\'');
    ASSERT_THAT(words, SizeIs(3)) << commands[0];
    again.mutable_conference_participant_summaries()->set_label(words[1]);
  }
  EXPECT_EQ(OutcomeOf(List(again)), original) << commands[0];
}

INSTANTIATE_TEST_SUITE_P(Providers, RecordingOfEachProvider,
                         ::testing::Values(Api::kVoiceInsights, Api::kVideoInsights,
                                           Api::kSignalWire, Api::kTwilioCore));

TEST_F(RecordingEndToEndTest, ReplaysErrors) {
  const std::vector<Fault> errors = [&] {
    std::vector<Fault> made = {
        simulator::Respond(404, R"({"code": 20404, "message": "no xyzzyplughquux"})"),
        simulator::Respond(400, R"({"code": 20001, "message": "xyzzyplughquux"})"),
        simulator::Respond(200, MarkedPage(Api::kVoiceInsights, "\"https://xyzzyplughquux.org/\"")),
        simulator::Respond(200, R"({"participants": [{"label": "xyzzyplughquux" "a"}]})"),
        simulator::Respond(200, "<html>xyzzyplughquux</html>"),
        simulator::Respond(200, MarkedPage(Api::kVoiceInsights, "null"))};
    made.back().cut_after = 3000;
    made.push_back(made.back());
    made.back().until_close = true;
    made.push_back(simulator::Respond(429, "{}"));
    made.back().answer->headers.emplace_back("Retry-After", "3600");
    made.emplace_back();
    made.back().cut_before_head = true;
    return made;
  }();
  std::vector<Outcome> originals;
  for (Fault error : errors) {
    const std::string sid =
        absl::StrCat(std::string(kRecordedConference, 32), "0", originals.size());
    if (error.answer) {
      absl::StrReplaceAll({{ListSid(MarkedList(Api::kVoiceInsights)), sid}}, &error.answer->body);
    }
    simulator_->InjectFaults([error](const Request&) { return error; });
    originals.push_back(OutcomeOf(List(ConferenceRequest(sid))));
    EXPECT_NE(originals.back().reason, "");
  }
  ExpectNothingRevealed({kMark, std::string(kRecordedConference, 32)});
  const std::vector<std::string> commands = Replay();
  ASSERT_EQ(commands.size(), originals.size());
  for (size_t i = 0; i < commands.size(); ++i) {
    EXPECT_EQ(OutcomeOf(List(RequestOf(commands[i], ConferenceRequest(1)))), originals[i]) << i;
  }
}

// A stored recording: an error, a page cut in its second record, the same page again with an
// unknown field, and a second page.
TEST_F(RecordingEndToEndTest, ReplaysStoredRecordingOfACutPage) {
  const std::vector<std::string> commands =
      Replay(SourcePath("tests/testdata/recordings/cut_page"));
  ASSERT_THAT(commands, SizeIs(1));
  v1::ListParticipantsRequest request = RequestOf(commands[0], ConferenceRequest(1));
  request.set_page_size(3);
  const Listing listing = List(request);
  EXPECT_TRUE(listing.status.ok()) << listing.status.error_message();
  const Outcome outcome = OutcomeOf(listing);
  ASSERT_THAT(outcome.identities, ::testing::ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(outcome.participants[0], HasSubstr("sentiment="));
  // Five, if the second page was requested before the first was cut: a retry gives up a prefetch.
  EXPECT_THAT(listing.trailers.at("rollcall-attempts"), AnyOf("4", "5"));
}

TEST_F(RecordingEndToEndTest, ReplaysLookupByLabel) {
  simulator_->InjectFaults([](const Request&) {
    return simulator::Respond(200, R"({"call_sid": "CA1", "label": "xyzzyplughquux", "hold": null,
        "new": "xyzzyplughquux", "extra": {"xyzzyplughquux": 1}})");
  });
  v1::GetParticipantRequest request;
  request.set_upstream("twilio");
  request.mutable_live_participant()->set_conference_sid(kRecordedConference);
  request.mutable_live_participant()->set_call_sid("xyzzyplughquux");
  v1::Participant original;
  ASSERT_TRUE(Get(request, original).ok());
  ExpectNothingRevealed({kMark, kRecordedConference, simulator::DefaultAccount(Api::kTwilioCore)});
  const std::vector<std::string> commands = Replay();
  ASSERT_THAT(commands, SizeIs(1));
  v1::Participant replayed;
  ASSERT_TRUE(Get(RequestOf(commands[0], request), replayed).ok()) << commands[0];
  EXPECT_EQ(replayed.null_fields().paths_size(), 1);
  EXPECT_EQ(replayed.unrecognized_size(), 2);
  EXPECT_EQ(replayed.live_participant().label().size(), std::string(kMark).size());
}

TEST_F(RecordingEndToEndTest, StopsAtMaxBytesAndServiceContinues) {
  const std::string folder = absl::StrCat(folder_, "/another");
  StartDaemon({{"recording", {{"folder", folder}, {"max_bytes", 100000}}}});
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(List(ConferenceRequest(5000)).participants, SizeIs(5000));
  }
  std::vector<nlohmann::json> events;
  for (const nlohmann::json& line : EndAndReadLog()) {
    if (line["event"] == "recording_stopped") events.push_back(line);
  }
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0]["cause"], "max_bytes");
  size_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) bytes += entry.file_size();
  EXPECT_LE(bytes, 100000u);
}

// Each record fills the queue, so that most of the body arrives a second time.
TEST_F(RecordingEndToEndTest, RefusedPiecesAreRecordedOnce) {
  const std::string folder = absl::StrCat(folder_, "/another");
  StartDaemon({{"recording", {{"folder", folder}}}, {"limits", {{"send_queue_bytes", 1024}}}});
  const Outcome original = OutcomeOf(List(ConferenceRequest(2000)));
  EXPECT_THAT(original.participants, SizeIs(2000));
  EndAndReadLog();
  const std::vector<std::string> commands = Replay(folder);
  ASSERT_THAT(commands, SizeIs(1));
  EXPECT_EQ(OutcomeOf(List(RequestOf(commands[0], ConferenceRequest(1)))), original);
}

// A restart with the same configuration must not fail.
TEST_F(RecordingEndToEndTest, ExistingRecordingIsNotOverwritten) {
  const std::string folder = absl::StrCat(folder_, "/another");
  std::vector<std::string> manifests;
  std::vector<std::string> events;
  for (int i = 0; i < 2; ++i) {
    StartDaemon({{"recording", {{"folder", folder}}}});
    EXPECT_THAT(List(ConferenceRequest(10)).participants, SizeIs(10));
    for (const nlohmann::json& line : EndAndReadLog()) {
      const std::string event = line["event"];
      if (absl::StartsWith(event, "recording"))
        events.push_back(absl::StrCat(event, " ", line.value("cause", "")));
    }
    std::ifstream file(folder + "/recording.ndjson");
    manifests.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  EXPECT_THAT(events, ::testing::ElementsAre("recording ", "recording_stopped folder_in_use"));
  EXPECT_THAT(manifests[0], HasSubstr("complete"));
  EXPECT_EQ(manifests[0], manifests[1]);
}

TEST_F(RecordingEndToEndTest, FolderThatCannotBeCreatedIsRefused) {
  nlohmann::json configuration = Configuration();
  configuration["recording"]["folder"] = folder_ + "/no/folder";
  const auto daemon = Daemon::WithConfiguration(configuration);
  EXPECT_EQ(daemon->Wait(), 78);
  EXPECT_THAT(daemon->Errors(), HasSubstr("recording.folder"));
}

}  // namespace
}  // namespace rollcall
