#include "service/page/json_block.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

namespace rollcall::service {
namespace {

TEST(JsonBlock, ClassifiesEveryByte) {
  for (int byte = 0; byte < 256; ++byte) {
    std::array<char, JsonBlock::kSize> bytes{};
    bytes[37] = static_cast<char>(byte);
    const uint64_t there = uint64_t{1} << 37;
    JsonBlock expected;
    if (byte == '"') expected.quotes = there;
    if (byte == '\\') expected.backslashes = there;
    if (byte == '{' || byte == '[') expected.opens = there;
    if (byte == '}' || byte == ']') expected.closes = there;
    EXPECT_EQ(ScanBlock(bytes.data()), expected) << byte;
    EXPECT_EQ(ScanBlockByWords(bytes.data()), expected) << byte;
  }
}

TEST(JsonBlock, VectorAndPortableVersionsAgree) {
  std::mt19937_64 random(1);
  constexpr char kBytes[] = "\"\\{}[]a;Z=|\x02\xA2\xDC\xFB";
  for (int i = 0; i < 10000; ++i) {
    std::array<char, JsonBlock::kSize> bytes;
    for (char& byte : bytes) byte = kBytes[random() % sizeof(kBytes)];
    ASSERT_EQ(ScanBlock(bytes.data()), ScanBlockByWords(bytes.data())) << "block " << i;
  }
}

}  // namespace
}  // namespace rollcall::service
