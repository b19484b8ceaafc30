// A Twilio upstream with the real components, except for a fake transport and clock.
#pragma once

#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "service/config/config.h"
#include "service/query/query.h"
#include "service/record/record_decoder.h"
#include "service/upstream/upstream.h"
#include "tests/fakes/fake_scheduler.h"
#include "tests/fakes/fake_transport.h"
#include "tests/log/test_log.h"

namespace rollcall::service {

class UpstreamFixture : public ::testing::Test {
 protected:
  static constexpr char kApi[] = "https://insights.test";
  static constexpr char kConference[] = "CF00000000000000000000000000000001";

  static std::string SidOf(int number) {
    return absl::StrCat("CP000000000000000000000000000000", absl::Dec(number, absl::kZeroPad2));
  }
  static nlohmann::json RecordOf(int number) {
    return {{"participant_sid", SidOf(number)}, {"conference_sid", kConference}};
  }

  // Created with the configuration at the first call.
  Upstream& upstream() {
    if (upstream_ == nullptr) {
      const UpstreamOptions& options = config_.upstreams[0];
      upstream_ = std::unique_ptr<Upstream>(new Upstream{
          options, participants_, requests_,
          ConcurrencyLimiter(
              options.limiter, config_.breaker, [](bool) {}, [this] { return scheduler_.Now(); })});
    }
    return *upstream_;
  }

  // The deadline is `timeout` after the scheduler's present time, less the part that a call
  // reserves for its status.
  CallContext Context(std::chrono::milliseconds timeout = std::chrono::hours(1)) const {
    return {.deadline = Deadline(std::chrono::system_clock::now() + timeout, config_.deadline),
            .caller = "caller",
            .trace = TraceContext(),
            .rules = nullptr,
            .max_calls = 1};
  }

  // The request with this index.
  FakeTransport::Exchange& request(size_t index) { return *transport_.requests().at(index); }
  void Respond(size_t index, int status, const std::string& body) {
    request(index).Respond(status, body);
    scheduler_.Run();
  }

  FakeScheduler scheduler_;
  FakeTransport transport_{scheduler_};
  DecoderScratch decoder_scratch_;
  Config config_ = MakeConfig();
  const QueryOptions query_options_{.accounts = {config_.upstreams[0].account}, .resume_key = {}};

 private:
  static Config MakeConfig() {
    const nlohmann::json text = {{"upstreams",
                                  {{{"name", "main"},
                                    {"provider", "twilio"},
                                    {"account_sid", "AC00000000000000000000000000000001"},
                                    {"auth_token", "secret"},
                                    {"insights_base_url", kApi}}}}};
    auto config = ParseConfig(text.dump(), [](const std::string&) { return std::nullopt; });
    EXPECT_TRUE(config.ok()) << config.status();
    return *std::move(config);
  }

  prometheus::Registry registry_;
  TestLog log_;
  ParticipantMonitor participants_{"main", registry_, log_.log()};
  RequestMonitor requests_{"main", registry_, log_.log()};
  std::unique_ptr<Upstream> upstream_;
};

}  // namespace rollcall::service
