// TLS certificates made by tests: an authority, and what it signs.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace rollcall {

class Certificate {
 public:
  // A self-signed authority. Clients distinguish authorities by name.
  static Certificate Authority(const std::string& name = "Test authority");

  // Signs a certificate for a server of this name. `begins` and `ends` are seconds from now.
  Certificate Sign(const std::string& dns_name, long begins = -3600, long ends = 3600) const;

  // The same for subject alternative names in OpenSSL's format: "URI:spiffe://a/b,DNS:c".
  Certificate SignNames(const std::string& names, long begins = -3600, long ends = 3600) const;

  // Signs a server certificate with an RSA key too short for OpenSSL to serve it.
  Certificate SignShortKey(const std::string& dns_name) const;

  // In PEM form.
  std::string certificate() const;
  std::string key() const;

 private:
  using Key = std::shared_ptr<EVP_PKEY>;
  using X509Pointer = std::shared_ptr<X509>;

  static Certificate Make(EVP_PKEY* key, const std::string& name,
                          const std::string& alternative_names, long begins, long ends,
                          const Certificate* by);

  Key key_;
  X509Pointer certificate_;
};

}  // namespace rollcall
