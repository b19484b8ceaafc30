#include "service/rpc/server.h"

#include <grpc/grpc.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/server_builder_option.h>
#include <grpcpp/impl/server_builder_plugin.h>
#include <grpcpp/resource_quota.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "grpc/health/v1/health.pb.h"
#include "service/access/access.h"
#include "service/config/config_secrets.h"
#include "service/files/file_watch.h"
#include "service/http/curl_transport.h"
#include "service/net/unix_socket.h"
#include "service/recording/recording_transport.h"
#include "service/rpc/accept_probe.h"
#include "service/rpc/builtin_streams.h"
#include "service/rpc/call_options.h"
#include "service/rpc/list_call.h"
#include "service/rpc/participant_service.h"
#include "service/rpc/running_calls.h"
#include "service/rpc/server_certificates.h"
#include "service/rpc/upstream_loops.h"

namespace rollcall::service {
namespace {

std::vector<Account> AccountsOf(const Config& config) {
  std::vector<Account> accounts;
  for (const UpstreamOptions& upstream : config.upstreams) accounts.push_back(upstream.account);
  return accounts;
}

CallOptions CallOptionsOf(const Config& config) {
  return {.query = {.accounts = AccountsOf(config), .resume_key = config.resume_key},
          .deadline = config.deadline,
          .read = config.read,
          .max_calls_per_caller = config.calls.max_calls_per_caller,
          .send_queue_bytes = config.calls.send_queue_bytes,
          .caller_stall = config.calls.caller_stall};
}

// Each takes a thread.
constexpr size_t kMaxReflectionStreams = 64;

// Limits for each connection, configured and fixed ones.
void BoundConnections(const ConnectionOptions& options, grpc::ServerBuilder& builder) {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  // Twice the longest valid request, which has the resume token of a large batch and a read mask of
  // all fields.
  builder.SetMaxReceiveMessageSize(64 << 10);
  const auto set = [&](const char* name, int64_t value) {
    builder.AddChannelArgument(name, static_cast<int>(value));
  };
  const auto set_time = [&](const char* name, milliseconds time) { set(name, time.count()); };
  grpc::ResourceQuota quota("callers");
  quota.Resize(options.max_memory_bytes);
  builder.SetResourceQuota(quota);
  // gRPC would decompress a request before checking its size. Requests are small anyway.
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  set(GRPC_ARG_MAX_METADATA_SIZE, 8 << 10);
  set(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.max_streams);
  if (options.max_age) set_time(GRPC_ARG_MAX_CONNECTION_AGE_MS, *options.max_age);
  set_time(GRPC_ARG_MAX_CONNECTION_IDLE_MS, options.max_idle);
  // Bounds how long a connection without HTTP/2 settings holds a descriptor.
  set_time(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, seconds(20));
  // Detects a vanished peer within 80 s, and so releases its upstream connection.
  set_time(GRPC_ARG_KEEPALIVE_TIME_MS, seconds(60));
  set_time(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, seconds(20));
  // Callers may send keepalive pings as well. 30 s is common; by default, gRPC would close the
  // connection with GOAWAY if a list has nothing to send meanwhile.
  set_time(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, seconds(20));
  set(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
}

// Removes the reflection service, which linking with it adds to every server.
class WithoutReflection final : public grpc::ServerBuilderOption {
 public:
  void UpdateArguments(grpc::ChannelArguments* /*arguments*/) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    const auto is_reflection = [](const auto& plugin) {
      return plugin->name() == "proto_server_reflection";
    };
    plugins->erase(std::remove_if(plugins->begin(), plugins->end(), is_reflection), plugins->end());
  }
};

}  // namespace

// Members in order of construction: each is used by later ones.
class Server::Parts {
 public:
  // `access` is null if there is no policy, `recording` if nothing is recorded.
  Parts(Config config, std::unique_ptr<Access> access, std::unique_ptr<Recording> recording,
        Telemetry& telemetry, AdminPages& admin_pages)
      : config_(std::move(config)),
        call_options_(CallOptionsOf(config_)),
        telemetry_(telemetry),
        admin_pages_(admin_pages),
        running_(static_cast<size_t>(config_.calls.max_calls)),
        recording_(std::move(recording)),
        upstreams_(MakeUpstreams(config_, telemetry)),
        loops_(config_.event_loops, telemetry.event_loop_lag(),
               [this](EventLoop& loop) { return MakeTransport(loop); }),
        access_(std::move(access)),
        service_(call_options_, access_.get(), upstreams_, loops_, running_, telemetry.calls()) {
    admin_pages_.Watch(ServiceSource{[this] { return State(); }, [this] { return Health(); }});
    if (access_ == nullptr) return;
    access_->WatchFile(watch_,
                       [this](const absl::Status& status) { OnReload("policy_file", status); });
  }
  ~Parts() { admin_pages_.Watch(std::nullopt); }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  absl::Status Start() {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    // Clients of reflection ask for the description of the health service.
    google::protobuf::LinkMessageReflection<grpc::health::v1::HealthCheckRequest>();
    std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials();
    if (config_.tls) {
      auto certificates = ServerCertificates::Load(*config_.tls, telemetry_);
      if (!certificates.ok()) return certificates.status();
      certificates_ = *std::move(certificates);
      certificates_->WatchFiles(watch_);
      credentials = certificates_->MakeCredentials();
    }
    const bool is_unix = IsUnixSocketAddress(config_.listen);
    if (is_unix) {
      absl::Status free = CheckUnixSocketIsFree(config_.listen);
      if (!free.ok()) return free;
    }
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(config_.listen, credentials, &port);
    // Otherwise a second server on the port would silently take some of its connections.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    if (!config_.reflection) builder.SetOption(std::make_unique<WithoutReflection>());
    BoundConnections(config_.connections, builder);
    std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> factories;
    factories.push_back(builtin_streams_.MakeInterceptorFactory(
        std::string(v1::ParticipantService::service_full_name())));
    builder.experimental().SetInterceptorCreators(std::move(factories));
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port == 0) {
      return absl::UnavailableError(
          absl::StrCat("cannot listen on ", config_.listen,
                       is_unix ? ": the folder does not exist or is not writable"
                               : ": the address is in use or does not belong to this machine"));
    }
    const absl::string_view listen = config_.listen;
    address_ =
        is_unix ? config_.listen : absl::StrCat(listen.substr(0, listen.rfind(':')), ":", port);
    {
      const MutexLock lock(mutex_);
      accept_probe_ = std::make_unique<AcceptProbe>(address_);
    }
    WatchSecrets(
        SecretsOf(config_), watch_,
        [this](absl::string_view what, const absl::Status& status) { OnReload(what, status); });
    // By default, the health service knows the whole server only.
    server_->GetHealthCheckService()->SetServingStatus(v1::ParticipantService::service_full_name(),
                                                       true);
    return absl::OkStatus();
  }

