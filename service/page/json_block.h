// Scans JSON in blocks of 64 bytes for the bytes that delimit strings, objects and arrays. A reader
// can then skip a record without examining each byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace rollcall::service {

// One bitmap per class of bytes. Bit i stands for byte i of the block.
struct JsonBlock {
  static constexpr size_t kSize = 64;

  uint64_t quotes = 0;
  uint64_t backslashes = 0;
  uint64_t opens = 0;   // { and [
  uint64_t closes = 0;  // } and ]

  bool operator==(const JsonBlock&) const = default;
};

// Portable version, eight bytes at a time. `bytes` points to JsonBlock::kSize bytes.
inline JsonBlock ScanBlockByWords(const char* bytes) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kSevenBits = 0x7F * kOnes;
  // Bit i of the result is set if byte i of `word`, counted from the lowest, equals `c`.
  const auto equal = [](uint64_t word, char c) {
    const uint64_t difference = word ^ (kOnes * static_cast<unsigned char>(c));
    // Sets the highest bit of each byte that is zero.
    const uint64_t zero = ~(((difference & kSevenBits) + kSevenBits) | difference | kSevenBits);
    return ((zero >> 7) * 0x0102040810204080) >> 56;
  };
  JsonBlock block;
  for (size_t i = 0; i < JsonBlock::kSize; i += 8) {
    uint64_t word = 0;
    for (size_t j = 0; j < 8; ++j) {
      word |= uint64_t{static_cast<unsigned char>(bytes[i + j])} << (8 * j);
    }
    // Maps brackets to braces, which differ in this bit.
    const uint64_t braces = word | (kOnes * 0x20);
    block.quotes |= equal(word, '"') << i;
    block.backslashes |= equal(word, '\\') << i;
    block.opens |= equal(braces, '{') << i;
    block.closes |= equal(braces, '}') << i;
  }
  return block;
}

#if defined(__SSE2__)

// Sixteen bytes at a time with SSE2, which every x86-64 CPU has.
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

inline JsonBlock ScanBlock(const char* bytes) { return ScanBlockByWords(bytes); }

#endif

}  // namespace rollcall::service
