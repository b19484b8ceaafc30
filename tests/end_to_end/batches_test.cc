// ListParticipantBatches delivers the list of ListParticipants, and resumes inside a batch.
#include <gmock/gmock.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "tests/end_to_end/end_to_end.h"

namespace rollcall {
namespace {

using simulator::Api;
using simulator::Fault;
using simulator::Request;
using ::testing::Contains;
using ::testing::Each;
using ::testing::Gt;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Le;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

// A list that was read in batches.
struct Batches {
  std::vector<int> sizes;
  std::vector<std::string> tokens;  // of the batches
  Listing list;
};

class BatchesTest : public EndToEndTest {
 protected:
  static v1::ListParticipantBatchesRequest BatchesOf(const v1::ListParticipantsRequest& list,
                                                     int max_size = 0) {
    v1::ListParticipantBatchesRequest request;
    *request.mutable_list() = list;
    request.set_max_batch_size(max_size);
    return request;
  }

  Batches Read(const v1::ListParticipantBatchesRequest& request) {
    Batches batches;
    grpc::ClientContext context;
    const auto reader = stub().ListParticipantBatches(&context, request);
    v1::ListParticipantBatchesResponse response;
    while (reader->Read(&response)) {
      batches.sizes.push_back(response.participants_size());
      batches.tokens.push_back(response.resume_token());
      for (const auto& participant : response.participants()) {
        batches.list.participants.push_back(participant);
      }
    }
    batches.list.status = reader->Finish();
    for (const auto& [key, value] : context.GetServerTrailingMetadata()) {
      batches.list.trailers[std::string(key.data(), key.size())] =
          std::string(value.data(), value.size());
    }
    return batches;
  }

  // The serialized participants, in which maps are sorted.
  static std::vector<std::string> BytesOf(const Listing& listing) {
    std::vector<std::string> bytes;
    for (const auto& participant : listing.participants) {
      google::protobuf::io::StringOutputStream stream(&bytes.emplace_back());
      google::protobuf::io::CodedOutputStream coded(&stream);
      coded.SetSerializationDeterministic(true);
      participant.SerializeToCodedStream(&coded);
    }
    return bytes;
  }

  // Reads the rest of `request` after `token` by each method, and checks that it is `whole` without
  // its first `processed` participants.
  void ExpectRest(v1::ListParticipantsRequest request, const std::string& token,
                  const Listing& whole, size_t processed) {
    request.set_resume_token(token);
    std::vector<std::string> expected = BytesOf(whole);
    expected.erase(expected.begin(), expected.begin() + static_cast<ptrdiff_t>(processed));
    for (const Listing& rest : {List(request), Read(BatchesOf(request, 4)).list}) {
      EXPECT_TRUE(rest.status.ok()) << rest.status.error_message();
      ASSERT_EQ(BytesOf(rest).size(), expected.size()) << processed;
      ASSERT_TRUE(BytesOf(rest) == expected) << processed;
    }
  }

  // Resumes `request` after each of its participants, which are read in batches.
  void ExpectEveryPositionResumes(const v1::ListParticipantsRequest& request) {
    const Listing whole = List(request);
    ASSERT_TRUE(whole.status.ok()) << whole.status.error_message();
    const Batches batches = Read(BatchesOf(request, 5));
    ASSERT_TRUE(BytesOf(batches.list) == BytesOf(whole));
    EXPECT_THAT(batches.sizes, Contains(Gt(1)));
    size_t processed = 0;
    for (size_t i = 0; i < batches.sizes.size(); ++i) {
      for (int in_batch = 1; in_batch <= batches.sizes[i]; ++in_batch) {
        const std::string token = absl::StrCat(batches.tokens[i], ":", in_batch);
        ExpectRest(request, token, whole, ++processed);
        if (HasFatalFailure()) return;
      }
      ExpectRest(request, batches.tokens[i], whole, processed);
    }
    EXPECT_EQ(processed, whole.participants.size());
  }