  void Drain(std::chrono::milliseconds time) {
    server_->GetHealthCheckService()->SetServingStatus(false);
    // Health and reflection streams would keep the server from shutting down.
    running_.Drain([this] { builtin_streams_.CancelAll(); });
    std::unique_ptr<AcceptProbe> probe;
    {
      const MutexLock lock(mutex_);
      probe = std::move(accept_probe_);
    }
    probe.reset();
    Scheduler& scheduler = loops_.Pick().scheduler();
    scheduler.Post(
        [this, &scheduler, time] { scheduler.RunAfter(time, [this] { running_.EndAll(); }); });
    // Returns when the last call has ended. At the deadline it cancels the rest, whose callers have
    // stopped reading.
    server_->Shutdown(std::chrono::system_clock::now() + time + kGracePeriod);
  }

  const std::string& address() const { return address_; }

 private:
  void OnReload(absl::string_view what, const absl::Status& status) {
    if (status.ok()) {
      telemetry_.OnReload(what);
    } else {
      telemetry_.OnReloadRefused(what, status.message());
    }
  }

  static ParticipantServiceImpl::Upstreams MakeUpstreams(const Config& config,
                                                         Telemetry& telemetry) {
    ParticipantServiceImpl::Upstreams upstreams;
    for (const UpstreamOptions& upstream : config.upstreams) {
      RequestMonitor& requests = telemetry.requests(upstream.account.name);
      upstreams.emplace(
          upstream.account.name,
          new Upstream{upstream, telemetry.participants(upstream.account.name), requests,
                       ConcurrencyLimiter(upstream.limiter, config.breaker,
                                          [&requests](bool up) { requests.OnCircuit(up); })});
    }
    return upstreams;
  }

