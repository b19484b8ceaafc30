// Every fault of a provider over every route to it. A short fault goes unnoticed; a longer one
// gives the caller a fitting error, and a token from which the rest arrives once the fault is gone.
#include <gmock/gmock.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/end_to_end/recovery.h"

namespace rollcall {
namespace {

using simulator::Fault;
using simulator::Request;
using ::testing::Contains;
using ::testing::Pair;

struct FaultCase {
  const char* name;
  // The fault for a request; `provider` is the base URL that the client knows.
  std::function<Fault(const Request& request, const std::string& provider)> fault;
  // Whether the fault may pass, so that the request is retried.
  bool transient;
  // Reason of the error if the fault persists, and the reason behind nginx if it differs.
  const char* reason;
  const char* reason_behind_nginx = nullptr;
  // Whether the provider only falls silent, so that timeouts matter.
  bool silent = false;
};

void PrintTo(const FaultCase& fault_case, std::ostream* out) { *out << fault_case.name; }

FaultCase Of(const char* name, bool transient, const char* reason, Fault fault) {
  return {name, [fault](const Request&, const std::string&) { return fault; }, transient, reason};
}

FaultCase BeforeTheHead(const char* name, bool reset) {
  Fault fault;
  fault.cut_before_head = true;
  fault.reset = reset;
  FaultCase fault_case = Of(name, true, "UPSTREAM_UNREACHABLE", fault);
  fault_case.reason_behind_nginx = "UPSTREAM_UNAVAILABLE";  // nginx responds with 502.
  return fault_case;
}

FaultCase InTheBody(const char* name, bool reset, bool chunked) {
  Fault fault;
  fault.cut_after = 3000;
  fault.reset = reset;
  fault.chunked = chunked;
  return Of(name, true, "UPSTREAM_UNREACHABLE", fault);
}

FaultCase Silent(const char* name, const std::function<void(Fault&)>& hold) {
  Fault fault;
  hold(fault);
  FaultCase fault_case = Of(name, true, "UPSTREAM_TIMEOUT", fault);
  fault_case.silent = true;
  return fault_case;
}

// Replaces the page's next link with the result of `link`.
FaultCase BadLink(const char* name,
                  const std::function<std::string(const Request&, const std::string&)>& link) {
  return {name,
          [link](const Request& request, const std::string& provider) {
            Fault fault;
            fault.edit_body = [to = link(request, provider)](const std::string& body) {
              nlohmann::json page = nlohmann::json::parse(body);
              page["meta"]["next_page_url"] = to;
              return page.dump();
            };
            return fault;
          },
          false, "UPSTREAM_BAD_NEXT_LINK"};
}

std::vector<FaultCase> FaultCases() {
  return {
      BeforeTheHead("CutBeforeTheHead", false),
      BeforeTheHead("ResetBeforeTheHead", true),
      InTheBody("CutInTheBody", false, false),
      InTheBody("CutInAChunk", false, true),
      InTheBody("ResetInTheBody", true, false),
      InTheBody("ResetInAChunk", true, true),
      Silent("SilentBeforeTheHead", [](Fault& fault) { fault.hold_before_head = true; }),
      Silent("SilentInTheHead", [](Fault& fault) { fault.hold_in_head = true; }),
      Silent("SilentInTheBody", [](Fault& fault) { fault.hold_after = 3000; }),
      Of("TooManyRequests", true, "UPSTREAM_RATE_LIMITED",
         simulator::Respond(429, R"({"code":20429,"status":429})")),
      Of("UnavailableInHtml", true, "UPSTREAM_UNAVAILABLE",
         simulator::Respond(503, "<html><body>try again later</body></html>")),
      Of("CredentialsRejected", false, "UPSTREAM_CREDENTIALS_REJECTED",
         simulator::Respond(401, R"({"code":20003,"status":401})")),
      BadLink("LinkToItself",
              [](const Request& request, const std::string& provider) {
                return provider + request.target;
              }),
      BadLink("LinkElsewhere",
              [](const Request& request, const std::string&) {
                return "https://provider.example" + request.target;
              }),
      BadLink("LinkToAnotherPort",
              [](const Request& request, const std::string&) {
                return "https://localhost:1" + request.target;
              }),
  };
}

class UpstreamFaultTest : public RecoveryFixture,
                          public ::testing::WithParamInterface<std::tuple<Route, FaultCase>> {
 protected:
  Route route() const override { return std::get<Route>(GetParam()); }
  static const FaultCase& fault_case() { return std::get<FaultCase>(GetParam()); }

  void SetUp() override {
    RecoveryFixture::SetUp();
    request_ = RequestFor(list_);
    request_.set_page_size(10);
  }

  // Injects the fault into the first `times` requests for the page.
  void InjectFaultAtPage(int page, int times) {
    auto left = std::make_shared<std::atomic<int>>(times);
    simulator_->InjectFaults([left, page, provider = ProviderUrl()](const Request& request) {
      const bool is_it = page == 0
                             ? !absl::StrContains(request.target, "&Page=")
                             : absl::StrContains(request.target, absl::StrCat("&Page=", page, "&"));
      if (!is_it || left->fetch_sub(1) <= 0) return Fault();
      return fault_case().fault(request, provider);
    });
  }

  const simulator::List list_{simulator::Api::kVoiceInsights, 25};
  v1::ListParticipantsRequest request_;
};

INSTANTIATE_TEST_SUITE_P(Routes, UpstreamFaultTest,
                         ::testing::Combine(::testing::ValuesIn(kRoutes),
                                            ::testing::ValuesIn(FaultCases())),
                         [](const auto& param_info) {
                           return absl::StrCat(std::get<FaultCase>(param_info.param).name, "Over",
                                               NameOf(std::get<Route>(param_info.param)));
                         });

TEST_P(UpstreamFaultTest, ShortFaultIsNotNoticed) {
  if (!fault_case().transient) return;  // Fails at once; see the next test.
  if (fault_case().silent) StartWithIdleTimeout(0.5);
  // For a slow fault, testing one page is enough.
  for (const int page : {1, 0, 2}) {
    SCOPED_TRACE(page);
    InjectFaultAtPage(page, 1);
    const Reading reading = ExpectExactly(request_, Ids(list_));
    EXPECT_TRUE(reading.status.ok()) << reading.status.error_message();
    if (fault_case().silent) break;
  }
}

TEST_P(UpstreamFaultTest, PersistentFaultIsAnErrorAndTokenResumes) {
  const bool nginx_says_so = nginx_ != nullptr && fault_case().reason_behind_nginx != nullptr;
  for (const int page : {1, 0}) {
    SCOPED_TRACE(page);
    if (fault_case().silent) StartWithIdleTimeout(0.2);
    InjectFaultAtPage(page, 1000);
    const Reading reading = ExpectExactly(request_, Ids(list_), [this] {
      simulator_->InjectFaults(nullptr);
      if (fault_case().silent) StartWithIdleTimeout(60);
    });
    EXPECT_EQ(Reason(reading.status),
              nginx_says_so ? fault_case().reason_behind_nginx : fault_case().reason)
        << reading.status.error_message();
    if (fault_case().silent) break;
  }
}

TEST_P(RecoveryTest, BodyInSingleBytesArrives) {
  const simulator::List list(simulator::Api::kVoiceInsights, 15);
  v1::ListParticipantsRequest request = RequestFor(list);
  request.set_page_size(5);
  for (const bool chunked : {false, true}) {
    Fault fault;
    fault.piece_bytes = 1;
    fault.chunked = chunked;
    InjectFault("Participants", 1000, fault);
    const Reading reading = ExpectExactly(request, Ids(list));
    EXPECT_TRUE(reading.status.ok()) << reading.status.error_message();
    EXPECT_THAT(reading.trailers, Contains(Pair("rollcall-attempts", "3")));
  }
}

TEST_P(RecoveryTest, ResumesAfterTheProviderListensAgain) {
  const simulator::List list(simulator::Api::kVoiceInsights, 25);
  v1::ListParticipantsRequest request = RequestFor(list);
  request.set_page_size(10);
  Fault held;
  held.hold_after = 3000;
  InjectFault("Page=1&", 1, held);
  simulator::Options options;
  options.port = std::stoi(simulator_->base_url().substr(simulator_->base_url().rfind(':') + 1));
  const auto start_again = [&] {
    auto started = simulator::Simulator::Start(options);
    ASSERT_TRUE(started.ok()) << started.status();
    simulator_ = *std::move(started);
  };
  const Reading reading = ExpectExactly(request, Ids(list), start_again, [this](size_t count) {
    if (count != 10) return;
    EXPECT_TRUE(simulator_->WaitUntilHolding(1));
    simulator_.reset();
  });
  EXPECT_EQ(Reason(reading.status),
            nginx_ == nullptr ? "UPSTREAM_UNREACHABLE" : "UPSTREAM_UNAVAILABLE");
}

TEST_P(RecoveryTest, ResumesByIdentityAfterPageChanges) {
  const std::string path =
      "/2010-04-01/Accounts/ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/Conferences/"
      "CF00000000000000000000000000000001/Participants.json";
  const auto page = [](const std::vector<std::string>& ids) {
    std::string body = "{\"participants\":[";
    for (size_t i = 0; i < ids.size(); ++i) {
      absl::StrAppend(&body, i == 0 ? "" : ",", "{\"call_sid\":\"", ids[i], "\"}");
    }
    return body;
  };
  const std::string end = R"(],"next_page_uri":null})";
  const std::vector<std::string> before = {"a", "b", "c", "d", "e", "f"};
  // Of the three records already emitted, one is gone and the others have moved. Of the rest, one
  // is gone, one moved to the front, and two are new.
  const std::vector<std::string> after = {"x", "f", "c", "e", "y", "a"};
  const std::vector<std::string> expected = {"a", "b", "c", "x", "f", "e", "y"};

  v1::ListParticipantsRequest request;
  request.set_upstream("twilio");
  request.mutable_live_participants()->set_conference_sid("CF00000000000000000000000000000001");
  for (const bool within_the_call : {true, false}) {
    if (!within_the_call) StartDaemon({{"retry", {{"max_attempts", 1}}}});
    const std::string first_three = page({"a", "b", "c"});
    simulator_->AddPage(path, page(before) + end);
    Fault cut;
    cut.hold_after = first_three.size();
    cut.cut_after = first_three.size();
    InjectFault("PageSize", 1, cut);
    // The page breaks off after the caller has three records, and has changed on the next attempt.
    size_t count = 0;
    const Reading begun = Read(request, SIZE_MAX, [&](size_t records) {
      count = records;
      if (records != 3) return;
      EXPECT_TRUE(simulator_->WaitUntilHolding(1));
      simulator_->AddPage(path, page(after) + end);
      simulator_->Release();
    });
    if (within_the_call) {
      EXPECT_TRUE(begun.status.ok()) << begun.status.error_message();
      EXPECT_EQ(begun.ids, expected);
      continue;
    }
    // A token names one participant; the rest is what follows it now.
    EXPECT_EQ(Reason(begun.status), "UPSTREAM_UNREACHABLE");
    EXPECT_EQ(count, 3u);
    request.set_resume_token(begun.tokens.back());
    const Reading rest = Read(request);
    EXPECT_TRUE(rest.status.ok()) << rest.status.error_message();
    EXPECT_EQ(rest.ids, (std::vector<std::string>{"e", "y", "a"}));
  }
}

TEST_P(RecoveryTest, WaitsOutRepeated429s) {
  // Every page is refused three times in a row, and served at the fourth attempt.
  const simulator::List list(simulator::Api::kVoiceInsights, 60);
  v1::ListParticipantsRequest request = RequestFor(list);
  request.set_page_size(10);
  auto mutex = std::make_shared<std::mutex>();
  auto refused = std::make_shared<std::map<std::string, int>>();
  simulator_->InjectFaults([=](const Request& asked) {
    const std::lock_guard lock(*mutex);
    return (*refused)[asked.target]++ < 3 ? simulator::Respond(429, R"({"code":20429})") : Fault();
  });
  const Reading reading = ExpectExactly(request, Ids(list));
  EXPECT_TRUE(reading.status.ok()) << reading.status.error_message();
  EXPECT_THAT(reading.trailers, Contains(Pair("rollcall-attempts", "24")));
}

}  // namespace
}  // namespace rollcall
