// Fixture for the whole system: a provider simulator in the test's process, the real rollcalld in
// front of it, and a gRPC client. Everything goes over real sockets.
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

// Result of a ListParticipants call.
struct Listing {
  std::vector<v1::Participant> participants;
  grpc::Status status;
  std::map<std::string, std::string> trailers;
};

class EndToEndTest : public ::testing::Test {
 protected:
  void SetUp() override;

  // Starts or restarts rollcalld in front of the simulator, with changes to its configuration.
  void StartDaemon(const nlohmann::json& changes = nlohmann::json::object());

  // The configuration that StartDaemon() uses: upstreams "twilio" and "signalwire".
  virtual nlohmann::json Configuration() const;

  v1::ParticipantService::Stub& stub() { return *stub_; }
  std::shared_ptr<grpc::Channel> channel() { return channel_; }

  Listing List(const v1::ListParticipantsRequest& request);
  Listing List(grpc::ClientContext& context, const v1::ListParticipantsRequest& request);
  grpc::Status Get(const v1::GetParticipantRequest& request, v1::Participant& participant);

  // Stops rollcalld and returns its log. Closes the test's connection first, because gRPC waits a
  // while for clients that do not react to GOAWAY.
  std::vector<nlohmann::json> EndAndReadLog();

  // Makes one call, to check that the service still works.
  void ExpectStillServes();

  // Options of the simulator that SetUp() starts; set in a fixture's constructor.
  simulator::Options simulator_options_;
  std::unique_ptr<simulator::Simulator> simulator_;
  std::unique_ptr<Daemon> daemon_;

 private:
  std::string config_file_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::ParticipantService::Stub> stub_;
};

// Calls a unary method with these bytes as the request, valid or not, and returns the response's
// bytes in `response`.
grpc::Status CallWithBytes(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                           const std::string& request, std::string& response);

// A conference for which the simulator has no generated list.
inline constexpr char kConference[] = "CF00000000000000000000000000000001";

// Requests for the seed conference and for generated lists of a given size.
inline constexpr char kSeedConference[] = "CFaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
v1::ListParticipantsRequest ConferenceRequest(const std::string& conference_sid);
v1::ListParticipantsRequest ConferenceRequest(int64_t size);
v1::ListParticipantsRequest RequestFor(const simulator::List& list);
// A request for the participant at `index` of such a list.
v1::GetParticipantRequest GetRequestFor(const simulator::List& list, int64_t index);

// The reason in an error's google.rpc.ErrorInfo, without its prefix; empty if there is none. The
// test fails if there is a reason without a valid `retry`.
std::string Reason(const grpc::Status& status);

// The `retry` in an error's google.rpc.ErrorInfo; empty if there is none.
std::string Retry(const grpc::Status& status);

// A google.rpc detail of an error; a default message if the error has none.
template <class Detail>
Detail DetailOf(const grpc::Status& status);

// The fields in an error's google.rpc.BadRequest.
std::vector<std::string> ViolatedFields(const grpc::Status& status);

}  // namespace rollcall
