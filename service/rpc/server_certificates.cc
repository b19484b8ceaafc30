#include "service/rpc/server_certificates.h"

#include <grpcpp/security/tls_credentials_options.h>

#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "service/json/json_object_reader.h"

namespace rollcall::service {
namespace {

constexpr char kWhat[] = "tls";

}  // namespace

absl::StatusOr<std::unique_ptr<ServerCertificates>> ServerCertificates::Load(
    const ServerTlsOptions& settings, Telemetry& telemetry) {
  Problems problems;
  std::optional<TlsFiles> files = ReadTlsFiles(settings, problems);
  if (!files) return problems.ToStatus();
  std::unique_ptr<ServerCertificates> certificates(new ServerCertificates(settings, telemetry));
  if (absl::Status status = certificates->Use(*std::move(files)); !status.ok()) return status;
  constexpr unsigned kRefreshSeconds = 1;
  const std::string path = certificates->certificate_and_key_.path();
  certificates->provider_ = std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
      path, path, settings.client_ca_file.empty() ? "" : certificates->client_ca_.path(),
      kRefreshSeconds);
  return certificates;
}

std::shared_ptr<grpc::ServerCredentials> ServerCertificates::MakeCredentials() {
  using ClientCertificates = ServerTlsOptions::ClientCertificates;
  grpc::experimental::TlsServerCredentialsOptions options(provider_);
  options.watch_identity_key_cert_pairs();
  if (settings_.client_certificates != ClientCertificates::kNone) {
    options.watch_root_certs();
    options.set_cert_request_type(settings_.client_certificates == ClientCertificates::kOptional
                                      ? GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY
                                      : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return grpc::experimental::TlsServerCredentials(options);
}

void ServerCertificates::WatchFiles(FileWatch& watch) {
  const TlsFiles files = *files_;  // a copy, because files_ changes with the first changed file
  const auto add = [&](const std::string& path, const std::string& text) {
    watch.Add(path, kMaxPemBytes, absl::string_view(text),
              [this](const absl::StatusOr<std::string>& /*text*/) { Reload(); });
  };
  add(settings_.certificate_file, files.certificate);
  add(settings_.private_key_file, files.private_key.reveal());
  if (!settings_.client_ca_file.empty()) add(settings_.client_ca_file, files.client_ca);
}

// Called for each changed file. Reads all files, because they belong together.
void ServerCertificates::Reload() {
  Problems problems;
  std::optional<TlsFiles> files = ReadTlsFiles(settings_, problems);
  const bool is_same = files && files->certificate == files_->certificate &&
                       files->private_key == files_->private_key &&
                       files->client_ca == files_->client_ca;
  if (is_same && refusal_.empty()) return;
  const absl::Status status = files ? Use(*std::move(files)) : problems.ToStatus();
  if (status.ok()) {
    refusal_.clear();
    telemetry_.OnReload(kWhat);
  } else if (refusal_ != status.message()) {
    refusal_ = std::string(status.message());
    telemetry_.OnReloadRefused(kWhat, refusal_);
  }
}

absl::Status ServerCertificates::Use(TlsFiles files) {
  // PEM readers skip the other kind of block.
  std::string pair = absl::StrCat(files.private_key.reveal(), "\n", files.certificate);
  absl::Status status = certificate_and_key_.Prepare(pair);
  explicit_bzero(pair.data(), pair.size());
  if (status.ok()) status = client_ca_.Prepare(files.client_ca);
  if (!status.ok()) return status;
  client_ca_.Replace();
  certificate_and_key_.Replace();
  telemetry_.OnCertificate(files.not_after);
  files_ = std::move(files);
  return status;
}

}  // namespace rollcall::service
