// TLS certificates of a test's own: an authority, and what it signs for servers.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace rollcall {

class Certificate {
 public:
  // An authority, signed by itself. A client tells authorities by their names.
  static Certificate Authority(const std::string& name = "Test authority");

  // What an authority signs for a server of this name. `begins` and `ends` are seconds from now.
  Certificate Sign(const std::string& dns_name, long begins = -3600, long ends = 3600) const;

  // The same for whom these names are of, in OpenSSL's form: "URI:spiffe://a/b,DNS:c".
  Certificate SignNames(const std::string& names, long begins = -3600, long ends = 3600) const;

  // What it signs for a server with an RSA key of so few bits that OpenSSL does not serve it.
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
