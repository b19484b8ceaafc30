// The certificate and key with which the service meets its callers, and those who may sign theirs:
// read again when their files change. Only a set that is whole and good is put into use; otherwise
// the one before goes on, and the log says why. Made by the server.
//
// gRPC takes certificates that change from files only, reads certificate and key one after the
// other, and serves nobody where they do not match. So it does not get the operator's files but
// copies in memory, of which certificate and key are one file that is replaced as a whole.
#pragma once

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/config/config.h"
#include "service/config/file_watch.h"
#include "service/config/tls_files.h"
#include "service/metrics/telemetry.h"
#include "service/rpc/memory_file.h"

namespace rollcall {

class ServerCertificates {
 public:
  // `telemetry` must outlive them.
  static absl::StatusOr<std::unique_ptr<ServerCertificates>> Load(const TlsSettings& settings,
                                                                  Telemetry& telemetry);

  // For one server. The certificates must outlive it.
  std::shared_ptr<grpc::ServerCredentials> MakeCredentials();

  // Puts into use what the files come to hold, from now to the watch's end, which must come before
  // theirs. Connections that are made from a second later on meet it; those that are there go on.
  void WatchFiles(FileWatch& watch);

 private:
  ServerCertificates(const TlsSettings& settings, Telemetry& telemetry)
      : settings_(settings), telemetry_(telemetry) {}

  // Puts the files into use, or changes nothing.
  absl::Status Use(TlsFiles files);
  void Reload();

  const TlsSettings settings_;
  Telemetry& telemetry_;
  // What is in use; there once loaded. Of the watch's thread, once there is one.
  std::optional<TlsFiles> files_;
  std::string refusal_;  // why what was read last is not in use; empty where it is
  MemoryFile certificate_and_key_;
  MemoryFile client_ca_;
  // Made last, since it reads the files on a thread of its own.
  std::shared_ptr<grpc::experimental::FileWatcherCertificateProvider> provider_;
};

}  // namespace rollcall
