#include "tests/client/fake_server.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

namespace rollcall {

v1::Participant& Script::Add(const std::string& resume_token) {
  v1::ListParticipantsResponse& response = list.emplace_back();
  response.set_resume_token(resume_token);
  return *response.mutable_participant();
}

FakeServer::FakeServer() {
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  address_ = "127.0.0.1:" + std::to_string(port);
}

FakeServer::~FakeServer() { Stop(); }

void FakeServer::Stop() {
  if (server_ == nullptr) return;
  server_->Shutdown();
  server_->Wait();
  server_ = nullptr;
}

void FakeServer::Play(const Script& script) {
  const std::lock_guard lock(mutex_);
  script_ = script;
}

v1::ListParticipantsRequest FakeServer::list_request() const {
  const std::lock_guard lock(mutex_);
  return list_request_;
}

v1::GetParticipantRequest FakeServer::get_request() const {
  const std::lock_guard lock(mutex_);
  return get_request_;
}

bool FakeServer::cancelled() const {
  const std::lock_guard lock(mutex_);
  return cancelled_;
}

grpc::Status FakeServer::ListParticipants(
    grpc::ServerContext* context, const v1::ListParticipantsRequest* request,
    grpc::ServerWriter<v1::ListParticipantsResponse>* writer) {
  std::unique_lock lock(mutex_);
  list_request_ = *request;
  const Script script = script_;
  lock.unlock();

  for (const auto& [key, value] : script.trailers) context->AddTrailingMetadata(key, value);
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

grpc::Status FakeServer::GetParticipant(grpc::ServerContext*,
                                        const v1::GetParticipantRequest* request,
                                        v1::GetParticipantResponse* response) {
  const std::lock_guard lock(mutex_);
  get_request_ = *request;
  *response = script_.participant;
  return script_.status;
}

}  // namespace rollcall
