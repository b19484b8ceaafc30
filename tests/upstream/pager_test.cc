// How the pager walks a list, with ProviderRequest, ConcurrencyLimiter, RetryPolicy and
// ReplayCursor as shipped. The provider, the clock and the caller are the test's own; there are no
// sockets.
#include "service/upstream/pager.h"

#include <gmock/gmock.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "service/error/error.h"
#include "tests/upstream/upstream_fixture.h"

namespace rollcall::service {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A caller that reads when the test lets it.
class Sink final : public RecordSink {
 public:
  bool HasRoom() override { return room > 0; }
  void Take(absl::string_view participant, const ListPosition& position) override {
    --room;
    v1::Participant message;
    ASSERT_TRUE(message.ParseFromArray(participant.data(), static_cast<int>(participant.size())));
    const std::string& sid = message.conference_participant_summary().participant_sid();
    numbers.push_back(sid.empty() ? 0 : std::stoi(sid.substr(sid.size() - 2)));
    for (const auto& value : message.unrecognized()) unrecognized.push_back(value);
    last = position;
  }
  void Flush() override { ++flushes; }
  void OnListEnd(const absl::Status& status, const CallTotals& list_totals) override {
    EXPECT_FALSE(end) << "a list ends once";
    end = status;
    totals = list_totals;
  }

  int room = 1000;
  std::vector<int> numbers;  // 0 for a record without a sid
  std::vector<v1::UnrecognizedValue> unrecognized;
  std::optional<ListPosition> last;
  int flushes = 0;
  std::optional<absl::Status> end;
  CallTotals totals;
};

class PagerTest : public UpstreamFixture {
 protected:
  // The URL of a later page.
  static std::string PageUrl(const std::string& name) {
    return absl::StrCat(kApi, "/v1/Conferences/", kConference, "/Participants?PageToken=", name);
  }

  // A page as Voice Insights sends it: with the link in front of the records.
  static std::string PageOf(const std::vector<int>& numbers, const std::string& next = "") {
    json link = nullptr;
    if (!next.empty()) link = PageUrl(next);
    json records = json::array();
    for (const int number : numbers) records.push_back(RecordOf(number));
    return absl::StrCat(R"({"meta":{"next_page_url":)", link.dump(), R"(},"participants":)",
                        records.dump(), "}");
  }

  void Start(v1::ListParticipantsRequest request = {},
             std::chrono::milliseconds timeout = std::chrono::hours(1)) {
    request.mutable_conference_participant_summaries()->set_conference_sid(kConference);
    auto checked = CheckRequest(request, query_options_, Context(timeout));
    ASSERT_TRUE(checked.ok()) << checked.status();
    tokens_ = std::move(checked->tokens);
    RecordSink& sink = sink_;
    pager_ = std::make_unique<Pager>(transport_, decoder_scratch_, config_.read, upstream(),
                                     std::move(checked->query), sink, [] { return 0.5; });
    pager_->Start();
    scheduler_.Run();
  }

  // Starts the same list again, after the last record of this one.
  void StartAgain() {
    v1::ListParticipantsRequest request;
    request.set_resume_token(tokens_->Seal(*sink_.last));
    pager_.reset();
    sink_ = Sink();
    Start(request);
  }

  // The requests that were sent, by the last part of their URLs.
  std::vector<std::string> Urls() const {
    std::vector<std::string> urls;
    for (const auto& request : transport_.requests()) {
      urls.push_back(request->url().substr(request->url().find('?') + 1));
    }
    return urls;
  }

  v1::ErrorReason reason() const { return sink_.end ? ReasonOf(*sink_.end) : v1::ErrorReason(); }

