#include "service/rpc/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "service/rpc/participant_service.h"
#include "service/rpc/upstream_loop.h"

namespace rollcall {

// In the order of their making: a member is used by those behind it.
class Server::Parts {
 public:
  Parts(Config config, Telemetry& telemetry)
      : config_(std::move(config)), service_(config_, loop_, telemetry) {}

  absl::Status Start() {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(config_.listen, grpc::InsecureServerCredentials(), &port);
    // Two servers on one port would share its connections without anybody's knowing.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port == 0) {
      return absl::UnavailableError(absl::StrCat("cannot listen on ", config_.listen,
                                                 ": the address is in use or not this machine's"));
    }
    const absl::string_view listen = config_.listen;
    address_ = absl::StrCat(listen.substr(0, listen.rfind(':')), ":", port);
    // By default the health service answers for the whole server only.
    server_->GetHealthCheckService()->SetServingStatus(v1::ParticipantService::service_full_name(),
                                                       true);
    return absl::OkStatus();
  }

  void Drain(std::chrono::milliseconds time) {
    service_.Drain();
    server_->GetHealthCheckService()->SetServingStatus(false);
    server_->Shutdown(std::chrono::system_clock::now() + time);
  }

  const std::string& address() const { return address_; }

 private:
  const Config config_;
  UpstreamLoop loop_;
  ParticipantServiceImpl service_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

absl::StatusOr<std::unique_ptr<Server>> Server::Start(Config config, Telemetry& telemetry) {
  auto parts = std::make_unique<Parts>(std::move(config), telemetry);
  if (absl::Status status = parts->Start(); !status.ok()) return status;
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Server::~Server() { Drain(std::chrono::milliseconds(0)); }

const std::string& Server::address() const { return parts_->address(); }

void Server::Drain(std::chrono::milliseconds time) { parts_->Drain(time); }

}  // namespace rollcall
