#include "tests/end_to_end/certificate.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <functional>
#include <stdexcept>

#include "absl/strings/str_cat.h"

namespace rollcall {
namespace {

void Require(bool good) {
  if (!good) throw std::runtime_error("OpenSSL failed to make a certificate");
}

std::string PemOf(const std::function<int(BIO*)>& write) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  Require(write(bio.get()) == 1);
  const char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<size_t>(size)};
}

EVP_PKEY* NewKey() { return EVP_EC_gen("P-256"); }

void AddExtension(X509* certificate, int nid, const std::string& value) {
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str()), X509_EXTENSION_free);
  Require(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1);
}

}  // namespace

Certificate Certificate::Make(EVP_PKEY* key, const std::string& name,
                              const std::string& alternative_names, long begins, long ends,
                              const Certificate* by) {
  Certificate made;
  made.key_.reset(key, EVP_PKEY_free);
  made.certificate_.reset(X509_new(), X509_free);
  X509* const certificate = made.certificate_.get();
  Require(made.key_ != nullptr && certificate != nullptr);
  X509_set_version(certificate, X509_VERSION_3);
  uint32_t serial = 0;
  Require(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof(serial)) == 1);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), begins);
  X509_gmtime_adj(X509_getm_notAfter(certificate), ends);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate,
                       X509_get_subject_name(by == nullptr ? certificate : by->certificate_.get()));
  X509_set_pubkey(certificate, made.key_.get());
  if (by == nullptr) {
    AddExtension(certificate, NID_basic_constraints, "critical,CA:TRUE");
  } else {
    AddExtension(certificate, NID_subject_alt_name, alternative_names);
  }
  EVP_PKEY* const signer = by == nullptr ? made.key_.get() : by->key_.get();
  Require(X509_sign(certificate, signer, EVP_sha256()) > 0);
  return made;
}

Certificate Certificate::Authority(const std::string& name) {
  return Make(NewKey(), name, "", -86400, 86400, nullptr);
}

Certificate Certificate::Sign(const std::string& dns_name, long begins, long ends) const {
  return Make(NewKey(), dns_name, absl::StrCat("DNS:", dns_name), begins, ends, this);
}

Certificate Certificate::SignNames(const std::string& names, long begins, long ends) const {
  return Make(NewKey(), "Test caller", names, begins, ends, this);
}

Certificate Certificate::SignShortKey(const std::string& dns_name) const {
  constexpr size_t kBits = 1024;
  return Make(EVP_RSA_gen(kBits), dns_name, absl::StrCat("DNS:", dns_name), -3600, 3600, this);
}

std::string Certificate::certificate() const {
  return PemOf([this](BIO* bio) { return PEM_write_bio_X509(bio, certificate_.get()); });
}

std::string Certificate::key() const {
  return PemOf([this](BIO* bio) {
    return PEM_write_bio_PrivateKey(bio, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

}  // namespace rollcall
