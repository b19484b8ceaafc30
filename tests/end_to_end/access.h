// Tests of who may call: rollcalld with TLS in a test's own folder, and callers with certificates
// and tokens.
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
  // Gives it this content, all at once.
  void Write(const std::string& name, const std::string& text) const;

  // The key `tls`, with the files of a server that `authority_` signed; `more` is merged into it.
  nlohmann::json Tls(const nlohmann::json& more = nlohmann::json::object()) const;
  // The same, with callers' certificates asked for.
  nlohmann::json MutualTls(const std::string& client_certificates = "required") const;
  // Makes another certificate for the server, and returns it.
  Certificate RenewCertificate() const;

  // A connection of its own to rollcalld, with this certificate where there is one.
  std::unique_ptr<v1::ParticipantService::Stub> Connect(
      const Certificate* certificate = nullptr) const;
  std::shared_ptr<grpc::Channel> ChannelFor(const Certificate* certificate) const;
  std::unique_ptr<v1::ParticipantService::Stub> ConnectWithoutTls() const;

  // A list over it, with a token where there is one.
  static Listing ListOver(v1::ParticipantService::Stub& stub,
                          const v1::ListParticipantsRequest& request,
                          const std::string& token = "");

  // The certificate that a new connection meets, in PEM form.
  std::string CertificateMet() const;

  // Waits until the log has this text. False where rollcalld ends first.
  bool WaitForLog(const std::string& text) const;

  const Certificate authority_ = Certificate::Authority();

 private:
  std::filesystem::path folder_;
};

}  // namespace rollcall
