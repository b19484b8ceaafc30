// The whole system in one test: a provider simulator in the test's own process, the real rollcalld
// in front of it, and a gRPC client. Everything goes over real sockets.
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "rollcall/v1/participant_service.grpc.pb.h"
#include "tests/end_to_end/daemon.h"
#include "tests/simulator/simulator.h"

namespace rollcall {

// What a ListParticipants call came to.
struct Listing {
  std::vector<v1::Participant> participants;
  grpc::Status status;
  std::map<std::string, std::string> trailers;
};

class EndToEndTest : public ::testing::Test {
 protected:
  void SetUp() override;

  // Starts rollcalld in front of the simulator, or again with changes to its configuration.
  void StartDaemon(const nlohmann::json& changes = nlohmann::json::object());

  // The configuration that StartDaemon() uses: upstreams "twilio" and "signalwire".
  virtual nlohmann::json Configuration() const;

  v1::ParticipantService::Stub& stub() { return *stub_; }
  std::shared_ptr<grpc::Channel> channel() { return channel_; }

  Listing List(const v1::ListParticipantsRequest& request);
  Listing List(grpc::ClientContext& context, const v1::ListParticipantsRequest& request);
  grpc::Status Get(const v1::GetParticipantRequest& request, v1::Participant& participant);

  // Ends rollcalld, and returns what it logged. Its connection with the test goes first, since gRPC
  // waits a while for a client that does not look at it.
  std::vector<nlohmann::json> EndAndReadLog();

  // Calls once, to see that the service is alive and well.
  void ExpectStillServes();

  // How SetUp() starts the simulator; set in a fixture's constructor.
  simulator::Options simulator_options_;
  std::unique_ptr<simulator::Simulator> simulator_;
  std::unique_ptr<Daemon> daemon_;

 private:
  std::string config_file_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::ParticipantService::Stub> stub_;
};

// Calls a unary method with a request of these bytes, be they a message or not, and returns the
// response's bytes in `response`.
grpc::Status CallWithBytes(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                           const std::string& request, std::string& response);

// A conference without a generated list, for providers other than the simulator.
inline constexpr char kConference[] = "CF00000000000000000000000000000001";

// Requests for the seed conference and for generated lists of a size.
inline constexpr char kSeedConference[] = "CFaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
v1::ListParticipantsRequest ConferenceRequest(const std::string& conference_sid);
v1::ListParticipantsRequest ConferenceRequest(int64_t size);
v1::ListParticipantsRequest RequestFor(const simulator::List& list);
// A request for the participant at `index` of such a list.
v1::GetParticipantRequest GetRequestFor(const simulator::List& list, int64_t index);

// The reason in the google.rpc.ErrorInfo of an error, without its prefix; empty where there is
// none.
std::string Reason(const grpc::Status& status);

// A google.rpc detail of an error; its default where the error has none.
template <class Detail>
Detail DetailOf(const grpc::Status& status);

// The fields that the google.rpc.BadRequest of an error names.
std::vector<std::string> ViolatedFields(const grpc::Status& status);

}  // namespace rollcall
