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

// What a `FakeServer` answers.
struct Script {
  // Adds a participant to the list.
  v1::Participant& Add(const std::string& resume_token = "");

  // What the list holds, and what comes with its end.
  std::vector<v1::ListParticipantsResponse> list;
  std::map<std::string, std::string> trailers;

  // Repeats the list until the call is cancelled.
  bool endless = false;

  // Compresses messages with gzip.
  bool compressed = false;

  // Called when the list has been sent for the first time.
  std::function<void()> on_listed = [] {};

  // The answer to GetParticipant.
  v1::GetParticipantResponse participant;

  // How both calls end.
  grpc::Status status;
};

// A real gRPC server on a free port that answers by a script and keeps what it was asked.
// Thread-safe.
class FakeServer final : private v1::ParticipantService::Service {
 public:
  explicit FakeServer(
      std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials());
  ~FakeServer() override;

  // "127.0.0.1:PORT". The port stays this server's own, also while it is stopped.
  const std::string& address() const { return address_; }

  // The script for the calls that come next.
  void Play(const Script& script);

  // One script for each call that comes next, and the last for all behind it.
  void PlayInTurn(const std::vector<Script>& scripts);

  // What it says of itself to those who ask for its health. It serves until told otherwise.
  void SetServing(bool serving);

  // Waits for the calls to end and ends the server.
  void Stop();

  // Breaks the calls and the connections off and ends the server. Waits for what runs in
  // `Script::on_listed`.
  void Break();

  // Starts a server that was ended again, on the same port.
  void Start();

  // What the calls asked for and when they were to be done, in the order of the calls.
  std::vector<v1::ListParticipantsRequest> list_requests() const;
  std::vector<std::chrono::system_clock::time_point> list_deadlines() const;
  std::vector<v1::GetParticipantRequest> get_requests() const;

  // The x-request-id that each call of either kind came with; empty where it had none.
  std::vector<std::string> request_ids() const;

  // The authorization that each call came with; not set where it had none.
  std::vector<std::optional<std::string>> authorizations() const;

  // Those of the last call.
  v1::ListParticipantsRequest list_request() const;
  v1::GetParticipantRequest get_request() const;

  // Whether a list that has ended was cancelled. To be asked after `Stop`.
  bool cancelled() const;

 private:
  grpc::Status ListParticipants(grpc::ServerContext* context,
                                const v1::ListParticipantsRequest* request,
                                grpc::ServerWriter<v1::ListParticipantsResponse>* writer) override;
  grpc::Status GetParticipant(grpc::ServerContext* context,
                              const v1::GetParticipantRequest* request,
                              v1::GetParticipantResponse* response) override;

  // Keeps what a call of either kind came with. With the mutex held.
  void KeepMetadata(const grpc::ServerContext& context);

  // The script of a call that begins. With the mutex held.
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
  int port_holder_ = -1;  // A socket that has the port and does not listen.
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
