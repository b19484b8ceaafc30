#include "service/rpc/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "service/config/file_watch.h"
#include "service/rpc/list_call.h"
#include "service/rpc/participant_service.h"
#include "service/rpc/running_calls.h"
#include "service/rpc/server_certificates.h"
#include "service/rpc/upstream_loops.h"

namespace rollcall {
// In the order of their making: a member is used by those behind it.
class Server::Parts {
 public:
  Parts(Config config, Telemetry& telemetry)
      : config_(std::move(config)),
        telemetry_(telemetry),
        running_(static_cast<size_t>(config_.limits.max_calls)),
        upstreams_(MakeUpstreams(config_, telemetry)),
        loops_(config_.event_loops),
        service_(config_, upstreams_, loops_, running_) {}

  absl::Status Start() {
    grpc::EnableDefaultHealthCheckService(true);
    if (config_.reflection) grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials();
    if (config_.tls) {
      auto certificates = ServerCertificates::Load(*config_.tls, telemetry_);
      if (!certificates.ok()) return certificates.status();
      certificates_ = *std::move(certificates);
      certificates_->WatchFiles(watch_);
      credentials = certificates_->MakeCredentials();
    }
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(config_.listen, credentials, &port);
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
    running_.Drain();
    server_->GetHealthCheckService()->SetServingStatus(false);
    UpstreamLoop& loop = loops_.Pick();
    loop.Post(
        [this, &loop, time] { loop.client().loop().After(time, [this] { running_.EndAll(); }); });
    // Returns as soon as the last call is over, and cancels those that are not even then: their
    // callers have stopped to read.
    server_->Shutdown(std::chrono::system_clock::now() + time + kTimeToFinish);
  }

  const std::string& address() const { return address_; }

 private:
  static ParticipantServiceImpl::Upstreams MakeUpstreams(const Config& config,
                                                         Telemetry& telemetry) {
    ParticipantServiceImpl::Upstreams upstreams;
    for (const UpstreamConfig& upstream : config.upstreams) {
      upstreams.emplace(upstream.name, new Upstream{upstream, telemetry.participants(upstream.name),
                                                    RequestGate(upstream.requests, config.breaker,
                                                                [&telemetry, &upstream](bool up) {
                                                                  telemetry.OnUpstream(
                                                                      upstream.name, up);
                                                                })});
    }
    return upstreams;
  }

  const Config config_;
  Telemetry& telemetry_;
  RunningCalls running_;
  const ParticipantServiceImpl::Upstreams upstreams_;
  UpstreamLoops loops_;
  ParticipantServiceImpl service_;
  std::unique_ptr<ServerCertificates> certificates_;  // null without TLS
  FileWatch watch_;
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
