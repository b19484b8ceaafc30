// The server's certificate and key, and the authorities for client certificates; reloaded when
// their files change. Only a complete and valid set is used; otherwise the previous one stays in
// use, and the log says why.
//
// gRPC accepts replaceable certificates as files only, reads certificate and key one after the
// other, and serves no connection while they do not match. So it gets in-memory copies instead of
// the operator's files, with certificate and key in one file that is replaced atomically.
#pragma once

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/files/file_watch.h"
#include "service/metrics/telemetry.h"
#include "service/rpc/memory_file.h"
#include "service/tls/tls_files.h"

namespace rollcall::service {

class ServerCertificates {
 public:
  // `telemetry` must outlive them.
  static absl::StatusOr<std::unique_ptr<ServerCertificates>> Load(const ServerTlsOptions& settings,
                                                                  Telemetry& telemetry);

  // For one server. The certificates must outlive it.
  std::shared_ptr<grpc::ServerCredentials> MakeCredentials();

  // Reloads the files when they change. `watch` must be destroyed first. Connections made a second
  // after a change use the new certificate; existing ones continue.
  void WatchFiles(FileWatch& watch);

 private:
  ServerCertificates(const ServerTlsOptions& settings, Telemetry& telemetry)
      : settings_(settings), telemetry_(telemetry) {}

  // Uses the files, or changes nothing.
  absl::Status Use(TlsFiles files);
  void Reload();

  const ServerTlsOptions settings_;
  Telemetry& telemetry_;
  // The files in use; set once loaded. Accessed on the watch's thread, once there is one.
  std::optional<TlsFiles> files_;
  std::string refusal_;  // why the last read files are not in use; empty if they are
  MemoryFile certificate_and_key_;
  MemoryFile client_ca_;
  // Created last: it reads the files above on its own thread.
  std::shared_ptr<grpc::experimental::FileWatcherCertificateProvider> provider_;
};

}  // namespace rollcall::service
