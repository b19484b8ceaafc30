// The rows of the memory table in docs/architecture.md: how much a provider, with the help of a
// caller that does not read, can make rollcalld hold. load_test has the usual case,
// paused_transfer_test HTTP/2, hostile_caller_test responses that are not read.
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "tests/end_to_end/end_to_end.h"
#include "tests/end_to_end/resident_memory.h"
#include "tests/end_to_end/tally.h"

namespace rollcall {
namespace {

using simulator::Fault;
using simulator::HoldAfter;
using simulator::Request;
using ::testing::AllOf;
using ::testing::Ge;
using ::testing::Le;

constexpr size_t kKibibyte = size_t{1} << 10;
constexpr size_t kMebibyte = size_t{1} << 20;

// What a list that waits for its provider takes apart from the row that is tested: a call of gRPC,
// an HTTP request, a connection.
constexpr size_t kCallBytes = 128 * kKibibyte;

// The body up to the first byte of the first record.
std::string PageBegin(absl::string_view next_link = "null") {
  return absl::StrCat(R"({"meta":{"next_page_url":)", next_link, R"(},"participants":[)");
}

constexpr absl::string_view kPageEnd = "]}";

// `count` times `record`, with commas.
std::string Repeat(absl::string_view record, size_t count) {
  std::string records;
  records.reserve((record.size() + 1) * count);
  for (size_t i = 0; i < count; ++i) absl::StrAppend(&records, i == 0 ? "" : ",", record);
  return records;
}

// Different records, of `begin` up to but not `end`.
std::string SmallRecords(size_t begin, size_t end) {
  std::string records;
  for (size_t i = begin; i < end; ++i) {
    absl::StrAppendFormat(&records, R"(%s{"participant_sid":"CP%032d"})", i == begin ? "" : ",", i);
  }
  return records;
}

class MemoryTest : public EndToEndTest {
 protected:
  struct Call {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<v1::ListParticipantsResponse>> reader;
  };

  MemoryTest() {
    simulator_options_.keep_requests = false;
    simulator_options_.send_buffer_bytes = 32 << 10;
  }

  void SetUp() override {
    if (!kMemoryIsGivenBack) GTEST_SKIP() << "a sanitizer keeps memory that is freed";
    EndToEndTest::SetUp();
  }

  void TearDown() override {
    v1::ListParticipantsResponse response;
    for (const auto& call : calls_) call->context.TryCancel();
    for (const auto& call : calls_) {
      while (call->reader->Read(&response)) {
      }
      call->reader->Finish();
    }
  }

  nlohmann::json Configuration() const override {
    nlohmann::json configuration = EndToEndTest::Configuration();
    configuration["event_loops"] = 1;
    configuration["retry"] = {{"max_attempts", 5}, {"initial_backoff_seconds", 0.002}};
    return configuration;
  }

  // Starts rollcalld with these limits, and makes one call, whose allocations do not count.
  void StartWith(const nlohmann::json& limits) {
    StartDaemon({{"limits", limits}});
    // These clients read ahead at most 64 KiB of a call.
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    narrow_ = v1::ParticipantService::NewStub(grpc::CreateCustomChannel(
        daemon_->address(), grpc::InsecureChannelCredentials(), arguments));
    ExpectStillServes();
    before_ = Steady();
  }

  // Serves this page, whole or as the fault says.
  void Serve(const std::string& page, const Fault& fault = {}) {
    simulator_->AddPage(absl::StrCat("/v1/Conferences/", kConference, "/Participants"), page);
    simulator_->InjectFaults([fault](const Request&) { return fault; });
  }

  // Begins this many lists.
  void Begin(size_t lists) {
    for (size_t i = 0; i < lists; ++i) {
      calls_.push_back(std::make_unique<Call>());
      calls_.back()->reader =
          narrow_->ListParticipants(&calls_.back()->context, ConferenceRequest(kConference));
    }
  }

  // Reads this many records of each list.
  void Read(size_t records) {
    v1::ListParticipantsResponse response;
    for (const auto& call : calls_) {
      for (size_t i = 0; i < records; ++i) ASSERT_TRUE(call->reader->Read(&response)) << i;
    }
  }

