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

  static constexpr char kTokenSha256OfAbc[] =
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  static constexpr char kTokenSha256OfFoo[] =
      "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";

  // A caller of a policy that may list everything.
  static nlohmann::json Caller(const std::string& name, const std::string& token_sha256) {
    return {
        {"name", name}, {"token_sha256", {token_sha256}}, {"upstreams", "all"}, {"lists", "all"}};
  }

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
