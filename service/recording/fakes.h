// Random bytes that stand for a text: the same ones each time for the same text, and of no use to
// whoever would know the text. They come from HMAC-SHA-256 with a key that this process makes and
// nobody keeps. Used by the redactor, on the threads of the event loops; values are immutable, so
// any thread may use them.
#pragma once

#include <openssl/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace rollcall {

class Fakes {
 public:
  static constexpr size_t kSize = 32;
  using Key = std::array<uint8_t, kSize>;

  // Throws where OpenSSL has no HMAC-SHA-256.
  explicit Fakes(const Key& key);

  // A key that nobody has. Throws where there are no random numbers.
  static Key RandomKey();

  // The bytes of one text, without end. Must not outlive the fakes.
  class Stream {
   public:
    uint32_t NextByte();

   private:
    friend class Fakes;
    Stream(const Fakes& fakes, const Key& seed) : fakes_(&fakes), seed_(seed), block_(seed) {}

    const Fakes* fakes_;
    Key seed_;
    Key block_;          // the first one is the seed
    uint32_t used_ = 0;  // of all blocks
  };
  Stream Of(std::u32string_view text) const;

 private:
  struct Free {
    void operator()(EVP_MAC_CTX* context) const;
  };
  using Context = std::unique_ptr<EVP_MAC_CTX, Free>;

  Key Hash(const void* bytes, size_t size) const;

  // HMAC begun with the key. Each hash is made with a copy, since to begin anew takes longer.
  const Context keyed_;
};

}  // namespace rollcall
