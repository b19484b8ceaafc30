// The providers' published examples, word for word, through the whole system: every member of every
// record must decode as the oracle decodes it.
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/end_to_end/end_to_end.h"
#include "tests/paths.h"
#include "tests/record/oracle.h"

namespace rollcall {
namespace {

using v1::Participant;

class SeedsEndToEndTest : public EndToEndTest {
 protected:
  // Expects the list to be that of the seed document, whose text keeps its key order and number
  // formats.
  void ExpectSeed(const v1::ListParticipantsRequest& request, const std::string& seed,
                  Participant::RecordCase kind) {
    std::ifstream file(SourcePath(absl::StrCat("tests/testdata/seeds/", seed, ".json")));
    const auto page = nlohmann::ordered_json::parse(file);
    const auto& records = page.at("participants");
    const Listing listing = List(request);
    ASSERT_TRUE(listing.status.ok()) << listing.status.error_message();
    ASSERT_EQ(listing.participants.size(), records.size());
    for (size_t i = 0; i < records.size(); ++i) {
      const std::string json = records[i].dump();
      const auto expected = service::DecodeByOracle(json, kind);
      ASSERT_TRUE(expected.has_value());
      EXPECT_TRUE(service::SameParticipant(*expected, listing.participants[i], json))
          << seed << ' ' << i;
      EXPECT_EQ(listing.participants[i].unrecognized_size(), 0);
    }
  }
};

TEST_F(SeedsEndToEndTest, VoiceInsightsMatchesTheOracle) {
  v1::ListParticipantsRequest request = ConferenceRequest(kSeedConference);
  ExpectSeed(request, "voice_insights", Participant::kConferenceParticipantSummary);
  request.mutable_conference_participant_summaries()->set_label("client");
  ExpectSeed(request, "voice_insights_label_client", Participant::kConferenceParticipantSummary);
}

TEST_F(SeedsEndToEndTest, VideoInsightsMatchesTheOracle) {
  v1::ListParticipantsRequest request;
  request.mutable_room_participant_summaries()->set_room_sid("RMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
  ExpectSeed(request, "video_insights", Participant::kRoomParticipantSummary);
  request.mutable_room_participant_summaries()->set_room_sid("RMbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
  ExpectSeed(request, "video_insights_empty", Participant::kRoomParticipantSummary);
}

TEST_F(SeedsEndToEndTest, SignalWireMatchesTheOracle) {
  v1::ListParticipantsRequest request;
  request.set_upstream("signalwire");
  request.mutable_live_participants()->set_conference_sid("b3877c40-da60-4998-90ad-b792e98472cf");
  ExpectSeed(request, "signalwire", Participant::kLiveParticipant);
}

}  // namespace
}  // namespace rollcall
