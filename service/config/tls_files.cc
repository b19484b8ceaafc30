#include "service/config/tls_files.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstddef>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "service/config/read_file.h"

namespace rollcall {
namespace {

using BioPointer = std::unique_ptr<BIO, decltype(&BIO_free)>;
using CertificatePointer = std::unique_ptr<X509, decltype(&X509_free)>;
using KeyPointer = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

BioPointer BioOf(const std::string& pem) {
  return {BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free};
}

// OpenSSL would ask for the password of an encrypted key at the terminal.
int NoPassword(char* /*buffer*/, int /*size*/, int /*writes*/, void* /*user*/) { return 0; }

bool HoldsCertificate(const std::string& pem) {
  STACK_OF(X509_INFO)* const items =
      PEM_X509_INFO_read_bio(BioOf(pem).get(), nullptr, &NoPassword, nullptr);
  ERR_clear_error();
  bool found = false;
  for (int i = 0; i < sk_X509_INFO_num(items); ++i) {
    found = found || sk_X509_INFO_value(items, i)->x509 != nullptr;
  }
  sk_X509_INFO_pop_free(items, X509_INFO_free);
  return found;
}

absl::StatusOr<std::string> ReadPem(const std::string& path) {
  absl::StatusOr<std::string> pem = ReadFile(path, kMaxPemBytes);
  if (pem.ok() && pem->size() > kMaxPemBytes) {
    return absl::InvalidArgumentError("the file must not be longer than 4 MiB");
  }
  return pem;
}

// nullopt after a problem was noted.
std::optional<std::string> Certificates(const std::string& path, absl::string_view key,
                                        Problems& problems) {
  absl::StatusOr<std::string> pem = ReadCertificates(path);
  if (pem.ok()) return *std::move(pem);
  problems.Add(key, pem.status().message());
  return std::nullopt;
}

// What is wrong with the first certificate and the key; empty where nothing is.
absl::string_view KeyProblem(const std::string& certificate_pem, const std::string& key_pem) {
  const CertificatePointer certificate(
      PEM_read_bio_X509(BioOf(certificate_pem).get(), nullptr, &NoPassword, nullptr), X509_free);
  const KeyPointer key(PEM_read_bio_PrivateKey(BioOf(key_pem).get(), nullptr, &NoPassword, nullptr),
                       EVP_PKEY_free);
  const bool match = certificate != nullptr && key != nullptr &&
                     X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  if (key == nullptr) return "the file holds no private key in PEM form without a password";
  if (!match) return "the key does not belong to the first certificate of tls.certificate_file";
  return "";
}

bool HasExpired(const std::string& certificate_pem) {
  const CertificatePointer certificate(
      PEM_read_bio_X509(BioOf(certificate_pem).get(), nullptr, &NoPassword, nullptr), X509_free);
  return certificate != nullptr && X509_cmp_current_time(X509_get0_notAfter(certificate.get())) < 0;
}

}  // namespace

absl::StatusOr<std::string> ReadCertificates(const std::string& path) {
  absl::StatusOr<std::string> pem = ReadPem(path);
  if (pem.ok() && !HoldsCertificate(*pem)) {
    return absl::InvalidArgumentError(
        "the file holds no certificate in PEM form, or one that is broken");
  }
  return pem;
}

std::optional<TlsFiles> ReadTlsFiles(const TlsSettings& settings, Problems& problems) {
  constexpr absl::string_view kCertificateKey = "tls.certificate_file";
  constexpr absl::string_view kPrivateKeyKey = "tls.private_key_file";
  std::optional<std::string> certificate =
      Certificates(settings.certificate_file, kCertificateKey, problems);
  if (certificate && HasExpired(*certificate)) {
    problems.Add(kCertificateKey, "the certificate has expired");
    certificate.reset();
  }
  bool key_is_good = false;
  const absl::StatusOr<std::string> key = ReadPem(settings.private_key_file);
  if (!key.ok()) {
    problems.Add(kPrivateKeyKey, key.status().message());
  } else if (certificate) {
    const absl::string_view problem = KeyProblem(*certificate, *key);
    key_is_good = problem.empty();
    if (!key_is_good) problems.Add(kPrivateKeyKey, problem);
  }
  std::optional<std::string> client_ca = "";
  if (!settings.client_ca_file.empty()) {
    client_ca = Certificates(settings.client_ca_file, "tls.client_ca_file", problems);
  }
  if (!certificate || !key_is_good || !client_ca) return std::nullopt;
  return TlsFiles{*std::move(certificate), Secret(*key), *std::move(client_ca)};
}

}  // namespace rollcall
