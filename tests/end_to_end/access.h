// Fixture for authentication and authorization: rollcalld with TLS files in the test's own folder,
// and callers with certificates and tokens.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "tests/end_to_end/certificate.h"
#include "tests/end_to_end/end_to_end.h"

namespace rollcall {

class CallerAccessTest : public EndToEndTest {
 protected:
  CallerAccessTest();
  ~CallerAccessTest() override;

  // The path of a file in the test's folder.
  std::string PathOf(const std::string& name) const { return (folder_ / name).string(); }
  // Replaces the file's content atomically.
  void Write(const std::string& name, const std::string& text) const;

  // The setting `tls` with a server certificate signed by `authority_`; `more` is merged into it.
  nlohmann::json Tls(const nlohmann::json& more = nlohmann::json::object()) const;
  // The same, with required client certificates.
  nlohmann::json MutualTls(const std::string& client_certificates = "required") const;
  // Makes another server certificate, installs and returns it.
  Certificate RenewCertificate() const;

  // A new connection to rollcalld, with this client certificate if given.
  std::unique_ptr<v1::ParticipantService::Stub> Connect(
      const Certificate* certificate = nullptr) const;
  std::shared_ptr<grpc::Channel> ChannelFor(const Certificate* certificate) const;
  std::unique_ptr<v1::ParticipantService::Stub> ConnectWithoutTls() const;

  // Lists over this stub, with a token unless it is empty.
  static Listing ListOver(v1::ParticipantService::Stub& stub,
                          const v1::ListParticipantsRequest& request,
                          const std::string& token = "");

  // The server certificate on a new connection, as PEM.
  std::string CertificateMet() const;

  // Waits until the log contains this text. False if rollcalld exits first.
  bool WaitForLog(const std::string& text) const;

  const Certificate authority_ = Certificate::Authority();

 private:
  std::filesystem::path folder_;
};

}  // namespace rollcall
