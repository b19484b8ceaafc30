#include "tests/end_to_end/access.h"

#include <grpc/grpc_security_constants.h>
#include <stdlib.h>

#include <chrono>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace rollcall {

CallerAccessTest::CallerAccessTest() {
  std::string path = (std::filesystem::temp_directory_path() / "rollcall-access-XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr)
    throw std::runtime_error("cannot create a folder for the test");
  folder_ = path;
  Write("ca.pem", authority_.certificate());
  RenewCertificate();
}

CallerAccessTest::~CallerAccessTest() {
  daemon_.reset();
  std::filesystem::remove_all(folder_);
}

void CallerAccessTest::Write(const std::string& name, const std::string& text) const {
  std::ofstream(PathOf(name + ".new")) << text;
  std::filesystem::rename(PathOf(name + ".new"), PathOf(name));
}

nlohmann::json CallerAccessTest::Tls(const nlohmann::json& more) const {
  nlohmann::json tls = {{"certificate_file", PathOf("server.pem")},
                        {"private_key_file", PathOf("server.key")}};
  tls.update(more);
  return tls;
}

nlohmann::json CallerAccessTest::MutualTls(const std::string& client_certificates) const {
  return Tls({{"client_ca_file", PathOf("ca.pem")}, {"client_certificates", client_certificates}});
}

Certificate CallerAccessTest::RenewCertificate() const {
  Certificate certificate = authority_.Sign("localhost");
  Write("server.pem", certificate.certificate());
  Write("server.key", certificate.key());
  return certificate;
}

std::shared_ptr<grpc::Channel> CallerAccessTest::ChannelFor(const Certificate* certificate) const {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = authority_.certificate();
  if (certificate != nullptr) {
    options.pem_cert_chain = certificate->certificate();
    options.pem_private_key = certificate->key();
  }
  grpc::ChannelArguments arguments;
  arguments.SetSslTargetNameOverride("localhost");
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(daemon_->address(), grpc::SslCredentials(options), arguments);
}

std::unique_ptr<v1::ParticipantService::Stub> CallerAccessTest::Connect(
    const Certificate* certificate) const {
  return v1::ParticipantService::NewStub(ChannelFor(certificate));
}

std::unique_ptr<v1::ParticipantService::Stub> CallerAccessTest::ConnectWithoutTls() const {
  return v1::ParticipantService::NewStub(
      grpc::CreateChannel(daemon_->address(), grpc::InsecureChannelCredentials()));
}

Listing CallerAccessTest::ListOver(v1::ParticipantService::Stub& stub,
                                   const v1::ListParticipantsRequest& request,
                                   const std::string& token) {
  grpc::ClientContext context;
  if (!token.empty()) context.AddMetadata("authorization", absl::StrCat("Bearer ", token));
  Listing listing;
  const auto reader = stub.ListParticipants(&context, request);
  v1::ListParticipantsResponse response;
  while (reader->Read(&response)) listing.participants.push_back(response.participant());
  listing.status = reader->Finish();
  return listing;
}

std::string CallerAccessTest::CertificateMet() const {
  const auto stub = Connect();
  grpc::ClientContext context;
  // The status does not matter.
  v1::GetParticipantResponse response;
  stub->GetParticipant(&context, v1::GetParticipantRequest(), &response);
  if (context.auth_context() == nullptr) return "";
  const auto values = context.auth_context()->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  return values.empty() ? "" : std::string(values[0].data(), values[0].size());
}

bool CallerAccessTest::WaitForLog(const std::string& text) const {
  while (!absl::StrContains(daemon_->Errors(), text)) {
    if (!daemon_->IsRunning()) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace rollcall
