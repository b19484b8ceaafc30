#pragma once

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "rollcall/v1/participant_service.grpc.pb.h"

namespace rollcall {

// A `FakeServer`'s response to one call.
struct Script {
  // Adds a participant to the list.
  v1::Participant& Add(const std::string& resume_token = "");

  // The messages of a list, and its trailing metadata.
  std::vector<v1::ListParticipantsResponse> list;
  std::map<std::string, std::string> trailers;

  // Repeats the list until the call is cancelled.
  bool endless = false;

  // Compresses messages with gzip.
  bool compressed = false;

  // Called when the list has been sent once.
  std::function<void()> on_listed = [] {};

  // The response to GetParticipant.
  v1::GetParticipantResponse participant;

  // The status of both kinds of call.
  grpc::Status status;
};

// A real gRPC server on a free port that follows a script and records the requests. Thread-safe.
class FakeServer final : private v1::ParticipantService::Service {
 public:
  explicit FakeServer(
      std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials());
  ~FakeServer() override;

  // "127.0.0.1:PORT". The port stays reserved while the server is stopped.
  const std::string& address() const { return address_; }

  // The script for all later calls.
  void Play(const Script& script);

  // One script for each later call, and the last one for all calls after those.
  void PlayInTurn(const std::vector<Script>& scripts);

  // The health that the server reports. It starts as serving.
  void SetServing(bool serving);

  // Waits for the calls to end, and stops the server.
  void Stop();

  // Breaks off the calls and connections, and stops the server. Waits for `Script::on_listed`.
  void Break();

  // Restarts a stopped server on the same port.
  void Start();

  // Requests and deadlines in the order of the calls.
  std::vector<v1::ListParticipantsRequest> list_requests() const;
  std::vector<std::chrono::system_clock::time_point> list_deadlines() const;
  std::vector<v1::GetParticipantRequest> get_requests() const;

  // The x-request-id of each call of either kind; empty if it had none.
  std::vector<std::string> request_ids() const;

  // The authorization of each call; not set if it had none.
  std::vector<std::optional<std::string>> authorizations() const;

  // The request of the last call.
  v1::ListParticipantsRequest list_request() const;
  v1::GetParticipantRequest get_request() const;

  // Whether a list was cancelled. Call it after `Stop`.
  bool cancelled() const;

 private:
  grpc::Status ListParticipants(grpc::ServerContext* context,
                                const v1::ListParticipantsRequest* request,
                                grpc::ServerWriter<v1::ListParticipantsResponse>* writer) override;
  grpc::Status GetParticipant(grpc::ServerContext* context,
                              const v1::GetParticipantRequest* request,
                              v1::GetParticipantResponse* response) override;

  // Records the metadata of a call of either kind. The mutex must be held.
  void KeepMetadata(const grpc::ServerContext& context);

  // The script of the next call. The mutex must be held.
  Script NextScript();

  mutable std::mutex mutex_;  // Guards these.
  std::vector<Script> scripts_;
  std::vector<v1::ListParticipantsRequest> list_requests_;
  std::vector<std::chrono::system_clock::time_point> list_deadlines_;
  std::vector<v1::GetParticipantRequest> get_requests_;
  std::vector<std::string> request_ids_;
  std::vector<std::optional<std::string>> authorizations_;
  bool cancelled_ = false;

  const std::shared_ptr<grpc::ServerCredentials> credentials_;
  int port_holder_ = -1;  // A socket that reserves the port and does not listen.
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

google::rpc::ErrorInfo MakeErrorInfo(const std::string& reason);

// A status with google.rpc details.
template <typename... Details>
grpc::Status RichStatus(grpc::StatusCode code, const std::string& message,
                        const Details&... details) {
  google::rpc::Status rich;
  rich.set_code(code);
  rich.set_message(message);
  (rich.add_details()->PackFrom(details), ...);
  return grpc::Status(code, message, rich.SerializeAsString());
}

}  // namespace rollcall
