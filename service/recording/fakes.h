// Pseudorandom bytes that replace a text: the same text always gets the same bytes, which do not
// reveal it. They are HMAC-SHA-256 with a random key that this process generates and never stores.
// Values are immutable, so any thread may use them.
#pragma once

#include <openssl/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace rollcall::service {

class Fakes {
 public:
  static constexpr size_t kSize = 32;
  using Key = std::array<uint8_t, kSize>;

  // Throws if OpenSSL has no HMAC-SHA-256.
  explicit Fakes(const Key& key);

  // A random key. Throws if OpenSSL has no random numbers.
  static Key RandomKey();

  // The infinite bytes of one text. Must not outlive the fakes.
  class Stream {
   public:
    uint32_t NextByte();

   private:
    friend class Fakes;
    Stream(const Fakes& fakes, const Key& seed) : fakes_(&fakes), seed_(seed), block_(seed) {}

    const Fakes* fakes_;
    Key seed_;
    Key block_;          // the first block is the seed
    uint32_t used_ = 0;  // bytes of all blocks so far
  };
  Stream Of(std::u32string_view text) const;

 private:
  struct Free {
    void operator()(EVP_MAC_CTX* context) const;
  };
  using Context = std::unique_ptr<EVP_MAC_CTX, Free>;

  Key Hash(const void* bytes, size_t size) const;

  // An HMAC context with the key. Each hash uses a copy: setting the key takes longer.
  const Context keyed_;
};

}  // namespace rollcall::service