  // Changes every page by `edit`.
  void EditPages(const std::function<void(nlohmann::json& page)>& edit) {
    simulator_->InjectFaults([edit](const Request&) {
      Fault fault;
      fault.edit_body = [edit](const std::string& body) {
        nlohmann::json page = nlohmann::json::parse(body);
        edit(page);
        return page.dump();
      };
      return fault;
    });
  }
};

TEST_F(BatchesTest, DeliverTheListOfEveryProvider) {
  for (const Api api :
       {Api::kVoiceInsights, Api::kVideoInsights, Api::kSignalWire, Api::kTwilioCore}) {
    const v1::ListParticipantsRequest request = RequestFor({api, 2345});
    const Listing single = List(request);
    ASSERT_TRUE(single.status.ok()) << single.status.error_message();
    const Batches batches = Read(BatchesOf(request));
    EXPECT_TRUE(batches.list.status.ok()) << batches.list.status.error_message();
    EXPECT_TRUE(BytesOf(batches.list) == BytesOf(single));
    EXPECT_THAT(batches.sizes, Each(Le(100)));
    // Far fewer messages, however the records arrived.
    EXPECT_LT(batches.sizes.size(), 2345u / 4);
    EXPECT_THAT(batches.list.trailers, Contains(Pair("rollcall-records", "2345")));
    EXPECT_THAT(batches.list.trailers, Contains(Pair("rollcall-pages", "3")));
  }
}

TEST_F(BatchesTest, AreNotLargerThanRequested) {
  v1::ListParticipantsRequest list = ConferenceRequest(700);
  list.set_limit(650);
  for (const int max_size : {1, 2, 30}) {
    const Batches batches = Read(BatchesOf(list, max_size));
    EXPECT_EQ(batches.list.participants.size(), 650u);
    EXPECT_THAT(batches.sizes, Each(Le(max_size)));
  }
  EXPECT_THAT(Read(BatchesOf(list, 1)).sizes, SizeIs(650));
}

TEST_F(BatchesTest, EmptyListHasNoBatch) {
  const Batches batches = Read(BatchesOf(ConferenceRequest(int64_t{0})));
  EXPECT_TRUE(batches.list.status.ok()) << batches.list.status.error_message();
  EXPECT_THAT(batches.sizes, IsEmpty());
}

TEST_F(BatchesTest, ParticipantThatArrivesAloneIsSentAlone) {
  const simulator::List list(Api::kVoiceInsights, 100);
  size_t first = 0;
  simulator_->InjectFaults([&](const Request&) {
    Fault fault;
    fault.edit_body = [&first, &list](std::string body) {
      const std::string record = ParticipantJson(list, 0);
      first = body.find(record) + record.size();
      return body;
    };
    return fault;
  });
  ASSERT_TRUE(List(RequestFor(list)).status.ok());
  simulator_->InjectFaults([first](const Request&) {
    Fault fault;
    fault.hold_after = first;
    return fault;
  });
  grpc::ClientContext context;
  const auto reader = stub().ListParticipantBatches(&context, BatchesOf(RequestFor(list)));
  v1::ListParticipantBatchesResponse response;
  ASSERT_TRUE(reader->Read(&response));  // while the provider holds the rest of the page
  EXPECT_EQ(response.participants_size(), 1);
  ASSERT_TRUE(simulator_->WaitUntilHolding(1));
  simulator_->Release();
  int count = 1;
  while (reader->Read(&response)) count += response.participants_size();
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(count, 100);
}

TEST_F(BatchesTest, EveryPositionResumes) {
  for (const Api api :
       {Api::kVoiceInsights, Api::kVideoInsights, Api::kSignalWire, Api::kTwilioCore}) {
    v1::ListParticipantsRequest request = RequestFor({api, 17});
    request.set_page_size(7);
    ExpectEveryPositionResumes(request);
  }
}

TEST_F(BatchesTest, EveryPositionResumesWithoutTheSidInTheReadMask) {
  v1::ListParticipantsRequest request = ConferenceRequest(17);
  request.set_page_size(7);
  request.mutable_read_mask()->add_paths("duration");
  ExpectEveryPositionResumes(request);
}

TEST_F(BatchesTest, EveryPositionResumesInRecordsWithoutASid) {
  EditPages([](nlohmann::json& page) {
    for (auto& record : page["participants"]) record.erase("participant_sid");
  });
  ExpectEveryPositionResumes(ConferenceRequest(12));
}

TEST_F(BatchesTest, EveryPositionResumesInUnparsableRecords) {
  simulator_->InjectFaults([](const Request&) {
    Fault fault;
    fault.edit_body = [](const std::string& body) {
      return absl::StrReplaceAll(body, {{"\"participant_sid\":", "\"participant_sid\""}});
    };
    return fault;
  });
  const Listing listing = List(ConferenceRequest(12));
  ASSERT_EQ(listing.participants.size(), 12u);
  ASSERT_EQ(listing.participants[0].unrecognized(0).kind(),
            v1::UnrecognizedValue::KIND_UNPARSABLE_RECORD);
  ExpectEveryPositionResumes(ConferenceRequest(12));
}

TEST_F(BatchesTest, EveryPositionResumesAmongRecordsThatOccurTwice) {
  EditPages([](nlohmann::json& page) {
    nlohmann::json records = nlohmann::json::array();
    for (const auto& record : page["participants"]) {
      records.push_back(record);
      records.push_back(record);
    }
    page["participants"] = records;
  });
  ExpectEveryPositionResumes(ConferenceRequest(8));
}

TEST_F(BatchesTest, PositionOfAParticipantThatHasVanishedIsAnError) {
  const v1::ListParticipantsRequest list = ConferenceRequest(10);
  const Batches batches = Read(BatchesOf(list, 10));
  ASSERT_THAT(batches.sizes, Not(IsEmpty()));
  ASSERT_GT(batches.sizes[0], 1);
  EditPages([](nlohmann::json& page) { page["participants"].erase(0); });
  v1::ListParticipantsRequest rest = list;
  rest.set_resume_token(batches.tokens[0] + ":1");
  const Batches refused = Read(BatchesOf(rest));
  EXPECT_EQ(Reason(refused.list.status), "UPSTREAM_LIST_CHANGED");
  EXPECT_THAT(refused.sizes, IsEmpty());
}

TEST_F(BatchesTest, WithoutTokensTheTrailerHasTheLastOne) {
  v1::ListParticipantsRequest list = ConferenceRequest(50);
  list.set_page_size(20);
  list.set_omit_resume_tokens(true);
  const Listing whole = List(list);
  simulator_->InjectFaults([](const Request& request) {
    return absl::StrContains(request.target, "Page=1") ? simulator::Respond(503) : Fault();
  });
  const Batches batches = Read(BatchesOf(list));
  EXPECT_EQ(Reason(batches.list.status), "UPSTREAM_UNAVAILABLE");
  EXPECT_EQ(batches.list.participants.size(), 20u);
  EXPECT_THAT(batches.tokens, Each(""));
  ASSERT_THAT(batches.list.trailers, Contains(Key("rollcall-resume-token")));
  simulator_->InjectFaults(nullptr);
  ExpectRest(list, batches.list.trailers.at("rollcall-resume-token"), whole, 20);
}

TEST_F(BatchesTest, RefuseInvalidRequests) {
  const auto expect = [this](const v1::ListParticipantBatchesRequest& request,
                             const std::vector<std::string>& fields) {
    const Batches batches = Read(request);
    EXPECT_EQ(batches.list.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(ViolatedFields(batches.list.status), fields);
  };
  expect({}, {"list.query"});
  v1::ListParticipantBatchesRequest request = BatchesOf(ConferenceRequest(1), -1);
  request.mutable_list()->set_limit(-1);
  expect(request, {"max_batch_size", "list.limit"});
  // Calling again on another replica would not help.
  request.mutable_list()->set_resume_token("r4.AAAA");
  expect(request, {"max_batch_size", "list.limit"});
  EXPECT_THAT(simulator_->requests(), IsEmpty());

  const std::string token = Read(BatchesOf(ConferenceRequest(1))).tokens.at(0);
  for (const char* suffix : {":0", ":2", ":", ":-1", ":+1", ": 1", ":1 ", ":1:1", ":x", "1",
                             ":4294967297", ":18446744073709551617"}) {
    request = BatchesOf(ConferenceRequest(1));
    request.mutable_list()->set_resume_token(token + suffix);
    expect(request, {"list.resume_token"});
  }
}

TEST_F(BatchesTest, TokenOfAnotherVersionIsRetryable) {
  for (const char* token : {"r4.AAAA", "r2.AAAA", "r999.AAAA:3"}) {
    v1::ListParticipantsRequest list = ConferenceRequest(1);
    list.set_resume_token(token);
    for (const Listing& refused : {List(list), Read(BatchesOf(list)).list}) {
      EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::UNAVAILABLE);
      EXPECT_EQ(Reason(refused.status), "RESUME_TOKEN_UNSUPPORTED");
    }
  }
  EXPECT_THAT(simulator_->requests(), IsEmpty());
}

}  // namespace
}  // namespace rollcall
