// Shared by the tests of faults: the routes from rollcalld to the provider, a caller that keeps the
// resume tokens, and one check of the complete result.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/end_to_end/end_to_end.h"
#include "tests/end_to_end/nginx.h"

namespace rollcall {

// How rollcalld reaches the simulator.
enum class Route {
  kDirect,  // over plain HTTP
  kTls,     // through nginx, HTTP/1.1 over TLS
  kHttp2,   // through nginx, HTTP/2 over TLS
};

inline constexpr Route kRoutes[] = {Route::kDirect, Route::kTls, Route::kHttp2};

// For names of tests.
std::string NameOf(Route route);

// A list read by a caller that keeps the tokens.
struct Reading {
  std::vector<std::string> ids;
  std::vector<std::string> tokens;
  grpc::Status status;
  std::map<std::string, std::string> trailers;
};

class RecoveryFixture : public EndToEndTest {
 protected:
  virtual Route route() const = 0;

  // Starts nginx if the route needs it, and rollcalld with short waits between retries.
  void SetUp() override;

  // Checks that the requests took the route.
  void TearDown() override;

  nlohmann::json Configuration() const override;

  // Restarts rollcalld with another idle timeout.
  void StartWithIdleTimeout(double seconds);

  // Starts or restarts nginx with this certificate; rollcalld then trusts `authority`.
  void StartNginx(const Certificate& authority, const Certificate& certificate, bool http2);

  // The base URL in rollcalld's configuration, which links must have.
  std::string ProviderUrl() const;

  // The distinct values of a header in all requests at the simulator.
  std::set<std::string> Seen(const std::string& header) const;

  // Called after each record, with the number of records so far.
  using OnRecord = std::function<void(size_t count)>;

  // Reads up to `most` records, then cancels the call.
  Reading Read(const v1::ListParticipantsRequest& request, size_t most = SIZE_MAX,
               const OnRecord& on_record = nullptr);

  // Reads a list during a fault. If it ends early, calls `mend` and resumes with the token in the
  // trailers. Fails the test unless both readings together are exactly `expected`. Returns the
  // first reading.
  Reading ExpectExactly(const v1::ListParticipantsRequest& request,
                        const std::vector<std::string>& expected, const std::function<void()>& mend,
                        const OnRecord& on_record = nullptr);
  // The same; `mend` ends the faults of the simulator.
  Reading ExpectExactly(const v1::ListParticipantsRequest& request,
                        const std::vector<std::string>& expected);

  // The ids of a list's participants from index `from` on.
  static std::vector<std::string> Ids(const simulator::List& list, int64_t from = 0);

  // Injects `fault` into the first `times` requests whose target contains `part`.
  void InjectFault(const std::string& part, int times, const simulator::Fault& fault);

  std::unique_ptr<Nginx> nginx_;  // null for the direct route

 private:
  std::string ca_file_;
  bool http2_ = false;
  std::optional<double> idle_timeout_;
};

// For test suites that run over each route.
class RecoveryTest : public RecoveryFixture, public ::testing::WithParamInterface<Route> {
 protected:
  Route route() const override { return GetParam(); }
};

}  // namespace rollcall
