#include "service/recording/fakes.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

namespace rollcall {

Fakes::~Fakes() { OPENSSL_cleanse(key_.data(), key_.size()); }

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
  unsigned int length = 0;
  if (HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
           static_cast<const unsigned char*>(bytes), size, hash.data(), &length) == nullptr) {
    throw std::runtime_error("OpenSSL has no HMAC");
  }
  return hash;
}

}  // namespace rollcall
