#include "service/rpc/server_certificates.h"

#include <fcntl.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "service/config/json_object_reader.h"

namespace rollcall {
namespace {

constexpr char kWhat[] = "tls";

bool WriteAll(int fd, const std::string& content) {
  size_t written = 0;
  while (written < content.size()) {
    const ssize_t count = write(fd, content.data() + written, content.size() - written);
    if (count < 0 && errno != EINTR) return false;
    if (count > 0) written += static_cast<size_t>(count);
  }
  return true;
}

}  // namespace

MemoryFile::~MemoryFile() {
  if (fd_ >= 0) close(fd_);
}

absl::Status MemoryFile::Write(const std::string& content) {
  const int fd = memfd_create("rollcalld", MFD_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, "cannot make a file in memory");
  // gRPC compares whole seconds.
  const int64_t version = std::max<int64_t>(version_ + 1, std::time(nullptr));
  const timespec time{version, 0};
  const timespec times[] = {time, time};
  bool good = WriteAll(fd, content) && futimens(fd, times) == 0;
  if (fd_ < 0) {
    fd_ = fd;
  } else {
    // The number, and so the path, stays.
    good = good && dup3(fd, fd_, O_CLOEXEC) == fd_;
    close(fd);
  }
  if (!good) return absl::ErrnoToStatus(errno, "cannot write a file in memory");
  version_ = version;
  return absl::OkStatus();
}

std::string MemoryFile::path() const { return absl::StrCat("/proc/self/fd/", fd_); }

absl::StatusOr<std::unique_ptr<ServerCertificates>> ServerCertificates::Load(
    const TlsSettings& settings, Telemetry& telemetry) {
  Problems problems;
  std::optional<TlsFiles> files = ReadTlsFiles(settings, problems);
  if (!files) return problems.ToStatus();
  std::unique_ptr<ServerCertificates> certificates(
      new ServerCertificates(settings, *std::move(files), telemetry));
  if (absl::Status status = certificates->Use(); !status.ok()) return status;
  constexpr unsigned kRefreshSeconds = 1;
  const std::string path = certificates->certificate_and_key_.path();
  certificates->provider_ = std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
      path, path, settings.client_ca_file.empty() ? "" : certificates->client_ca_.path(),
      kRefreshSeconds);
  return certificates;
}

std::shared_ptr<grpc::ServerCredentials> ServerCertificates::MakeCredentials() {
  using ClientCertificates = TlsSettings::ClientCertificates;
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
  const TlsFiles files = files_;  // which changes with the first file that does
  const auto add = [&](const std::string& path, const std::string& text) {
    watch.Add(path, kMaxPemBytes, absl::string_view(text),
              [this](const absl::StatusOr<std::string>& /*text*/) { Reload(); });
  };
  add(settings_.certificate_file, files.certificate);
  add(settings_.private_key_file, files.private_key.reveal());
  if (!settings_.client_ca_file.empty()) add(settings_.client_ca_file, files.client_ca);
}

// Once for each file that has changed: all are read each time, since they go together.
void ServerCertificates::Reload() {
  Problems problems;
  std::optional<TlsFiles> files = ReadTlsFiles(settings_, problems);
  const bool is_same = files && files->certificate == files_.certificate &&
                       files->private_key.reveal() == files_.private_key.reveal() &&
                       files->client_ca == files_.client_ca;
  if (is_same && !refused_) return;
  absl::Status status = files ? absl::OkStatus() : problems.ToStatus();
  if (files) {
    files_ = *std::move(files);
    status = Use();
  }
  refused_ = !status.ok();
  if (refused_) {
    telemetry_.OnReloadRefused(kWhat, status.message());
  } else {
    telemetry_.OnReload(kWhat);
  }
}

absl::Status ServerCertificates::Use() {
  if (absl::Status status = client_ca_.Write(files_.client_ca); !status.ok()) return status;
  // A reader of either kind finds its own in there and passes over the other.
  return certificate_and_key_.Write(
      absl::StrCat(files_.private_key.reveal(), "\n", files_.certificate));
}

}  // namespace rollcall
