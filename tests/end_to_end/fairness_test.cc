// What one caller does within its own limits must not keep an upstream from the others.
#include <gmock/gmock.h>
#include <httplib.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tests/end_to_end/access.h"

namespace rollcall {
namespace {

using simulator::Fault;
using simulator::Request;

class FairnessTest : public CallerAccessTest {
 protected:
  // Two callers, whose tokens are "abc" and "foo", and these settings of the upstream.
  void StartWith(const nlohmann::json& upstream_settings,
                 nlohmann::json changes = nlohmann::json::object()) {
    const nlohmann::json policy = {
        {"callers", {Caller("greedy", kTokenSha256OfAbc), Caller("other", kTokenSha256OfFoo)}}};
    Write("policy.json", policy.dump());
    changes["policy_file"] = PathOf("policy.json");
    changes["upstreams"] = Configuration()["upstreams"];
    changes["upstreams"][0].update(upstream_settings);
    StartDaemon(changes);
  }

  Listing ListAs(const std::string& token, int participants) {
    return ListOver(stub(), ConferenceRequest(participants), token);
  }
};

TEST_F(FairnessTest, UnreadListsLeaveConnectionsToAnotherCaller) {
  StartWith({{"max_requests_in_flight", 10}, {"max_connections", 10}},
            {{"metrics_listen", "127.0.0.1:0"}});
  httplib::Client metrics(std::string(absl::StripSuffix(daemon_->ReadMetricsUrl(), "/metrics")));
  struct Unread {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<v1::ListParticipantsResponse>> reader;
  };
  // A connection of its own, on which a list has less room than one page needs.
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  const auto unread = v1::ParticipantService::NewStub(
      grpc::CreateCustomChannel(daemon_->address(), grpc::InsecureChannelCredentials(), arguments));
  std::vector<Unread> lists(15);
  for (Unread& list : lists) {
    list.context.AddMetadata("authorization", "Bearer abc");
    list.reader = unread->ListParticipants(&list.context, ConferenceRequest(200000));
  }
  // Until the caller has all the connections that it can get, and each is stalled.
  const auto all_are_stalled = [&] {
    const auto response = metrics.Get("/metrics");
    const auto has = [&](absl::string_view series, const std::vector<int>& values) {
      return std::any_of(values.begin(), values.end(), [&](int value) {
        return absl::StrContains(response->body,
                                 absl::StrCat(series, "{upstream=\"twilio\"} ", value, "\n"));
      });
    };
    return response && has("rollcall_requests_in_flight", {0}) &&
           has("rollcall_requests_stalled", {8, 9, 10});
  };
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (daemon_->IsRunning() && !all_are_stalled()) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << "the lists do not stall";
  }
  grpc::ClientContext context;
  context.AddMetadata("authorization", "Bearer foo");
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  const Listing listing = List(context, ConferenceRequest(3));
  EXPECT_TRUE(listing.status.ok()) << listing.status.error_message();
  for (Unread& list : lists) list.context.TryCancel();
  v1::ListParticipantsResponse response;
  for (Unread& list : lists) {
    while (list.reader->Read(&response)) {
    }
    EXPECT_FALSE(list.reader->Finish().ok());
  }
}

TEST_F(FairnessTest, AFullQueueTakesCallsOfACallerWithFewer) {
  StartWith({{"max_requests_in_flight", 1}, {"max_requests_waiting", 4}});
  simulator_->InjectFaults([](const Request&) {
    Fault fault;
    fault.hold_before_head = true;
    return fault;
  });
  std::atomic<int> refused = 0;
  std::atomic<int> served = 0;
  std::vector<std::thread> calls;
  const auto start_calls = [&](int count) {
    for (int i = 0; i < count; ++i) {
      calls.emplace_back([&] {
        const Listing listing = ListAs("abc", 3);
        if (listing.status.ok()) ++served;
        if (Reason(listing.status) == "UPSTREAM_QUEUE_FULL") ++refused;
      });
    }
  };
  start_calls(1);
  ASSERT_TRUE(simulator_->WaitUntilHolding(1));
  start_calls(9);
  while (daemon_->IsRunning() && refused < 5) std::this_thread::yield();
  std::atomic<int> others_served = 0;
  std::vector<std::thread> others;
  for (int i = 0; i < 2; ++i) {
    others.emplace_back([&] {
      const Listing listing = ListAs("foo", 3);
      EXPECT_TRUE(listing.status.ok()) << listing.status.error_message();
      if (listing.status.ok()) ++others_served;
    });
  }
  while (daemon_->IsRunning() && refused < 7) std::this_thread::yield();
  simulator_->InjectFaults(nullptr);
  simulator_->Release();
  for (auto* threads : {&calls, &others}) {
    for (std::thread& thread : *threads) thread.join();
  }
  EXPECT_EQ(others_served, 2);
  EXPECT_EQ(served, 3);
  EXPECT_EQ(refused, 7);
}

TEST_F(FairnessTest, AListThatAlwaysFailsDoesNotOpenTheCircuitBreaker) {
  StartWith(nlohmann::json::object(),
            {{"retry", {{"max_attempts", 1}}}, {"circuit_breaker", {{"open_seconds", 3600}}}});
  const std::string bad = absl::StrCat(
      "/", ConferenceRequest(7).conference_participant_summaries().conference_sid(), "/");
  simulator_->InjectFaults([bad](const Request& request) {
    return absl::StrContains(request.target, bad) ? simulator::Respond(500) : Fault();
  });
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(Reason(ListAs("abc", 7).status), "UPSTREAM_UNAVAILABLE");
  }
  EXPECT_TRUE(ListAs("foo", 3).status.ok());
}

}  // namespace
}  // namespace rollcall
