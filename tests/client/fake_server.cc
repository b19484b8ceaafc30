#include "tests/client/fake_server.h"

#include <arpa/inet.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace rollcall {
namespace {

std::optional<std::string> MetadataOf(const grpc::ServerContext& context, const char* name) {
  const auto found = context.client_metadata().find(name);
  if (found == context.client_metadata().end()) return std::nullopt;
  return std::string(found->second.data(), found->second.size());
}

}  // namespace

v1::Participant& Script::Add(const std::string& resume_token) {
  v1::ListParticipantsResponse& response = list.emplace_back();
  response.set_resume_token(resume_token);
  return *response.mutable_participant();
}

FakeServer::FakeServer(std::shared_ptr<grpc::ServerCredentials> credentials)
    : credentials_(std::move(credentials)) {
  // Reserves the port while the server is stopped: the kernel does not assign it to other programs.
  // gRPC's sockets set SO_REUSEPORT, too, and can still listen on it.
  port_holder_ = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  EXPECT_EQ(setsockopt(port_holder_, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(port_holder_, reinterpret_cast<const sockaddr*>(&address), size), 0);
  EXPECT_EQ(getsockname(port_holder_, reinterpret_cast<sockaddr*>(&address), &size), 0);
  address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  Start();
}

FakeServer::~FakeServer() {
  Stop();
  close(port_holder_);
}

void FakeServer::Start() {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address_, credentials_);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  ASSERT_NE(server_, nullptr) << address_;
  SetServing(true);
}

void FakeServer::SetServing(bool serving) {
  server_->GetHealthCheckService()->SetServingStatus(v1::ParticipantService::service_full_name(),
                                                     serving);
}

void FakeServer::Stop() {
  if (server_ == nullptr) return;
  server_->Shutdown();
  server_->Wait();
  server_ = nullptr;
}

void FakeServer::Break() {
  server_->Shutdown(std::chrono::system_clock::now());
  Stop();
}

void FakeServer::Play(const Script& script) { PlayInTurn({script}); }

void FakeServer::PlayInTurn(const std::vector<Script>& scripts) {
  const std::lock_guard lock(mutex_);
  scripts_ = scripts;
}

std::vector<v1::ListParticipantsRequest> FakeServer::list_requests() const {
  const std::lock_guard lock(mutex_);
  return list_requests_;
}

std::vector<std::chrono::system_clock::time_point> FakeServer::list_deadlines() const {
  const std::lock_guard lock(mutex_);
  return list_deadlines_;
}

std::vector<v1::GetParticipantRequest> FakeServer::get_requests() const {
  const std::lock_guard lock(mutex_);
  return get_requests_;
}

std::vector<std::string> FakeServer::request_ids() const {
  const std::lock_guard lock(mutex_);
  return request_ids_;
}

std::vector<std::optional<std::string>> FakeServer::authorizations() const {
  const std::lock_guard lock(mutex_);
  return authorizations_;
}

v1::ListParticipantsRequest FakeServer::list_request() const {
  const std::lock_guard lock(mutex_);
  return list_requests_.empty() ? v1::ListParticipantsRequest() : list_requests_.back();
}

v1::GetParticipantRequest FakeServer::get_request() const {
  const std::lock_guard lock(mutex_);
  return get_requests_.empty() ? v1::GetParticipantRequest() : get_requests_.back();
}

void FakeServer::KeepMetadata(const grpc::ServerContext& context) {
  request_ids_.push_back(MetadataOf(context, "x-request-id").value_or(""));
  authorizations_.push_back(MetadataOf(context, "authorization"));
}

Script FakeServer::NextScript() {
  if (scripts_.empty()) return {};
  Script script = scripts_.front();
  if (scripts_.size() > 1) scripts_.erase(scripts_.begin());
  return script;
}

bool FakeServer::cancelled() const {
  const std::lock_guard lock(mutex_);
  return cancelled_;
}

grpc::Status FakeServer::ListParticipants(
    grpc::ServerContext* context, const v1::ListParticipantsRequest* request,
    grpc::ServerWriter<v1::ListParticipantsResponse>* writer) {
  std::unique_lock lock(mutex_);
  list_requests_.push_back(*request);
  list_deadlines_.push_back(context->deadline());
  KeepMetadata(*context);
  const Script script = NextScript();
  lock.unlock();

  for (const auto& [key, value] : script.trailers) context->AddTrailingMetadata(key, value);
  if (script.compressed) context->set_compression_algorithm(GRPC_COMPRESS_GZIP);
  bool first = true;
  do {
    for (const v1::ListParticipantsResponse& response : script.list) {
      if (!writer->Write(response)) {
        lock.lock();
        cancelled_ = true;
        return grpc::Status::CANCELLED;
      }
    }
    if (first) script.on_listed();
    first = false;
  } while (script.endless);
  return script.status;
}

grpc::Status FakeServer::GetParticipant(grpc::ServerContext* context,
                                        const v1::GetParticipantRequest* request,
                                        v1::GetParticipantResponse* response) {
  const std::lock_guard lock(mutex_);
  get_requests_.push_back(*request);
  KeepMetadata(*context);
  const Script script = NextScript();
  *response = script.participant;
  return script.status;
}

google::rpc::ErrorInfo MakeErrorInfo(const std::string& reason) {
  google::rpc::ErrorInfo info;
  info.set_domain("rollcall");
  info.set_reason(reason);
  return info;
}

}  // namespace rollcall
