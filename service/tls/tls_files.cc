#include "service/tls/tls_files.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "service/files/read_file.h"

namespace rollcall::service {
namespace {

using BioPointer = std::unique_ptr<BIO, decltype(&BIO_free)>;
using CertificatePointer = std::unique_ptr<X509, decltype(&X509_free)>;
using KeyPointer = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

BioPointer BioOf(const std::string& pem) {
  return {BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free};
}

// Without this, OpenSSL would prompt for the password of an encrypted key on the terminal.
int NoPassword(char* /*buffer*/, int /*size*/, int /*writes*/, void* /*user*/) { return 0; }

// Null if there is none.
CertificatePointer FirstCertificate(const std::string& pem) {
  CertificatePointer certificate(PEM_read_bio_X509(BioOf(pem).get(), nullptr, &NoPassword, nullptr),
                                 X509_free);
  ERR_clear_error();
  return certificate;
}

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

// nullopt after a problem was added.
std::optional<std::string> Certificates(const std::string& path, absl::string_view key,
                                        Problems& problems) {
  absl::StatusOr<std::string> pem = ReadCertificates(path);
  if (pem.ok()) return *std::move(pem);
  problems.Add(key, pem.status().message());
  return std::nullopt;
}

// What is wrong with the key; empty if nothing is.
absl::string_view KeyProblem(const std::string& certificate_pem, EVP_PKEY* key) {
  if (key == nullptr) return "the file holds no private key in PEM form without a password";
  const CertificatePointer certificate = FirstCertificate(certificate_pem);
  const bool match = certificate != nullptr && X509_check_private_key(certificate.get(), key) == 1;
  ERR_clear_error();
  return match ? "" : "the key does not belong to the first certificate of tls.certificate_file";
}

// Whether OpenSSL, as gRPC uses it, accepts the certificates and the key. It rejects short keys and
// weak signatures.
bool WouldBeServed(const std::string& certificates_pem, EVP_PKEY* key) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_server_method()),
                                                                  SSL_CTX_free);
  const BioPointer pem = BioOf(certificates_pem);
  bool good = context != nullptr;
  for (bool is_first = true; good; is_first = false) {
    const CertificatePointer certificate(
        PEM_read_bio_X509(pem.get(), nullptr, &NoPassword, nullptr), X509_free);
    if (certificate == nullptr) break;  // the last was read
    good = (is_first ? SSL_CTX_use_certificate(context.get(), certificate.get())
                     : SSL_CTX_add1_chain_cert(context.get(), certificate.get())) == 1;
  }
  good = good && SSL_CTX_use_PrivateKey(context.get(), key) == 1 &&
         SSL_CTX_check_private_key(context.get()) == 1;
  ERR_clear_error();
  return good;
}

// The key without anything else that is in its file.
Secret ToPem(EVP_PKEY* key) {
  const BioPointer bio(BIO_new(BIO_s_secmem()), BIO_free);
  PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return Secret({text, static_cast<std::size_t>(size)});
}

absl::Time TimeOf(const ASN1_TIME* time) {
  tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? absl::FromTM(parts, absl::UTCTimeZone())
                                            : absl::InfinitePast();
}

}  // namespace

absl::StatusOr<std::string> ReadCertificates(const std::string& path) {
  absl::StatusOr<std::string> pem = ReadRegularFile(path, kMaxPemBytes);
  if (pem.ok() && !HoldsCertificate(*pem)) {
    return absl::InvalidArgumentError(
        "the file holds no certificate in PEM form, or one that is broken");
  }
  return pem;
}

std::optional<TlsFiles> ReadTlsFiles(const ServerTlsOptions& options, Problems& problems) {
  constexpr absl::string_view kCertificateKey = "tls.certificate_file";
  constexpr absl::string_view kPrivateKeyKey = "tls.private_key_file";
  std::optional<std::string> certificate =
      Certificates(options.certificate_file, kCertificateKey, problems);
  absl::Time not_after;
  if (certificate) {
    const CertificatePointer first = FirstCertificate(*certificate);
    if (first != nullptr) not_after = TimeOf(X509_get0_notAfter(first.get()));
    if (not_after <= absl::Now()) {
      problems.Add(kCertificateKey, "the certificate has expired");
      certificate.reset();
    }
  }
  std::optional<Secret> private_key;
  absl::StatusOr<std::string> key_pem = ReadRegularFile(options.private_key_file, kMaxPemBytes);
  if (!key_pem.ok()) {
    problems.Add(kPrivateKeyKey, key_pem.status().message());
  } else {
    const KeyPointer key(
        PEM_read_bio_PrivateKey(BioOf(*key_pem).get(), nullptr, &NoPassword, nullptr),
        EVP_PKEY_free);
    explicit_bzero(key_pem->data(), key_pem->size());
    if (certificate) {
      if (const absl::string_view problem = KeyProblem(*certificate, key.get()); !problem.empty()) {
        problems.Add(kPrivateKeyKey, problem);
      } else if (!WouldBeServed(*certificate, key.get())) {
        problems.Add(kCertificateKey,
                     "OpenSSL rejects it: its key, or one of its chain's, is too short, or a "
                     "signature is too weak");
      } else {
        private_key = ToPem(key.get());
      }
    }
  }
  std::optional<std::string> client_ca = "";
  if (!options.client_ca_file.empty()) {
    client_ca = Certificates(options.client_ca_file, "tls.client_ca_file", problems);
  }
  if (!certificate || !private_key || !client_ca) return std::nullopt;
  return TlsFiles{*std::move(certificate), *std::move(private_key), *std::move(client_ca),
                  not_after};
}

}  // namespace rollcall::service