  Sink sink_;
  std::optional<ResumeTokens> tokens_;
  std::unique_ptr<Pager> pager_;
};

TEST_F(PagerTest, ReadsAllPages) {
  Start();
  ASSERT_THAT(Urls(), ElementsAre("PageSize=1000"));
  Respond(0, 200, PageOf({1, 2}, "b"));
  ASSERT_THAT(Urls(), ElementsAre("PageSize=1000", "PageToken=b"));
  Respond(1, 200, PageOf({3}));
  EXPECT_THAT(sink_.numbers, ElementsAre(1, 2, 3));
  EXPECT_EQ(sink_.end, absl::OkStatus());
  EXPECT_EQ(sink_.totals.records, 3);
  EXPECT_EQ(sink_.totals.pages, 2);
  EXPECT_EQ(sink_.totals.attempts, 2);
}

TEST_F(PagerTest, EmitsARecordBeforeItsPageIsComplete) {
  Start();
  const std::string page = PageOf({1, 2});
  const size_t end = page.find(SidOf(2));
  request(0).Head(200);
  request(0).Body(page.substr(0, end));
  EXPECT_THAT(sink_.numbers, ElementsAre(1));
  EXPECT_GT(sink_.flushes, 0);
  request(0).Body(page.substr(end));
  request(0).End();
  EXPECT_THAT(sink_.numbers, ElementsAre(1, 2));
  EXPECT_EQ(sink_.end, absl::OkStatus());
}

TEST_F(PagerTest, RequestsTheNextPageWhenItsLinkIsRead) {
  Start();
  const std::string page = PageOf({1}, "b");
  const size_t records = page.find("participants");
  request(0).Head(200);
  request(0).Body(page.substr(0, records));
  scheduler_.Run();
  ASSERT_THAT(Urls(), ElementsAre("PageSize=1000", "PageToken=b"));

  // Its body waits for this page's records.
  Respond(1, 200, PageOf({2}));
  EXPECT_TRUE(request(1).is_paused());
  request(0).Body(page.substr(records));
  request(0).End();
  EXPECT_THAT(sink_.numbers, ElementsAre(1, 2));
  EXPECT_EQ(sink_.end, absl::OkStatus());
}

TEST_F(PagerTest, DoesNotRequestAPageThatTheLimitMakesUnnecessary) {
  v1::ListParticipantsRequest list;
  list.set_page_size(2);
  list.set_limit(2);
  Start(list);
  Respond(0, 200, PageOf({1, 2}, "b"));
  EXPECT_THAT(sink_.numbers, ElementsAre(1, 2));
  EXPECT_EQ(sink_.end, absl::OkStatus());
  EXPECT_THAT(transport_.requests(), SizeIs(1));
}

TEST_F(PagerTest, CancelsItsRequestsWhenItIsDestroyed) {
  Start();
  request(0).Head(200);
  request(0).Body(PageOf({1}, "b").substr(0, 150));
  scheduler_.Run();
  ASSERT_THAT(transport_.requests(), SizeIs(2));
  pager_.reset();
  EXPECT_FALSE(request(0).is_in_flight());
  EXPECT_FALSE(request(1).is_in_flight());
  EXPECT_EQ(upstream().limiter.counts().in_flight, 0);
}

TEST_F(PagerTest, PausesTheProviderWhileTheSinkIsFull) {
  sink_.room = 1;
  Start();
  const std::string page = PageOf({1, 2, 3});
  const size_t end = page.size() - 2;
  request(0).Head(200);
  request(0).Body(page.substr(0, end));
  EXPECT_THAT(sink_.numbers, ElementsAre(1));
  request(0).Body(page.substr(end));
  EXPECT_TRUE(request(0).is_paused());
  request(0).End();

  pager_->Resume();  // there is no room yet
  EXPECT_THAT(sink_.numbers, ElementsAre(1));
  sink_.room = 1;
  pager_->Resume();
  EXPECT_THAT(sink_.numbers, ElementsAre(1, 2));
  EXPECT_TRUE(request(0).is_paused());
  sink_.room = 10;
  pager_->Resume();
  EXPECT_THAT(sink_.numbers, ElementsAre(1, 2, 3));
  EXPECT_EQ(sink_.end, absl::OkStatus());
}

TEST_F(PagerTest, AStalledResponseDoesNotCountAsInFlight) {
  sink_.room = 0;
  Start();
  request(0).Head(200);
  request(0).Body(PageOf({1, 2}));
  request(0).Body(" ");
  EXPECT_EQ(upstream().limiter.counts().in_flight, 1);
  scheduler_.Advance(milliseconds(1000));
  EXPECT_EQ(upstream().limiter.counts().in_flight, 0);
  EXPECT_EQ(upstream().limiter.counts().stalled, 1);
}

TEST_F(PagerTest, RefetchesAPageThatBreaksAndEmitsItsRecordsOnce) {
  Start();
  const std::string page = PageOf({1, 2, 3});
  request(0).Head(200);
  request(0).Body(page.substr(0, page.find(SidOf(3))));
  request(0).End(MakeError(v1::ERROR_REASON_UPSTREAM_UNREACHABLE, "the connection broke"));
  EXPECT_FALSE(sink_.end);
  ASSERT_TRUE(scheduler_.AdvanceToNextTimer());
  ASSERT_THAT(Urls(), ElementsAre("PageSize=1000", "PageSize=1000"));
  EXPECT_TRUE(request(1).new_connection());
  Respond(1, 200, PageOf({3, 2, 1, 4}));
  EXPECT_THAT(sink_.numbers, ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(sink_.end, absl::OkStatus());
  EXPECT_EQ(sink_.totals.duplicates, 2);
  EXPECT_EQ(sink_.totals.attempts, 2);
}

TEST_F(PagerTest, RefetchesAMalformedPageOnAnotherConnection) {
  for (const char* const body : {"", "<html>", R"({"participants":[],"me)", R"({"meta":{}})",
                                 R"({"participants":[]})", "[]"}) {
    sink_ = Sink();
    const size_t before = transport_.requests().size();
    Start();
    Respond(before, 200, body);
    EXPECT_TRUE(request(before).is_distrusted()) << body;
    ASSERT_TRUE(scheduler_.AdvanceToNextTimer()) << body;
    ASSERT_THAT(transport_.requests(), SizeIs(before + 2)) << body;
    EXPECT_TRUE(request(before + 1).new_connection()) << body;
    Respond(before + 1, 200, PageOf({1}));
    EXPECT_THAT(sink_.numbers, ElementsAre(1)) << body;
    EXPECT_EQ(sink_.end, absl::OkStatus()) << body;
  }
}

TEST_F(PagerTest, GivesUpAfterTheConfiguredAttempts) {
  Start();
  for (int i = 0; i < config_.read.retry.max_attempts; ++i) {
    EXPECT_FALSE(sink_.end);
    Respond(static_cast<size_t>(i), 503, "");
    scheduler_.AdvanceToNextTimer();
  }
  EXPECT_EQ(reason(), v1::ERROR_REASON_UPSTREAM_UNAVAILABLE);
  EXPECT_EQ(sink_.totals.attempts, config_.read.retry.max_attempts);
  EXPECT_THAT(transport_.requests(), SizeIs(config_.read.retry.max_attempts));
}

TEST_F(PagerTest, CountsAttemptsAnewAfterEachRecord) {
  Start();
  for (int i = 1; i <= 3 * config_.read.retry.max_attempts; ++i) {
    std::vector<int> numbers;
    for (int j = 1; j <= i; ++j) numbers.push_back(j);
    const std::string page = PageOf(numbers);
    FakeTransport::Exchange& last = transport_.last();
    last.Head(200);
    last.Body(page.substr(0, page.size() - 2));
    last.End(MakeError(v1::ERROR_REASON_UPSTREAM_UNREACHABLE, "the connection broke"));
    ASSERT_FALSE(sink_.end) << i;
    ASSERT_TRUE(scheduler_.AdvanceToNextTimer());
  }
  EXPECT_THAT(sink_.numbers, SizeIs(3 * config_.read.retry.max_attempts));
}

TEST_F(PagerTest, KeepsAWaitThatTheProviderAskedFor) {
  Start();
  request(0).Respond(429, "", {{"Retry-After", "7"}});
  scheduler_.Advance(milliseconds(6999));
  EXPECT_THAT(transport_.requests(), SizeIs(1));
  scheduler_.Advance(milliseconds(1));
  ASSERT_THAT(transport_.requests(), SizeIs(2));
  EXPECT_EQ(upstream().limiter.counts().limit, config_.upstreams[0].limiter.max_in_flight / 2);
  Respond(1, 200, PageOf({1}));
  EXPECT_EQ(sink_.end, absl::OkStatus());
}

TEST_F(PagerTest, DoesNotRetryWhatCannotSucceed) {
  for (const auto& [status, expected] :
       {std::pair(401, v1::ERROR_REASON_UPSTREAM_CREDENTIALS_REJECTED),
        std::pair(404, v1::ERROR_REASON_UPSTREAM_NOT_FOUND)}) {
    sink_ = Sink();
    const size_t before = transport_.requests().size();
    Start();
    Respond(before, status, "{}");
    EXPECT_EQ(reason(), expected) << status;
    EXPECT_FALSE(scheduler_.has_timers()) << status;
  }
}

// A page of three records, of which the second cannot be read as the provider's JSON should be.
struct UnreadableRecord {
  const char* text;
  v1::UnrecognizedValue::Kind kind;
  int number;  // of the record, 0 if it has no sid
};

class UnreadableRecordTest : public PagerTest,
                             public ::testing::WithParamInterface<UnreadableRecord> {
 protected:
  static std::string Page() {
    const std::string page = PageOf({1, 3}, "b");
    const size_t third = page.find(",{", page.find(SidOf(1)));
    return absl::StrCat(page.substr(0, third), ",", GetParam().text, page.substr(third));
  }
};

TEST_P(UnreadableRecordTest, IsDeliveredInItsPosition) {
  Start();
  Respond(0, 200, Page());
  Respond(1, 200, PageOf({4}));
  EXPECT_THAT(sink_.numbers, ElementsAre(1, GetParam().number, 3, 4));
  ASSERT_THAT(sink_.unrecognized, SizeIs(1));
  EXPECT_EQ(sink_.unrecognized[0].kind(), GetParam().kind);
  EXPECT_EQ(sink_.end, absl::OkStatus());
  EXPECT_EQ(sink_.totals.unrecognized, 1);
}

TEST_P(UnreadableRecordTest, IsDeliveredOnceIfThePageIsRefetched) {
  Start();
  request(0).Head(200);
  const std::string page = Page();
  request(0).Body(page.substr(0, page.find(SidOf(3))));
  request(0).End(absl::OkStatus());
  scheduler_.Advance(config_.read.retry.max_backoff);
  const size_t again = transport_.requests().size() - 1;
  ASSERT_THAT(Urls()[again], "PageSize=1000");
  Respond(again, 200, page);
  Respond(transport_.requests().size() - 1, 200, PageOf({4}));
  EXPECT_THAT(sink_.numbers, ElementsAre(1, GetParam().number, 3, 4));
  EXPECT_EQ(sink_.end, absl::OkStatus());
}

TEST_P(UnreadableRecordTest, CanBeResumedAfter) {
  sink_.room = 2;
  Start();
  Respond(0, 200, Page());
  ASSERT_THAT(sink_.numbers, ElementsAre(1, GetParam().number));
  StartAgain();
  const size_t resumed = transport_.requests().size() - 1;
  Respond(resumed, 200, Page());
  Respond(transport_.requests().size() - 1, 200, PageOf({4}));
  EXPECT_THAT(sink_.numbers, ElementsAre(3, 4));
  EXPECT_EQ(sink_.end, absl::OkStatus());
}

INSTANTIATE_TEST_SUITE_P(
    PagerTest, UnreadableRecordTest,
    ::testing::Values(
        UnreadableRecord{
            R"({"participant_sid":"CP00000000000000000000000000000002","label":"\ud83d"})",
            v1::UnrecognizedValue::KIND_WRONG_TYPE, 2},
        UnreadableRecord{
            "{\"participant_sid\":\"CP00000000000000000000000000000002\",\"x\":\"\xff\"}",
            v1::UnrecognizedValue::KIND_UNKNOWN_FIELD, 2},
        UnreadableRecord{R"({"participant_sid":"\udc00"})", v1::UnrecognizedValue::KIND_WRONG_TYPE,
                         0},
        UnreadableRecord{R"({"participant_sid" "CP02"})",
                         v1::UnrecognizedValue::KIND_UNPARSABLE_RECORD, 0},
        UnreadableRecord{R"({"label":[}})", v1::UnrecognizedValue::KIND_UNPARSABLE_RECORD, 0}));

TEST_F(PagerTest, RestartsTheListWhenALinkHasExpired) {
  Start();
  Respond(0, 200, PageOf({1, 2}, "b"));
  Respond(1, 400, R"({"code":20001})");
  ASSERT_THAT(Urls(), ElementsAre("PageSize=1000", "PageToken=b", "PageSize=1000"));
  Respond(2, 200, PageOf({1, 2}, "c"));
  Respond(3, 200, PageOf({3}));
  EXPECT_THAT(sink_.numbers, ElementsAre(1, 2, 3));
  EXPECT_EQ(sink_.end, absl::OkStatus());
  EXPECT_EQ(sink_.totals.duplicates, 2);
}

TEST_F(PagerTest, EndsWhenARestartedListHasChanged) {
  Start();
  Respond(0, 200, PageOf({1, 2}, "b"));
  Respond(1, 400, R"({"code":20001})");
  Respond(2, 200, PageOf({2, 3}, "c"));
  EXPECT_THAT(sink_.numbers, ElementsAre(1, 2));
  EXPECT_EQ(reason(), v1::ERROR_REASON_UPSTREAM_LIST_CHANGED);
}

TEST_F(PagerTest, EndsWhenARestartedListIsShorter) {
  Start();
  Respond(0, 200, PageOf({1, 2}, "b"));
  Respond(1, 400, R"({"code":20001})");
  Respond(2, 200, PageOf({1}));
  EXPECT_EQ(reason(), v1::ERROR_REASON_UPSTREAM_LIST_CHANGED);
}

TEST_F(PagerTest, ResumesOnThePageOfTheToken) {
  Start();
  Respond(0, 200, PageOf({1, 2}, "b"));
  request(1).Head(200);
  const std::string page = PageOf({3, 4, 5});
  request(1).Body(page.substr(0, page.find(SidOf(5))));
  ASSERT_THAT(sink_.numbers, ElementsAre(1, 2, 3, 4));
  StartAgain();
  ASSERT_THAT(Urls(), ElementsAre("PageSize=1000", "PageToken=b", "PageToken=b"));
  Respond(2, 200, page);
  EXPECT_THAT(sink_.numbers, ElementsAre(5));
  EXPECT_EQ(sink_.end, absl::OkStatus());
  EXPECT_EQ(sink_.totals.duplicates, 0);
}

TEST_F(PagerTest, EndsWhenTheRecordOfTheTokenIsGone) {
  Start();
  Respond(0, 200, PageOf({1, 2}));
  StartAgain();
  Respond(1, 200, PageOf({1, 3}));
  EXPECT_THAT(sink_.numbers, IsEmpty());
  EXPECT_EQ(reason(), v1::ERROR_REASON_UPSTREAM_LIST_CHANGED);
}

TEST_F(PagerTest, RestartsAResumedListWhenThePageOfTheTokenHasExpired) {
  Start();
  Respond(0, 200, PageOf({1, 2}, "b"));
  Respond(1, 200, PageOf({3}, "c"));
  StartAgain();
  ASSERT_THAT(Urls().back(), EndsWith("PageToken=b"));
  const size_t resumed = transport_.requests().size() - 1;
  Respond(resumed, 400, R"({"code":20001})");
  ASSERT_THAT(Urls().back(), EndsWith("PageSize=1000"));
  Respond(resumed + 1, 200, PageOf({1, 2}, "d"));
  Respond(resumed + 2, 200, PageOf({3, 4}));
  EXPECT_THAT(sink_.numbers, ElementsAre(4));
  EXPECT_EQ(sink_.end, absl::OkStatus());
}

TEST_F(PagerTest, RefusesALinkToAPageThatWasRead) {
  Start();
  Respond(0, 200, PageOf({1}, "b"));
  Respond(1, 200, PageOf({2}, "b"));
  EXPECT_EQ(reason(), v1::ERROR_REASON_UPSTREAM_BAD_NEXT_LINK);
  EXPECT_THAT(transport_.requests(), SizeIs(2));
}

TEST_F(PagerTest, RefusesALinkToAnotherHost) {
  Start();
  Respond(
      0, 200,
      R"({"meta":{"next_page_url":"https://elsewhere.test/v1/Conferences/x"},"participants":[]})");
  EXPECT_EQ(reason(), v1::ERROR_REASON_UPSTREAM_BAD_NEXT_LINK);
  EXPECT_THAT(transport_.requests(), SizeIs(1));
}

TEST_F(PagerTest, StopsAtTheConfiguredNumberOfPages) {
  config_.read.limits.max_pages_per_list = 2;
  Start();
  Respond(0, 200, PageOf({1}, "b"));
  Respond(1, 200, PageOf({2}, "c"));
  EXPECT_THAT(sink_.numbers, ElementsAre(1, 2));
  EXPECT_EQ(reason(), v1::ERROR_REASON_UPSTREAM_LIMIT_EXCEEDED);
}

TEST_F(PagerTest, StopsAtTheConfiguredNumberOfRecordsOnAPage) {
  config_.read.limits.max_records_per_page = 2;
  Start();
  Respond(0, 200, PageOf({1, 2}, "b"));
  Respond(1, 200, PageOf({3, 4, 5}));
  EXPECT_THAT(sink_.numbers, ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(reason(), v1::ERROR_REASON_UPSTREAM_LIMIT_EXCEEDED);
}

TEST_F(PagerTest, CountsRecordsOfARefetchedPageOnce) {
  config_.read.limits.max_records_per_page = 2;
  Start();
  request(0).Head(200);
  const std::string page = PageOf({1, 2});
  request(0).Body(page.substr(0, page.size() - 2));
  request(0).End();
  scheduler_.Advance(config_.read.retry.max_backoff);
  Respond(1, 200, page);
  EXPECT_THAT(sink_.numbers, ElementsAre(1, 2));
  EXPECT_EQ(sink_.end, absl::OkStatus());
}

// Each attempt brings new records, so that it counts as progress.
TEST_F(PagerTest, GivesUpAPageThatAlwaysBreaks) {
  config_.read.retry.max_attempts_per_page = 4;
  Start();
  for (int attempt = 0; attempt < 4; ++attempt) {
    const std::string page = PageOf({10 + 2 * attempt, 11 + 2 * attempt, 99});
    request(attempt).Head(200);
    request(attempt).Body(page.substr(0, page.find(SidOf(99))));
    request(attempt).End();
    scheduler_.Advance(config_.read.retry.max_backoff);
  }
  EXPECT_THAT(transport_.requests(), SizeIs(4));
  EXPECT_THAT(sink_.numbers, ElementsAre(10, 11, 12, 13, 14, 15, 16, 17));
  EXPECT_EQ(reason(), v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE);
  EXPECT_THAT(std::string(sink_.end->message()),
              HasSubstr("the page has failed 4 times (retry.max_attempts_per_page)"));
}

TEST_F(PagerTest, CountsAttemptsOfEachPageAnew) {
  config_.read.retry.max_attempts_per_page = 2;
  Start();
  Respond(0, 503, "");
  scheduler_.Advance(config_.read.retry.max_backoff);
  Respond(1, 200, PageOf({1}, "b"));
  Respond(2, 503, "");
  scheduler_.Advance(config_.read.retry.max_backoff);
  Respond(3, 200, PageOf({2}));
  EXPECT_THAT(sink_.numbers, ElementsAre(1, 2));
  EXPECT_EQ(sink_.end, absl::OkStatus());
}

TEST_F(PagerTest, WaitsForItsTurn) {
  config_.upstreams[0].limiter.max_in_flight = 1;
  auto other = upstream().limiter.Acquire(ConcurrencyLimiter::Kind::kFirst, "other", 0, scheduler_,
                                          [](const absl::Status&) {});
  Start();
  EXPECT_THAT(transport_.requests(), IsEmpty());
  other.reset();
  scheduler_.Run();
  EXPECT_THAT(transport_.requests(), SizeIs(1));
}

TEST_F(PagerTest, WaitsUntilTheCircuitBreakerLetsItRetry) {
  config_.breaker.failures = 1;
  Start();
  Respond(0, 503, "");
  EXPECT_TRUE(upstream().limiter.counts().circuit_open);
  scheduler_.Advance(config_.breaker.open);
  scheduler_.Advance(config_.breaker.open);
  ASSERT_THAT(transport_.requests(), SizeIs(2));
  Respond(1, 200, PageOf({1}));
  EXPECT_FALSE(upstream().limiter.counts().circuit_open);
  EXPECT_EQ(sink_.end, absl::OkStatus());
}

TEST_F(PagerTest, RequestsTheNewLinkOfARefetchedPage) {
  Start();
  const std::string page = PageOf({1, 2}, "b");
  request(0).Head(200);
  request(0).Body(page.substr(0, page.find(SidOf(2))));
  scheduler_.Run();
  request(0).End(MakeError(v1::ERROR_REASON_UPSTREAM_UNREACHABLE, "the connection broke"));
  ASSERT_TRUE(scheduler_.AdvanceToNextTimer());
  ASSERT_THAT(Urls(), ElementsAre("PageSize=1000", "PageToken=b", "PageSize=1000"));
  Respond(2, 200, PageOf({1, 2}, "c"));
  EXPECT_FALSE(request(1).is_in_flight());
  ASSERT_THAT(Urls().back(), EndsWith("PageToken=c"));
  Respond(3, 200, PageOf({3}));
  EXPECT_THAT(sink_.numbers, ElementsAre(1, 2, 3));
  EXPECT_EQ(sink_.end, absl::OkStatus());
}

TEST_F(PagerTest, RefusesAPageWithTwoLinks) {
  config_.read.retry.max_attempts = 1;
  Start();
  Respond(0, 200,
          R"({"meta":{"next_page_url":null},"meta":{"next_page_url":null},"participants":[]})");
  EXPECT_EQ(reason(), v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE);
}

TEST_F(PagerTest, TakesAPageThatIsCutByTheEndOfTheConnectionForABrokenOne) {
  config_.read.retry.max_attempts = 1;
  Start();
  const std::string page = PageOf({1, 2});
  request(0).Respond(200, page.substr(0, page.size() - 5), {});
  EXPECT_THAT(sink_.numbers, ElementsAre(1));
  EXPECT_EQ(reason(), v1::ERROR_REASON_UPSTREAM_UNREACHABLE);
}

TEST_F(PagerTest, DoesNotHoldAConnectionForThePrefetchWhileItRefetchesAPage) {
  config_.upstreams[0].limiter.max_in_flight = 1;
  config_.upstreams[0].limiter.max_connections = 1;
  Start();
  const std::string page = PageOf({1, 2}, "b");
  request(0).Head(200);
  request(0).Body(page.substr(0, page.find(SidOf(2))));
  scheduler_.Run();
  request(0).End(MakeError(v1::ERROR_REASON_UPSTREAM_UNREACHABLE, "the connection broke"));
  while (transport_.requests().size() < 2) ASSERT_TRUE(scheduler_.AdvanceToNextTimer());
  ASSERT_THAT(Urls(), ElementsAre("PageSize=1000", "PageSize=1000"));
  Respond(1, 200, page);
  ASSERT_THAT(Urls().back(), EndsWith("PageToken=b"));
  Respond(2, 200, PageOf({3}));
  EXPECT_THAT(sink_.numbers, ElementsAre(1, 2, 3));
  EXPECT_EQ(sink_.end, absl::OkStatus());
}

TEST_F(PagerTest, RequestsAPageAgainWhosePrefetchWasRefused) {
  config_.breaker.failures = 1;
  Start();
  const std::string page = PageOf({1}, "b");
  request(0).Head(200);
  // Another request opens the circuit breaker.
  auto other = upstream().limiter.Acquire(ConcurrencyLimiter::Kind::kNext, "other", 0, scheduler_,
                                          [](const absl::Status&) {});
  scheduler_.Run();
  other->OnNoResponse(CircuitBreaker::Failure::kUnreachable);
  request(0).Body(page);
  scheduler_.Run();  // refuses the prefetch
  other.reset();
  request(0).End();
  scheduler_.Run();
  EXPECT_FALSE(sink_.end);
  while (transport_.requests().size() < 2) ASSERT_TRUE(scheduler_.AdvanceToNextTimer());
  Respond(1, 200, PageOf({2}));
  EXPECT_THAT(sink_.numbers, ElementsAre(1, 2));
  EXPECT_EQ(sink_.end, absl::OkStatus());
}

TEST_F(PagerTest, RequestsAPageAgainWhosePrefetchGaveItsConnectionToAnotherCaller) {
  config_.upstreams[0].limiter.max_connections = 3;
  sink_.room = 1;
  Start();
  Respond(0, 200, PageOf({1, 2}, "b"));
  request(1).Head(200);
  request(1).Body(PageOf({3}));
  scheduler_.Run();
  std::vector<std::unique_ptr<ConcurrencyLimiter::Permit>> others;
  const auto acquire = [&] {
    others.push_back(upstream().limiter.Acquire(ConcurrencyLimiter::Kind::kFirst, "other", 0,
                                                scheduler_, [](const absl::Status&) {}));
    scheduler_.Run();
  };
  for (int i = 0; i < 2; ++i) acquire();
  EXPECT_TRUE(request(1).is_in_flight());
  acquire();
  EXPECT_FALSE(request(1).is_in_flight());
  others.clear();
  sink_.room = 100;
  pager_->Resume();
  scheduler_.Run();
  ASSERT_THAT(Urls(), ElementsAre("PageSize=1000", "PageToken=b", "PageToken=b"));
  Respond(2, 200, PageOf({3}));
  EXPECT_THAT(sink_.numbers, ElementsAre(1, 2, 3));
  EXPECT_EQ(sink_.end, absl::OkStatus());
  EXPECT_EQ(sink_.totals.attempts, 3);
}

TEST_F(PagerTest, DoesNotRetryWhenTheDeadlineIsNear) {
  Start({}, std::chrono::milliseconds(50));
  Respond(0, 503, "");
  EXPECT_EQ(reason(), v1::ERROR_REASON_UPSTREAM_UNAVAILABLE);
  EXPECT_FALSE(scheduler_.has_timers());
}

TEST_F(PagerTest, StopsWhileItWaitsForARetry) {
  Start();
  Respond(0, 503, "");
  pager_->Stop(absl::CancelledError("stopped"));
  EXPECT_EQ(sink_.end, absl::CancelledError("stopped"));
  EXPECT_FALSE(scheduler_.has_timers());
}

TEST_F(PagerTest, StopsWithTheReasonThatItIsGiven) {
  Start();
  request(0).Head(200);
  pager_->Stop(absl::CancelledError("stopped"));
  EXPECT_EQ(sink_.end, absl::CancelledError("stopped"));
  EXPECT_FALSE(request(0).is_in_flight());
  pager_->Stop(absl::CancelledError("again"));
}

}  // namespace
}  // namespace rollcall::service