  std::unique_ptr<HttpTransport> MakeTransport(EventLoop& loop) {
    auto transport = std::make_unique<CurlTransport>(loop);
    if (recording_ == nullptr) return transport;
    return std::make_unique<RecordingTransport>(std::move(transport), *recording_,
                                                call_options_.query.accounts);
  }

  // On the thread of the admin server.
  ServiceState State() {
    ServiceState state;
    for (const UpstreamOptions& upstream : config_.upstreams) {
      const ConcurrencyLimiter::Counts counts =
          upstreams_.at(upstream.account.name)->limiter.counts();
      state.upstreams.push_back({upstream.account.name, counts.waiting, counts.in_flight,
                                 counts.stalled, counts.limit, counts.circuit_open});
    }
    state.calls = running_.Describe();
    state.calls_of_loops = loops_.Calls();
    state.draining = running_.IsDraining();
    return state;
  }

  // On the thread of the admin server.
  ServiceHealth Health() {
    ServiceHealth health;
    health.silence_of_loops = loops_.LongestSilence();
    health.draining = running_.IsDraining();
    const MutexLock lock(mutex_);
    if (accept_probe_ != nullptr) health.silence_of_listener = accept_probe_->Silence();
    return health;
  }

  // Keeps the gRPC library initialised.
  class GrpcLibrary {
   public:
    GrpcLibrary() { grpc_init(); }
    ~GrpcLibrary() { grpc_shutdown(); }
    GrpcLibrary(const GrpcLibrary&) = delete;
    GrpcLibrary& operator=(const GrpcLibrary&) = delete;
  };

  const GrpcLibrary library_;  // first, because calls are destroyed on the loops, after the server
  const Config config_;
  const CallOptions call_options_;
  Telemetry& telemetry_;
  AdminPages& admin_pages_;
  RunningCalls running_;
  const std::unique_ptr<Recording> recording_;  // null if nothing is recorded
  const ParticipantServiceImpl::Upstreams upstreams_;
  UpstreamLoops loops_;
  const std::unique_ptr<Access> access_;
  ParticipantServiceImpl service_;
  std::unique_ptr<ServerCertificates> certificates_;  // null without TLS
  FileWatch watch_;
  BuiltinStreams builtin_streams_{kMaxReflectionStreams};
  std::unique_ptr<grpc::Server> server_;
  std::string address_;

  Mutex mutex_;
  // Null until the server listens, and while it drains.
  std::unique_ptr<AcceptProbe> accept_probe_ ABSL_GUARDED_BY(mutex_);
};

absl::StatusOr<std::unique_ptr<Server>> Server::Start(Config config, std::unique_ptr<Access> access,
                                                      Telemetry& telemetry,
                                                      AdminPages& admin_pages) {
  std::unique_ptr<Recording> recording;
  if (config.recording) {
    auto opened =
        Recording::Open(*config.recording, AccountsOf(config),
                        [&telemetry](absl::string_view cause) { telemetry.OnRecordingEnd(cause); });
    if (!opened.ok()) return opened.status();
    if (!(*opened)->ended()) {
      recording = *std::move(opened);
      telemetry.OnRecording();
    }
  }
  auto parts = std::make_unique<Parts>(std::move(config), std::move(access), std::move(recording),
                                       telemetry, admin_pages);
  if (absl::Status status = parts->Start(); !status.ok()) return status;
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Server::~Server() { Drain(std::chrono::milliseconds(0)); }

const std::string& Server::address() const { return parts_->address(); }

void Server::Drain(std::chrono::milliseconds time) { parts_->Drain(time); }

}  // namespace rollcall::service
