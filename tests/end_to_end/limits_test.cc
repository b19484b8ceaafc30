// Limits of the service and of an account: calls, requests, deadlines; the circuit breaker.
#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <thread>

#include "absl/strings/match.h"
#include "google/rpc/error_details.pb.h"
#include "tests/end_to_end/end_to_end.h"

namespace rollcall {
namespace {

using simulator::Fault;
using simulator::Request;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;

Fault HoldBeforeHead() {
  Fault fault;
  fault.hold_before_head = true;
  return fault;
}

class LimitsTest : public EndToEndTest {
 protected:
  // Starts rollcalld with `changes`, and `upstream_changes` to each upstream.
  void StartWith(const nlohmann::json& upstream_changes, nlohmann::json changes) {
    changes["upstreams"] = Configuration()["upstreams"];
    for (auto& upstream : changes["upstreams"]) upstream.update(upstream_changes);
    StartDaemon(changes);
  }

  // Starts a list on another thread.
  std::future<Listing> Begin(int64_t size) {
    return std::async(std::launch::async, [this, size] { return List(ConferenceRequest(size)); });
  }
};

TEST_F(LimitsTest, CallsOverTheLimitAreRefusedWithRetryInfo) {
  StartDaemon({{"limits", {{"max_calls", 1}}}});
  simulator_->InjectFaults([](const Request&) { return HoldBeforeHead(); });
  std::future<Listing> running = Begin(5);
  ASSERT_TRUE(simulator_->WaitUntilHolding(1));
  const Listing refused = List(ConferenceRequest(5));
  EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(Reason(refused.status), "SERVER_OVERLOADED");
  EXPECT_GT(DetailOf<google::rpc::RetryInfo>(refused.status).retry_delay().seconds(), 0);
  v1::GetParticipantRequest get;
  get.mutable_conference_participant_summary()->set_conference_sid(kSeedConference);
  get.mutable_conference_participant_summary()->set_participant_sid(
      "CPaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
  v1::Participant participant;
  EXPECT_EQ(Reason(Get(get, participant)), "SERVER_OVERLOADED");
  EXPECT_EQ(simulator_->requests().size(), 1u);
  simulator_->Release();
  EXPECT_TRUE(running.get().status.ok());
  ExpectStillServes();
}

// Refused calls and running calls, each cancelled at a different moment.
TEST_F(LimitsTest, CancellationRacingWithRefusalIsHarmless) {
  StartDaemon({{"limits", {{"max_calls", 1}}}});
  simulator_->InjectFaults([](const Request&) { return HoldBeforeHead(); });
  std::future<Listing> running = Begin(5);
  ASSERT_TRUE(simulator_->WaitUntilHolding(1));
  for (int i = 0; i < 500; ++i) {
    grpc::ClientContext context;
    const auto reader = stub().ListParticipants(&context, ConferenceRequest(5));
    if (i % 2 == 0) reader->WaitForInitialMetadata();
    context.TryCancel();
    EXPECT_FALSE(reader->Finish().ok());
    grpc::ClientContext hurried;
    hurried.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(i % 4));
    v1::GetParticipantRequest get;
    get.mutable_conference_participant_summary()->set_conference_sid(kSeedConference);
    get.mutable_conference_participant_summary()->set_participant_sid(
        "CPaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    v1::GetParticipantResponse participant;
    EXPECT_FALSE(stub().GetParticipant(&hurried, get, &participant).ok());
  }
  simulator_->Release();
  EXPECT_TRUE(running.get().status.ok());
  ExpectStillServes();
}

// Each record is nearly as large as the queue, so that each is a batch of its own.
TEST_F(LimitsTest, ListCompletesWithQueueOfOneRecord) {
  StartDaemon({{"limits", {{"send_queue_bytes", 1024}}}});
  const simulator::List list(simulator::Api::kVoiceInsights, 3000);
  const Listing listing = List(RequestFor(list));
  ASSERT_TRUE(listing.status.ok()) << listing.status.error_message();
  ASSERT_EQ(listing.participants.size(), 3000u);
  for (int64_t i = 0; i < list.size; ++i) {
    ASSERT_EQ(listing.participants[static_cast<size_t>(i)]
                  .conference_participant_summary()
                  .participant_sid(),
              ParticipantSid(list, i));
  }
}

TEST_F(LimitsTest, RequestsInFlightStayWithinTheAccountsLimit) {
  StartWith({{"max_requests_in_flight", 2}}, {{"prefetch", false}});
  std::atomic<int> out = 0;
  std::atomic<int> most = 0;
  simulator_->InjectFaults([&](const Request&) {
    // Counts up when a request arrives, and down when its body is made, just before its response
    // begins.
    const int now = ++out;
    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
    }
    Fault fault;
    fault.edit_body = [&](std::string body) {
      --out;
      return body;
    };
    return fault;
  });
  std::vector<std::future<Listing>> lists;
  for (int i = 0; i < 20; ++i) lists.push_back(Begin(50 + i));
  for (int i = 0; i < 20; ++i) {
    const Listing listing = lists[i].get();
    EXPECT_TRUE(listing.status.ok()) << listing.status.error_message();
    EXPECT_EQ(listing.participants.size(), 50u + i);
  }
  EXPECT_LE(most, 2);
  EXPECT_EQ(simulator_->requests().size(), 20u);
}

TEST_F(LimitsTest, StalledListReleasesItsPermit) {
  StartWith({{"max_requests_in_flight", 1}}, nlohmann::json::object());
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  const auto narrow = v1::ParticipantService::NewStub(
      grpc::CreateCustomChannel(daemon_->address(), grpc::InsecureChannelCredentials(), arguments));
  grpc::ClientContext context;
  const auto stalled = narrow->ListParticipants(&context, ConferenceRequest(5000));
  v1::ListParticipantsResponse response;
  ASSERT_TRUE(stalled->Read(&response));
  // The stalled page does not count as in flight, so the other list gets the only permit.
  const Listing listing = List(ConferenceRequest(10));
  EXPECT_TRUE(listing.status.ok()) << listing.status.error_message();
  int read = 1;
  while (stalled->Read(&response)) ++read;
  EXPECT_TRUE(stalled->Finish().ok());
  EXPECT_EQ(read, 5000);
}

TEST_F(LimitsTest, NewCallIsRefusedWhenTheQueueIsFull) {
  StartWith({{"max_requests_in_flight", 1}, {"max_requests_waiting", 1}}, nlohmann::json::object());
  simulator_->InjectFaults([](const Request&) { return HoldBeforeHead(); });
  // One request is in flight, one waits, and the last call is refused before any response.
  std::atomic<int> refused = 0;
  std::atomic<int> served = 0;
  std::promise<void> first_refusal;
  std::vector<std::thread> callers;
  for (int i = 0; i < 3; ++i) {
    callers.emplace_back([&] {
      const Listing listing = List(ConferenceRequest(5));
      if (listing.status.ok()) {
        ++served;
        return;
      }
      ++refused;
      EXPECT_EQ(listing.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
      EXPECT_EQ(Reason(listing.status), "UPSTREAM_QUEUE_FULL");
      EXPECT_GT(DetailOf<google::rpc::RetryInfo>(listing.status).retry_delay().seconds(), 0);
      first_refusal.set_value();
    });
  }
  first_refusal.get_future().wait();
  EXPECT_TRUE(simulator_->WaitUntilHolding(1));
  EXPECT_EQ(simulator_->requests().size(), 1u);
  simulator_->InjectFaults(nullptr);
  simulator_->Release();
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(refused, 1);
  EXPECT_EQ(served, 2);
}

TEST_F(LimitsTest, CircuitBreakerOpensAndClosesAgain) {
  StartWith(nlohmann::json::object(),
            {{"retry", {{"max_attempts", 1}}},
             {"circuit_breaker", {{"failures", 3}, {"open_seconds", 0.3}}}});
  simulator_->InjectFaults([](const Request&) { return simulator::Respond(503); });
  for (const int conference : {5, 6, 7}) {
    EXPECT_EQ(Reason(List(ConferenceRequest(conference)).status), "UPSTREAM_UNAVAILABLE");
  }
  const Listing refused = List(ConferenceRequest(5));
  EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  // On a slow machine this call may have been the probe, which failed.
  if (simulator_->requests().size() == 3) {
    EXPECT_EQ(Reason(refused.status), "UPSTREAM_CIRCUIT_OPEN");
    EXPECT_THAT(refused.trailers, Contains(std::pair("rollcall-attempts", "0")));
    const auto delay = DetailOf<google::rpc::RetryInfo>(refused.status).retry_delay();
    EXPECT_GT(delay.seconds() * 1000000000 + delay.nanos(), 0);
  }
  simulator_->InjectFaults(nullptr);
  while (daemon_->IsRunning() && !List(ConferenceRequest(5)).status.ok()) {
  }
  daemon_->Signal(15);
  daemon_->Wait();
  EXPECT_THAT(daemon_->Errors(), HasSubstr(R"("event":"upstream_down","upstream":"twilio")"));
  EXPECT_THAT(daemon_->Errors(), HasSubstr(R"("event":"upstream_recovered","upstream":"twilio")"));
}

TEST_F(LimitsTest, TruncatedErrorDoesNotOpenTheCircuitBreaker) {
  StartWith(nlohmann::json::object(),
            {{"retry", {{"max_attempts", 1}}}, {"circuit_breaker", {{"failures", 1}}}});
  simulator_->InjectFaults([](const Request&) {
    Fault fault = simulator::Respond(401, R"({"code":20003})");
    fault.cut_after = 0;
    return fault;
  });
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Reason(List(ConferenceRequest(5)).status), "UPSTREAM_CREDENTIALS_REJECTED");
  }
}

TEST_F(LimitsTest, StalledCallEndsAtTheDeadline) {
  StartDaemon({{"limits", {{"max_calls", 1}}}, {"deadline", {{"max_seconds", 0.5}}}});
  std::unique_ptr<grpc::ClientContext> context;
  std::unique_ptr<grpc::ClientReader<v1::ListParticipantsResponse>> stalled;
  v1::ListParticipantsResponse response;
  bool has_begun = false;
  do {  // On a slow machine the deadline may pass before the first participant.
    stalled.reset();
    context = std::make_unique<grpc::ClientContext>();
    stalled = stub().ListParticipants(context.get(), ConferenceRequest(200000));
    has_begun = stalled->Read(&response);
  } while (!has_begun && stalled->Finish().error_code() == grpc::StatusCode::DEADLINE_EXCEEDED);
  ASSERT_TRUE(has_begun);
  while (daemon_->IsRunning() && !List(ConferenceRequest(1)).status.ok()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_TRUE(daemon_->IsRunning());
  while (stalled->Read(&response)) {
  }
  EXPECT_FALSE(stalled->Finish().ok());
}

TEST_F(LimitsTest, RunningListWaitsForTheCircuitBreaker) {
  StartWith(nlohmann::json::object(),
            {{"retry", {{"max_attempts", 10}, {"initial_backoff_seconds", 0.001}}},
             {"circuit_breaker", {{"failures", 2}, {"open_seconds", 0.05}}}});
  auto failures = std::make_shared<std::atomic<int>>(4);
  Fault no_response;
  no_response.cut_before_head = true;
  simulator_->InjectFaults([=](const Request& request) {
    return absl::StrContains(request.target, "Page=1") && failures->fetch_sub(1) > 0 ? no_response
                                                                                     : Fault();
  });
  v1::ListParticipantsRequest request = ConferenceRequest(30);
  request.set_page_size(10);
  const Listing listing = List(request);
  EXPECT_TRUE(listing.status.ok()) << listing.status.error_message();
  EXPECT_EQ(listing.participants.size(), 30u);
}

TEST_F(LimitsTest, ServiceDeadlineEndsCallWithToken) {
  const simulator::List list(simulator::Api::kVoiceInsights, 100);
  const auto hold = [](const Request&) { return simulator::HoldAfter(20000); };
  for (const auto& deadline : {nlohmann::json{{"default_seconds", 2}},
                               nlohmann::json{{"default_seconds", 2}, {"max_seconds", 2}}}) {
    StartDaemon({{"deadline", deadline}});
    simulator_->InjectFaults(hold);
    grpc::ClientContext context;
    if (deadline.contains("max_seconds")) {
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::hours(1));
    }
    const Listing begun = List(context, RequestFor(list));
    EXPECT_EQ(begun.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
    EXPECT_EQ(Reason(begun.status), "DEADLINE_EXCEEDED");
    ASSERT_THAT(begun.trailers, Contains(Key("rollcall-resume-token")));

    StartDaemon();
    simulator_->InjectFaults(nullptr);
    v1::ListParticipantsRequest rest = RequestFor(list);
    rest.set_resume_token(begun.trailers.at("rollcall-resume-token"));
    EXPECT_EQ(begun.participants.size() + List(rest).participants.size(), 100u);
  }
  v1::GetParticipantRequest get;
  get.mutable_conference_participant_summary()->set_conference_sid(kSeedConference);
  get.mutable_conference_participant_summary()->set_participant_sid(
      "CPaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
  StartDaemon({{"deadline", {{"default_seconds", 0.2}}}});
  simulator_->InjectFaults([](const Request&) { return HoldBeforeHead(); });
  v1::Participant participant;
  EXPECT_EQ(Reason(Get(get, participant)), "DEADLINE_EXCEEDED");
}

}  // namespace
}  // namespace rollcall