  // Waits until rollcalld has read everything that the provider has sent.
  void WaitUntilRead() {
    const std::string port = absl::StrFormat(
        ":%04X", std::stoi(simulator_->base_url().substr(simulator_->base_url().rfind(':') + 1)));
    const auto is_read = [&port] {
      std::ifstream file("/proc/net/tcp");
      for (std::string line; std::getline(file, line);) {
        const std::vector<std::string> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
        if (fields.size() > 4 &&
            (absl::EndsWith(fields[1], port) || absl::EndsWith(fields[2], port)) &&
            fields[3] == "01" && fields[4] != "00000000:00000000") {
          return false;
        }
      }
      return true;
    };
    WaitFor(is_read, "the provider's bytes are not read");
  }

  // Waits until this much more memory is resident.
  void WaitForGrowth(size_t bytes) {
    WaitFor([&] { return daemon_->ResidentBytes() >= before_ + bytes; }, "memory does not grow");
  }

  // Polls the condition. Fails after a time that only a hang takes.
  void WaitFor(const std::function<bool()>& condition, const char* failure) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (daemon_->IsRunning() && !condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << failure;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  size_t Steady() {
    return WhenSteady([this] { return daemon_->ResidentBytes(); });
  }

  // By how much memory has grown since `before_`, for each of `parts`.
  size_t GrowthOfEach(size_t parts, const std::string& what) {
    const size_t now = Steady();
    return Report(now, parts, what);
  }

  size_t Report(size_t now, size_t parts, const std::string& what) {
    const size_t growth = (std::max(now, before_) - before_) / parts;
    std::cout << what << ": " << growth << " bytes each\n";
    RecordProperty(what, static_cast<int>(growth));
    return growth;
  }

  std::unique_ptr<v1::ParticipantService::Stub> narrow_;
  std::vector<std::unique_ptr<Call>> calls_;
  size_t before_ = 0;
};

// A queue, the batch that gRPC is writing, and two pieces of the body: that of the page and that of
// the prefetched page.
TEST_F(MemoryTest, QueueOfUnreadRecords) {
  constexpr size_t kLists = 8;
  constexpr size_t kQueue = kMebibyte;
  StartWith({{"send_queue_bytes", kQueue}});
  const std::string record = absl::StrCat(R"({"label":")", std::string(kKibibyte, 'x'), R"("})");
  const std::string next = absl::StrCat("\"/v1/Conferences/", kConference, "/Participants?Page=");
  simulator_->AddPage(
      absl::StrCat("/v1/Conferences/", kConference, "/Participants?Page=1"),
      absl::StrCat(PageBegin(absl::StrCat(next, "2\"")), Repeat(record, 8000), kPageEnd));
  Serve(absl::StrCat(PageBegin(absl::StrCat(next, "1\"")), Repeat(record, 8000), kPageEnd));
  Begin(kLists);
  Read(1);
  WaitForGrowth(kLists * kQueue);
  WhenSteady([this] { return simulator_->body_bytes_sent(); });
  EXPECT_LE(GrowthOfEach(kLists, "queue"), 2 * kQueue + 2 * kCallBytes);
}

// A queue may exceed its limit by one record. Another is with the page reader, one with gRPC.
TEST_F(MemoryTest, QueueOfLargeRecords) {
  constexpr size_t kLists = 8;
  constexpr size_t kRecord = kMebibyte;
  StartWith({{"send_queue_bytes", kKibibyte}, {"max_record_bytes", kRecord}});
  const std::string record =
      absl::StrCat(R"({"label":")", std::string(kRecord - 100, 'x'), R"("})");
  Serve(absl::StrCat(PageBegin(), Repeat(record, 12), kPageEnd));
  Begin(kLists);
  Read(1);
  WaitForGrowth(kLists * 2 * kRecord);
  WhenSteady([this] { return simulator_->body_bytes_sent(); });
  EXPECT_LE(GrowthOfEach(kLists, "large_records"), 6 * kRecord);
}

// A text that does not end: a record, another member of the page, or its name.
struct IncompleteText {
  const char* name;
  const char* begin;
};

void PrintTo(const IncompleteText& text, std::ostream* out) { *out << text.name; }

class IncompleteTextTest : public MemoryTest,
                           public ::testing::WithParamInterface<IncompleteText> {};

INSTANTIATE_TEST_SUITE_P(
    All, IncompleteTextTest,
    ::testing::Values(IncompleteText{"Record", R"({"participants":[{"label":")"},
                      IncompleteText{"Member", R"({"other":")"}, IncompleteText{"Name", R"({")"}),
    [](const auto& param_info) { return std::string(param_info.param.name); });

TEST_P(IncompleteTextTest, IsHeldOnce) {
  constexpr size_t kLists = 16;
  constexpr size_t kRecord = kMebibyte;
  StartWith({{"max_record_bytes", kRecord}});
  Serve(absl::StrCat(GetParam().begin, std::string(2 * kRecord, 'x')), HoldAfter(kRecord));
  Begin(kLists);
  ASSERT_TRUE(simulator_->WaitUntilHolding(kLists));
  WaitUntilRead();
  // The buffer grows by half of its size.
  EXPECT_THAT(GrowthOfEach(kLists, absl::StrCat("incomplete_", GetParam().name)),
              AllOf(Ge(kRecord * 9 / 10), Le(kRecord * 3 / 2 + 2 * kCallBytes)));
}

// Records of a megabyte that decode to much more, in each form that the decoder knows.
struct LargeRecord {
  const char* name;
  const char* begin;
  std::string piece;  // "%d" is replaced by a number
  const char* end;
};

void PrintTo(const LargeRecord& form, std::ostream* out) { *out << form.name; }

class LargeRecordTest : public MemoryTest, public ::testing::WithParamInterface<LargeRecord> {
 protected:
  static std::string RecordOf(const LargeRecord& form, size_t bytes) {
    std::string record = form.begin;
    size_t number = 0;
    while (record.size() < bytes - 100) {
      const std::string piece = absl::StrReplaceAll(form.piece, {{"%d", absl::StrCat(number)}});
      if (number++ > 0) record += ',';
      record += piece;
    }
    return record + form.end;
  }
};

INSTANTIATE_TEST_SUITE_P(
    , LargeRecordTest,
    ::testing::Values(LargeRecord{"UnknownMembers", "{", R"("a%d":1)", "}"},
                      LargeRecord{"UnknownArray", R"({"a":[)", "1", "]}"},
                      LargeRecord{"EscapedNames", "{", R"("\u0061%d":1)", "}"},
                      LargeRecord{"EventTimes", R"({"events":{"a":[)", "1", "]}}"},
                      LargeRecord{"UnreadableValues", "{", "\"a%d\":\"\xff\"", "}"},
                      LargeRecord{"EmptyObjects", R"({"a":[)", "{}", "]}"}),
    [](const auto& param_info) { return std::string(param_info.param.name); });

TEST_P(LargeRecordTest, MemoryDependsOnOneRecordOnly) {
  constexpr size_t kRecord = kMebibyte;
  StartWith({{"max_record_bytes", kRecord}});
  const std::string record = RecordOf(GetParam(), kRecord);
  ASSERT_LE(record.size(), kRecord);
  Serve(absl::StrCat(PageBegin(), Repeat(record, 8), kPageEnd));
  for (int lists = 0; lists < 3; ++lists) {
    const Listing listing = List(ConferenceRequest(kConference));
    EXPECT_TRUE(listing.status.ok()) << listing.status.error_message();
    EXPECT_EQ(listing.participants.size(), 8u);
  }
  EXPECT_LE(Report(daemon_->PeakResidentBytes(), 1, "peak"), 32 * kRecord);
  // simdjson's buffers stay.
  EXPECT_LE(GrowthOfEach(1, "afterwards"), 28 * kRecord);
}

// The members of a page are not parsed into values, which would take 30 times the text.
TEST_F(MemoryTest, Envelope) {
  constexpr size_t kLists = 8;
  constexpr size_t kRecord = kMebibyte;
  StartWith({{"max_record_bytes", kRecord}});
  Serve(absl::StrCat(R"({"meta":{"next_page_url":null,"a":[)", Repeat("{}", kRecord / 3 - 100),
                     R"(]},"participants":[{}]})"));
  Begin(kLists);
  Read(1);
  EXPECT_LE(Report(daemon_->PeakResidentBytes(), 1, "peak"), (4 + 2 * kLists) * kRecord);
}

// libcurl keeps the headers of a response until it has ended.
TEST_F(MemoryTest, ResponseHeaders) {
  constexpr size_t kLists = 40;  // twice that is fewer than `connections.max_streams`
  StartWith({});
  simulator::Answer answer{200, {}, "{}"};
  const auto hold = [&](size_t held) {
    simulator_->InjectFaults([answer](const Request&) {
      Fault fault = HoldAfter(0);
      fault.answer = answer;
      return fault;
    });
    Begin(kLists);
    ASSERT_TRUE(simulator_->WaitUntilHolding(held));
    WaitUntilRead();
  };
  hold(kLists);
  const size_t without = GrowthOfEach(kLists, "without_headers");
  for (int i = 0; i < 250; ++i) {
    answer.headers.emplace_back(absl::StrCat("X-", i), std::string(240, 'x'));
  }
  hold(2 * kLists);
  const size_t with = GrowthOfEach(kLists, "with_headers") - 2 * without;
  EXPECT_THAT(with, AllOf(Ge(60 * kKibibyte), Le(120 * kKibibyte)));
}

// The records of a page are remembered until it ends, and once more while it is fetched again.
TEST_F(MemoryTest, IdentitiesOfRecordsOnAPage) {
  constexpr size_t kLists = 2;
  constexpr size_t kRecords = 60000;  // just after the hash table has grown, its worst case
  constexpr size_t kBytes = 40;       // of each
  StartWith({{"max_records_per_page", 100000}});
  const std::string first = absl::StrCat(PageBegin(), SmallRecords(0, kRecords));
  const std::string second = absl::StrCat(first, ",", SmallRecords(kRecords, kRecords + 1));
  Fault cut = HoldAfter(first.size());
  cut.cut_after = first.size();
  Serve(absl::StrCat(second, kPageEnd));
  std::atomic<size_t> fetches = 0;
  simulator_->InjectFaults([&fetches, cut, size = second.size()](const Request&) {
    return fetches++ < kLists ? cut : HoldAfter(size);
  });
  Begin(kLists);
  Read(kRecords);
  EXPECT_THAT(GrowthOfEach(kLists * kRecords, "once"), AllOf(Ge(kBytes / 2), Le(2 * kBytes)));
  simulator_->Release();
  Read(1);
  EXPECT_THAT(GrowthOfEach(kLists * kRecords, "twice"), AllOf(Ge(kBytes), Le(4 * kBytes)));
}

// Of a page that was read, only a hash stays: not its link, here of 4 KiB.
TEST_F(MemoryTest, HashesOfPages) {
  constexpr int kPages = 3000;
  StartWith({});
  std::atomic<int> page = 0;
  simulator_->InjectFaults([&page](const Request&) {
    const int next = ++page;
    Fault fault = simulator::Respond(
        200, absl::StrCat(PageBegin(absl::StrCat("\"/v1/Conferences/", kConference,
                                                 "/Participants?Page=", next,
                                                 "&x=", std::string(4 * kKibibyte, 'x'), "\"")),
                          kPageEnd));
    if (next > kPages) fault.hold_before_head = true;
    return fault;
  });
  Begin(1);
  ASSERT_TRUE(simulator_->WaitUntilHolding(1));
  EXPECT_LE(GrowthOfEach(kPages, "pages"), kKibibyte);
}

// The body of GetParticipant's response is held until it is complete.
TEST_F(MemoryTest, IncompleteParticipant) {
  constexpr size_t kCalls = 16;
  constexpr size_t kRecord = kMebibyte;
  StartWith({{"max_record_bytes", kRecord}});
  simulator_->InjectFaults([](const Request&) {
    Fault fault = HoldAfter(kRecord - 1);
    fault.answer = simulator::Answer{
        200, {}, absl::StrCat(R"({"label":")", std::string(2 * kRecord, 'x'), R"("})")};
    return fault;
  });
  const v1::GetParticipantRequest request = GetRequestFor({simulator::Api::kVoiceInsights, 5}, 1);
  std::vector<grpc::ClientContext> contexts(kCalls);
  std::vector<v1::GetParticipantResponse> responses(kCalls);
  Tally done;
  for (size_t i = 0; i < kCalls; ++i) {
    narrow_->async()->GetParticipant(&contexts[i], &request, &responses[i],
                                     [&done](const grpc::Status&) { done.Add(); });
  }
  ASSERT_TRUE(simulator_->WaitUntilHolding(kCalls));
  WaitUntilRead();
  // The text grows by its own size.
  EXPECT_THAT(GrowthOfEach(kCalls, "incomplete_participant"),
              AllOf(Ge(kRecord * 9 / 10), Le(kRecord * 2 + 2 * kCallBytes)));
  for (grpc::ClientContext& context : contexts) context.TryCancel();
  done.WaitFor(kCalls);
}

}  // namespace
}  // namespace rollcall
