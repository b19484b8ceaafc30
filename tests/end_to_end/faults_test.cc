// Each fault of a provider, on each way to it: for a moment it is not noticed, for longer the
// caller has an error that fits, and a token from which the rest arrives once the fault is gone.
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

using simulator::Direction;
using simulator::Request;
using ::testing::Contains;
using ::testing::Pair;

struct Fault {
  const char* name;
  // What happens to a request; `provider` is the base URL that the client knows.
  std::function<Direction(const Request& request, const std::string& provider)> direction;
  // Whether it may pass, and is therefore tried again.
  bool transient;
  // Of the error of a call for which it does not pass, and of that behind nginx where it is
  // another.
  const char* reason;
  const char* reason_behind_nginx = nullptr;
  // Whether it is told by the provider's silence.
  bool silent = false;
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

Fault Of(const char* name, bool transient, const char* reason, Direction direction) {
  return {name, [direction](const Request&, const std::string&) { return direction; }, transient,
          reason};
}

Fault BeforeTheHead(const char* name, bool reset) {
  Direction direction;
  direction.cut_before_head = true;
  direction.reset = reset;
  Fault fault = Of(name, true, "UPSTREAM_UNREACHABLE", direction);
  fault.reason_behind_nginx = "UPSTREAM_UNAVAILABLE";  // 502
  return fault;
}

Fault InTheBody(const char* name, bool reset, bool chunked) {
  Direction direction;
  direction.cut_after = 3000;
  direction.reset = reset;
  direction.chunked = chunked;
  return Of(name, true, "UPSTREAM_UNREACHABLE", direction);
}

Fault Silent(const char* name, const std::function<void(Direction&)>& hold) {
  Direction direction;
  hold(direction);
  Fault fault = Of(name, true, "UPSTREAM_TIMEOUT", direction);
  fault.silent = true;
  return fault;
}

// The page's link to the next one is replaced by what `link` gives.
Fault BadLink(const char* name,
              const std::function<std::string(const Request&, const std::string&)>& link) {
  return {name,
          [link](const Request& request, const std::string& provider) {
            Direction direction;
            direction.edit_body = [to = link(request, provider)](const std::string& body) {
              nlohmann::json page = nlohmann::json::parse(body);
              page["meta"]["next_page_url"] = to;
              return page.dump();
            };
            return direction;
          },
          false, "UPSTREAM_BAD_NEXT_LINK"};
}

std::vector<Fault> Faults() {
  return {
      BeforeTheHead("CutBeforeTheHead", false),
      BeforeTheHead("ResetBeforeTheHead", true),
      InTheBody("CutInTheBody", false, false),
      InTheBody("CutInAChunk", false, true),
      InTheBody("ResetInTheBody", true, false),
      InTheBody("ResetInAChunk", true, true),
      Silent("SilentBeforeTheHead", [](Direction& fault) { fault.hold_before_head = true; }),
      Silent("SilentInTheHead", [](Direction& fault) { fault.hold_in_head = true; }),
      Silent("SilentInTheBody", [](Direction& fault) { fault.hold_after = 3000; }),
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
                          public ::testing::WithParamInterface<std::tuple<Way, Fault>> {
 protected:
  Way way() const override { return std::get<Way>(GetParam()); }
  static const Fault& fault() { return std::get<Fault>(GetParam()); }

  void SetUp() override {
    RecoveryFixture::SetUp();
    request_ = RequestFor(list_);
    request_.set_page_size(10);
  }

  // Does the fault to the first `times` requests for a page.
  void DisturbPage(int page, int times) {
    auto left = std::make_shared<std::atomic<int>>(times);
    simulator_->Direct([left, page, provider = ProviderUrl()](const Request& request) {
      const bool is_it = page == 0
                             ? !absl::StrContains(request.target, "&Page=")
                             : absl::StrContains(request.target, absl::StrCat("&Page=", page, "&"));
      if (!is_it || left->fetch_sub(1) <= 0) return Direction();
      return fault().direction(request, provider);
    });
  }

  const simulator::List list_{simulator::Api::kVoiceInsights, 25};
  v1::ListParticipantsRequest request_;
};

INSTANTIATE_TEST_SUITE_P(Ways, UpstreamFaultTest,
                         ::testing::Combine(::testing::ValuesIn(kWays),
                                            ::testing::ValuesIn(Faults())),
                         [](const auto& param_info) {
                           return absl::StrCat(std::get<Fault>(param_info.param).name, "Over",
                                               NameOf(std::get<Way>(param_info.param)));
                         });

TEST_P(UpstreamFaultTest, ForAMomentIsNotNoticed) {
  if (!fault().transient) return;  // it is told at once, as the next test shows
  if (fault().silent) StartWithIdleTimeout(0.5);
  // Of a fault that takes its time, one page has to do.
  for (const int page : {1, 0, 2}) {
    SCOPED_TRACE(page);
    DisturbPage(page, 1);
    const Reading reading = ExpectExactly(request_, Ids(list_));
    EXPECT_TRUE(reading.status.ok()) << reading.status.error_message();
    if (fault().silent) break;
  }
}

TEST_P(UpstreamFaultTest, ForLongerIsAnErrorAndATokenForTheRest) {
  const bool nginx_says_so = nginx_ != nullptr && fault().reason_behind_nginx != nullptr;
  for (const int page : {1, 0}) {
    SCOPED_TRACE(page);
    if (fault().silent) StartWithIdleTimeout(0.2);
    DisturbPage(page, 1000);
    const Reading reading = ExpectExactly(request_, Ids(list_), [this] {
      simulator_->Direct(nullptr);
      if (fault().silent) StartWithIdleTimeout(60);
    });
    EXPECT_EQ(Reason(reading.status), nginx_says_so ? fault().reason_behind_nginx : fault().reason)
        << reading.status.error_message();
    if (fault().silent) break;
  }
}

TEST_P(RecoveryTest, ABodyThatDripsArrives) {
  const simulator::List list(simulator::Api::kVoiceInsights, 15);
  v1::ListParticipantsRequest request = RequestFor(list);
  request.set_page_size(5);
  for (const bool chunked : {false, true}) {
    Direction direction;
    direction.piece_bytes = 1;
    direction.chunked = chunked;
    Disturb("Participants", 1000, direction);
    const Reading reading = ExpectExactly(request, Ids(list));
    EXPECT_TRUE(reading.status.ok()) << reading.status.error_message();
    EXPECT_THAT(reading.trailers, Contains(Pair("rollcall-attempts", "3")));
  }
}

TEST_P(RecoveryTest, WhereNobodyListensTheRestArrivesLater) {
  const simulator::List list(simulator::Api::kVoiceInsights, 25);
  v1::ListParticipantsRequest request = RequestFor(list);
  request.set_page_size(10);
  Direction held;
  held.hold_after = 3000;
  Disturb("Page=1&", 1, held);
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

TEST_P(RecoveryTest, APageThatChangesBetweenAttemptsIsTakenByIdentity) {
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
  // Of the three that have left, one is gone and the others stand elsewhere; of the rest, one is
  // gone, one moved to the front, and two are new.
  const std::vector<std::string> after = {"x", "f", "c", "e", "y", "a"};
  const std::vector<std::string> expected = {"a", "b", "c", "x", "f", "e", "y"};

  v1::ListParticipantsRequest request;
  request.set_upstream("twilio");
  request.mutable_live_participants()->set_conference_sid("CF00000000000000000000000000000001");
  for (const bool within_the_call : {true, false}) {
    if (!within_the_call) StartDaemon({{"retry", {{"max_attempts", 1}}}});
    const std::string first_three = page({"a", "b", "c"});
    simulator_->AddPage(path, page(before) + end);
    Direction cut;
    cut.hold_after = first_three.size();
    cut.cut_after = first_three.size();
    Disturb("PageSize", 1, cut);
    // The page breaks when the caller has three records, and is another one from then on.
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
    // A token names one participant, and the rest is what stands behind it now.
    EXPECT_EQ(Reason(begun.status), "UPSTREAM_UNREACHABLE");
    EXPECT_EQ(count, 3u);
    request.set_resume_token(begun.tokens.back());
    const Reading rest = Read(request);
    EXPECT_TRUE(rest.status.ok()) << rest.status.error_message();
    EXPECT_EQ(rest.ids, (std::vector<std::string>{"e", "y", "a"}));
  }
}

TEST_P(RecoveryTest, AStormOf429IsWaitedOut) {
  // Every page is refused three times in a row, which is one less than it is asked for.
  const simulator::List list(simulator::Api::kVoiceInsights, 60);
  v1::ListParticipantsRequest request = RequestFor(list);
  request.set_page_size(10);
  auto mutex = std::make_shared<std::mutex>();
  auto refused = std::make_shared<std::map<std::string, int>>();
  simulator_->Direct([=](const Request& asked) {
    const std::lock_guard lock(*mutex);
    return (*refused)[asked.target]++ < 3 ? simulator::Respond(429, R"({"code":20429})")
                                          : Direction();
  });
  const Reading reading = ExpectExactly(request, Ids(list));
  EXPECT_TRUE(reading.status.ok()) << reading.status.error_message();
  EXPECT_THAT(reading.trailers, Contains(Pair("rollcall-attempts", "24")));
}

}  // namespace
}  // namespace rollcall
