#include "client/cli/pem_check.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

namespace rollcall {
namespace {

using BioPointer = std::unique_ptr<BIO, decltype(&BIO_free)>;
using CertificatePointer = std::unique_ptr<X509, decltype(&X509_free)>;
using KeyPointer = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

BioPointer BioOf(const std::string& pem) {
  return {BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free};
}

// By default OpenSSL asks for the password of an encrypted key at the terminal.
int NoPassword(char* /*buffer*/, int /*size*/, int /*writes*/, void* /*user*/) { return 0; }

// Null if there is none.
KeyPointer KeyIn(const std::string& pem) {
  KeyPointer key(PEM_read_bio_PrivateKey(BioOf(pem).get(), nullptr, &NoPassword, nullptr),
                 EVP_PKEY_free);
  ERR_clear_error();
  return key;
}

}  // namespace

bool HoldsCertificates(const std::string& pem) {
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

bool HoldsPrivateKey(const std::string& pem) { return KeyIn(pem) != nullptr; }

bool BelongTogether(const std::string& certificate_pem, const std::string& key_pem) {
  const CertificatePointer certificate(
      PEM_read_bio_X509(BioOf(certificate_pem).get(), nullptr, &NoPassword, nullptr), X509_free);
  const KeyPointer key = KeyIn(key_pem);
  const bool together = certificate != nullptr && key != nullptr &&
                        X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  return together;
}

}  // namespace rollcall
