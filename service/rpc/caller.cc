#include "service/rpc/caller.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace rollcall::service {
namespace {

std::vector<std::string> Texts(const grpc::AuthContext& context, const char* property) {
  std::vector<std::string> texts;
  for (const grpc::string_ref& text : context.FindPropertyValues(property)) {
    texts.emplace_back(text.data(), text.size());
  }
  return texts;
}

}  // namespace

Credentials CredentialsOf(const grpc::ServerContextBase& context) {
  constexpr absl::string_view kBearer = "Bearer ";
  Credentials credentials;
  if (const std::shared_ptr<const grpc::AuthContext> peer = context.auth_context()) {
    credentials.uris = Texts(*peer, GRPC_PEER_URI_PROPERTY_NAME);
    credentials.dns_names = Texts(*peer, GRPC_PEER_DNS_PROPERTY_NAME);
    const std::vector<std::string> ids = Texts(*peer, GRPC_PEER_SPIFFE_ID_PROPERTY_NAME);
    if (ids.size() == 1) credentials.spiffe_id = ids.front();
  }
  const auto [first, last] = context.client_metadata().equal_range("authorization");
  if (first == last) return credentials;
  const absl::string_view value(first->second.data(), first->second.size());
  const bool is_token = std::next(first) == last && absl::StartsWithIgnoreCase(value, kBearer);
  credentials.token.emplace(is_token ? value.substr(kBearer.size()) : absl::string_view());
  return credentials;
}

bool HasValidCertificate(const grpc::ServerContextBase& context) {
  const std::shared_ptr<const grpc::AuthContext> peer = context.auth_context();
  if (peer == nullptr) return true;
  for (const std::string& pem : Texts(*peer, GRPC_X509_PEM_CERT_PROPERTY_NAME)) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free);
    if (certificate == nullptr ||
        X509_cmp_current_time(X509_get0_notBefore(certificate.get())) > 0 ||
        X509_cmp_current_time(X509_get0_notAfter(certificate.get())) < 0) {
      return false;
    }
  }
  return true;
}

std::string NameOf(const Credentials& credentials, const grpc::ServerContextBase& context) {
  if (!credentials.uris.empty()) return credentials.uris.front();
  if (!credentials.dns_names.empty()) return credentials.dns_names.front();
  std::string peer = context.peer();
  peer.resize(std::min(peer.size(), peer.rfind(':')));
  return peer;
}

}  // namespace rollcall::service
