#include "service/log/log_value.h"

#include <gtest/gtest.h>

#include <string>

namespace rollcall::service {
namespace {

TEST(IdentifierTest, ReplacesControlCharactersAndCutsLongText) {
  EXPECT_EQ(Identifier("ipv6:%5B::1%5D").text(), "ipv6:%5B::1%5D");
  EXPECT_EQ(Identifier("spiffe://example.org/ns/a").text(), "spiffe://example.org/ns/a");
  EXPECT_EQ(Identifier("a b\n\x1b[2J\xC3\xA9\"<&>'").text(), "a?b??[2J???????");
  EXPECT_EQ(Identifier(std::string(1000, 'x')).text(), std::string(128, 'x'));
}

}  // namespace
}  // namespace rollcall::service
