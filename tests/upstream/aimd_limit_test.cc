// The limit of concurrent requests: additive increase, multiplicative decrease.
#include "service/upstream/aimd_limit.h"

#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

using std::chrono::milliseconds;

const AimdLimit::Time kStart = AimdLimit::Time() + std::chrono::hours(1);

TEST(AimdLimit, IsHalvedOncePerRound) {
  AimdLimit limit(100);
  EXPECT_EQ(limit.value(), 100);
  // A hundred requests were sent together, and each got a 429.
  for (int i = 0; i < 100; ++i) limit.OnTooMany(kStart, kStart + milliseconds(10 + i));
  EXPECT_EQ(limit.value(), 50);
  limit.OnTooMany(kStart + milliseconds(200), kStart + milliseconds(210));
  EXPECT_EQ(limit.value(), 25);
}

TEST(AimdLimit, IsAtLeastOne) {
  AimdLimit limit(3);
  for (int i = 0; i < 10; ++i) limit.OnTooMany(kStart + milliseconds(i), kStart + milliseconds(i));
  EXPECT_EQ(limit.value(), 1);
}

TEST(AimdLimit, GrowsByOnePerRoundUpToItsMaximum) {
  AimdLimit limit(20);
  limit.OnTooMany(kStart, kStart);
  ASSERT_EQ(limit.value(), 10);
  for (int expected = 11; expected <= 20; ++expected) {
    // One round raises the limit by slightly less than one; the next request completes it.
    for (int i = limit.value(); i > 0; --i) limit.OnServed(true);
    limit.OnServed(true);
    EXPECT_EQ(limit.value(), expected);
  }
  for (int i = 0; i < 1000; ++i) limit.OnServed(true);
  EXPECT_EQ(limit.value(), 20);
}

TEST(AimdLimit, DoesNotGrowWhileItIsNotReached) {
  AimdLimit limit(20);
  limit.OnTooMany(kStart, kStart);
  for (int i = 0; i < 1000; ++i) limit.OnServed(false);
  EXPECT_EQ(limit.value(), 10);
}

}  // namespace
}  // namespace rollcall::service
