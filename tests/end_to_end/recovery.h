// What tests of faults share: the ways from rollcalld to the provider that each fault may lie on,
// a caller who keeps the tokens, and the one check of what he has in the end.
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
enum class Way {
  kDirect,  // over plain HTTP
  kTls,     // by nginx, HTTP/1.1 over TLS
  kHttp2,   // by nginx, HTTP/2 over TLS
};

inline constexpr Way kWays[] = {Way::kDirect, Way::kTls, Way::kHttp2};

// For names of tests.
std::string NameOf(Way way);

// A list as a careful caller reads it: with the tokens.
struct Reading {
  std::vector<std::string> ids;
  std::vector<std::string> tokens;
  grpc::Status status;
  std::map<std::string, std::string> trailers;
};

class RecoveryFixture : public EndToEndTest {
 protected:
  virtual Way way() const = 0;

  // Starts what stands on the way, and rollcalld with retries that wait for a moment only.
  void SetUp() override;

  // Makes sure that what was asked went that way.
  void TearDown() override;

  nlohmann::json Configuration() const override;

  // Starts rollcalld again with another patience for the provider.
  void StartWithIdleTimeout(double seconds);

  // Starts nginx, again where there is one, with this certificate; rollcalld then trusts
  // `authority`.
  void StartNginx(const Certificate& authority, const Certificate& certificate, bool http2);

  // The base URL that rollcalld is configured with, and that links are to have.
  std::string ProviderUrl() const;

  // The values that a header had in all the requests that the simulator got.
  std::set<std::string> Seen(const std::string& header) const;

  // Called after each record, with how many there were.
  using OnRecord = std::function<void(size_t count)>;

  // Reads up to `most` records, then leaves.
  Reading Read(const v1::ListParticipantsRequest& request, size_t most = SIZE_MAX,
               const OnRecord& on_record = nullptr);

  // Reads a list while something is wrong, and, unless all of it came, goes on by the last token
  // after `mend`. Fails the test unless both together are exactly `expected`. Returns the first
  // reading.
  Reading ExpectExactly(const v1::ListParticipantsRequest& request,
                        const std::vector<std::string>& expected, const std::function<void()>& mend,
                        const OnRecord& on_record = nullptr);
  // What is wrong is in the simulator's directions.
  Reading ExpectExactly(const v1::ListParticipantsRequest& request,
                        const std::vector<std::string>& expected);

  // What names the participants of a list, from one on.
  static std::vector<std::string> Ids(const simulator::List& list, int64_t from = 0);

  // Does `fault` to the first `times` requests whose target contains `part`.
  void InjectFault(const std::string& part, int times, const simulator::Fault& fault);

  std::unique_ptr<Nginx> nginx_;  // null where the way is direct

 private:
  std::string ca_file_;
  bool http2_ = false;
  std::optional<double> idle_timeout_;
};

// For test suites that take each way.
class RecoveryTest : public RecoveryFixture, public ::testing::WithParamInterface<Way> {
 protected:
  Way way() const override { return GetParam(); }
};

}  // namespace rollcall
