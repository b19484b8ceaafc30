#include "service/recording/fakes.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

namespace rollcall::service {

namespace {

[[noreturn]] void ThrowNoHmac() { throw std::runtime_error("OpenSSL has no HMAC-SHA-256"); }

EVP_MAC_CTX* BeginHmac(const Fakes::Key& key) {
  EVP_MAC* const hmac = EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr);
  if (hmac == nullptr) ThrowNoHmac();
  EVP_MAC_CTX* const context = EVP_MAC_CTX_new(hmac);
  EVP_MAC_free(hmac);
  char digest[] = OSSL_DIGEST_NAME_SHA2_256;
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  if (context == nullptr || EVP_MAC_init(context, key.data(), key.size(), parameters) != 1) {
    EVP_MAC_CTX_free(context);
    ThrowNoHmac();
  }
  return context;
}

}  // namespace

void Fakes::Free::operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }

Fakes::Fakes(const Key& key) : keyed_(BeginHmac(key)) {}

Fakes::Key Fakes::RandomKey() {
  Key key{};
  if (RAND_bytes(key.data(), key.size()) != 1) {
    throw std::runtime_error("OpenSSL has no random numbers");
  }
  return key;
}

Fakes::Stream Fakes::Of(std::u32string_view text) const {
  return {*this, Hash(text.data(), text.size() * sizeof(char32_t))};
}

uint32_t Fakes::Stream::NextByte() {
  const uint32_t at = used_++ % kSize;
  if (at == 0 && used_ > 1) {
    std::array<uint32_t, kSize / sizeof(uint32_t) + 1> text{used_};
    std::copy(seed_.begin(), seed_.end(), reinterpret_cast<uint8_t*>(text.data() + 1));
    block_ = fakes_->Hash(text.data(), sizeof(text));
  }
  return block_[at];
}

Fakes::Key Fakes::Hash(const void* bytes, size_t size) const {
  Key hash{};
  size_t length = 0;
  const Context hmac(EVP_MAC_CTX_dup(keyed_.get()));
  if (hmac == nullptr ||
      EVP_MAC_update(hmac.get(), static_cast<const unsigned char*>(bytes), size) != 1 ||
      EVP_MAC_final(hmac.get(), hash.data(), &length, hash.size()) != 1) {
    ThrowNoHmac();
  }
  return hash;
}

}  // namespace rollcall::service
