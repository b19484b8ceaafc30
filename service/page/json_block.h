// Sixty-four bytes of JSON at a glance: where the bytes stand that say what is inside a string and
// how deep a value is nested. Used by the page reader, to pass over records without looking at each
// byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace rollcall {

// Bit i is byte i.
struct JsonBlock {
  static constexpr size_t kSize = 64;

  uint64_t quotes = 0;
  uint64_t backslashes = 0;
  uint64_t opens = 0;   // { and [
  uint64_t closes = 0;  // } and ]

  bool operator==(const JsonBlock&) const = default;
};

// On any machine. `bytes` are JsonBlock::kSize.
inline JsonBlock ScanBlockBytewise(const char* bytes) {
  JsonBlock block;
  for (size_t i = 0; i < JsonBlock::kSize; ++i) {
    const char c = bytes[i];
    // Brackets differ from braces in this one bit.
    const int brace = c | 0x20;
    block.quotes |= uint64_t{c == '"'} << i;
    block.backslashes |= uint64_t{c == '\\'} << i;
    block.opens |= uint64_t{brace == '{'} << i;
    block.closes |= uint64_t{brace == '}'} << i;
  }
  return block;
}

#if defined(__SSE2__)

// Sixteen bytes at a time, by what every x86-64 has.
inline JsonBlock ScanBlock(const char* bytes) {
  const auto bits = [](__m128i equal) {
    return static_cast<uint64_t>(static_cast<uint32_t>(_mm_movemask_epi8(equal)));
  };
  JsonBlock block;
  for (size_t i = 0; i < JsonBlock::kSize; i += 16) {
    __m128i chunk;
    std::memcpy(&chunk, bytes + i, sizeof(chunk));
    const __m128i braces = _mm_or_si128(chunk, _mm_set1_epi8(0x20));
    block.quotes |= bits(_mm_cmpeq_epi8(chunk, _mm_set1_epi8('"'))) << i;
    block.backslashes |= bits(_mm_cmpeq_epi8(chunk, _mm_set1_epi8('\\'))) << i;
    block.opens |= bits(_mm_cmpeq_epi8(braces, _mm_set1_epi8('{'))) << i;
    block.closes |= bits(_mm_cmpeq_epi8(braces, _mm_set1_epi8('}'))) << i;
  }
  return block;
}

#else

inline JsonBlock ScanBlock(const char* bytes) { return ScanBlockBytewise(bytes); }

#endif

}  // namespace rollcall
