// What both kinds of call share: how a call begins, is refused, ends and is destroyed.
#include "service/rpc/upstream_call.h"

#include <gmock/gmock.h>
#include <prometheus/registry.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "service/error/error.h"
#include "tests/fakes/fake_scheduler.h"
#include "tests/log/test_log.h"

namespace rollcall::service {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class UpstreamCallTest : public ::testing::Test {
 protected:
  static constexpr std::chrono::seconds kCallerStall{60};

  // Ends as soon as it is stopped. Its caller does not read the response.
  class Call final : public UpstreamCall {
   public:
    Call(UpstreamCallTest& test, std::chrono::seconds timeout)
        : UpstreamCall(std::make_unique<CallReport>(test.monitor_, CallMethod::kList),
                       test.scheduler_, test.running_,
                       {.deadline = Deadline(std::chrono::system_clock::now() + timeout, {}),
                        .caller = "caller",
                        .trace = TraceContext(),
                        .rules = nullptr,
                        .max_calls = 1},
                       kCallerStall),
          test_(test) {}
    ~Call() override { test_.events_.emplace_back("destroyed"); }

    absl::Status Start() {
      absl::Status refusal = Begin(1, [this] { test_.events_.emplace_back("work"); });
      if (!refusal.ok()) end_ = refusal;
      return refusal;
    }
    using UpstreamCall::OnCallCancelled;
    using UpstreamCall::OnCallDone;

   private:
    void Stop(const absl::Status& reason) override {
      if (end_) return;
      end_ = reason;
      test_.events_.push_back(absl::StatusCodeToString(reason.code()));
      ReportEnd(reason, {});
    }
    void Cancel() override { test_.events_.emplace_back("cancel"); }
    StallDetector::Progress Progress() const override { return {0, HasEnded()}; }
    bool HasEnded() const override { return end_.has_value(); }
    RunningCall Describe() const override { return report_->Describe(0); }

    UpstreamCallTest& test_;
    std::optional<absl::Status> end_;
  };

  // The call owns itself until OnDone(), as with gRPC.
  Call& MakeCall(std::chrono::seconds timeout = std::chrono::hours(1)) {
    return *new Call(*this, timeout);
  }
  void Finish(Call& call) {
    call.OnCallDone();
    scheduler_.Run();
  }
  std::vector<std::string> Events() {
    scheduler_.Run();
    return std::exchange(events_, {});
  }

  FakeScheduler scheduler_;
  prometheus::Registry registry_;
  TestLog log_;
  CallMonitor monitor_{{}, registry_, log_.log(), true};
  RunningCalls running_{2};
  std::vector<std::string> events_;
};

TEST_F(UpstreamCallTest, RunsItsWorkAndIsDestroyedLast) {
  Call& call = MakeCall();
  EXPECT_EQ(call.Start(), absl::OkStatus());
  EXPECT_THAT(running_.Describe(), SizeIs(1));
  EXPECT_THAT(events_, IsEmpty());  // not from here
  EXPECT_THAT(Events(), ElementsAre("work"));
  call.OnCallCancelled();
  call.OnCallDone();
  EXPECT_THAT(Events(), ElementsAre("CANCELLED", "destroyed"));
  EXPECT_THAT(running_.Describe(), IsEmpty());
  EXPECT_FALSE(scheduler_.has_timers());
}

TEST_F(UpstreamCallTest, ReportsRefusedCallWithoutRunningIt) {
  Call& first = MakeCall();
  Call& second = MakeCall();
  ASSERT_EQ(first.Start(), absl::OkStatus());
  EXPECT_EQ(ReasonOf(second.Start()), v1::ERROR_REASON_CALLER_LIMIT);
  EXPECT_THAT(running_.Describe(), SizeIs(1));
  ASSERT_THAT(log_.Lines(), SizeIs(1));
  EXPECT_EQ(log_.Lines()[0]["reason"], "CALLER_LIMIT");
  EXPECT_THAT(Events(), ElementsAre("work"));

  second.OnCallCancelled();
  EXPECT_THAT(Events(), IsEmpty());
  Finish(second);
  first.OnCallCancelled();
  Finish(first);
}

TEST_F(UpstreamCallTest, EndsCallOnDrain) {
  Call& call = MakeCall();
  ASSERT_EQ(call.Start(), absl::OkStatus());
  Events();
  running_.EndAll();
  EXPECT_THAT(Events(), ElementsAre("UNAVAILABLE"));
  Finish(call);
}

TEST_F(UpstreamCallTest, AbortsAtTheDeadline) {
  Call& call = MakeCall(std::chrono::seconds(10));
  ASSERT_EQ(call.Start(), absl::OkStatus());
  Events();
  scheduler_.Advance(std::chrono::seconds(9));
  EXPECT_THAT(events_, IsEmpty());
  scheduler_.Advance(std::chrono::hours(1));
  EXPECT_THAT(Events(), ElementsAre("DEADLINE_EXCEEDED", "cancel"));
  Finish(call);
}

TEST_F(UpstreamCallTest, AbortsAtOnceIfTheDeadlineHasPassed) {
  Call& call = MakeCall(std::chrono::seconds(-1));
  ASSERT_EQ(call.Start(), absl::OkStatus());
  EXPECT_THAT(Events(), ElementsAre("work", "DEADLINE_EXCEEDED"));
  Finish(call);
}

TEST_F(UpstreamCallTest, CancelsEndedCallWhoseResponseIsNotRead) {
  Call& call = MakeCall();
  ASSERT_EQ(call.Start(), absl::OkStatus());
  call.OnCallCancelled();
  EXPECT_THAT(Events(), ElementsAre("work", "CANCELLED"));
  scheduler_.Advance(kCallerStall / 2);
  EXPECT_THAT(Events(), IsEmpty());
  scheduler_.Advance(kCallerStall);
  scheduler_.Advance(kGracePeriod);
  EXPECT_THAT(Events(), ElementsAre("cancel"));
  Finish(call);
}

}  // namespace
}  // namespace rollcall::service
