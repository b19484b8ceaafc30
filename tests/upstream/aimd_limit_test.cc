// The number of requests at once: halved when the provider has too many, one more a round else.
#include "service/upstream/aimd_limit.h"

#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

using std::chrono::milliseconds;

const AimdLimit::Time kStart = AimdLimit::Time() + std::chrono::hours(1);

TEST(AimdLimit, IsHalvedOnceForAllRequestsOfOneRound) {
  AimdLimit limit(100);
  EXPECT_EQ(limit.value(), 100);
  // A hundred requests went out together, and all of them were too many.
  for (int i = 0; i < 100; ++i) limit.OnTooMany(kStart, kStart + milliseconds(10 + i));
  EXPECT_EQ(limit.value(), 50);
  limit.OnTooMany(kStart + milliseconds(200), kStart + milliseconds(210));
  EXPECT_EQ(limit.value(), 25);
}

TEST(AimdLimit, LeavesOne) {
  AimdLimit limit(3);
  for (int i = 0; i < 10; ++i) limit.OnTooMany(kStart + milliseconds(i), kStart + milliseconds(i));
  EXPECT_EQ(limit.value(), 1);
}

TEST(AimdLimit, GrowsByOneARoundUpToItsMaximum) {
  AimdLimit limit(20);
  limit.OnTooMany(kStart, kStart);
  ASSERT_EQ(limit.value(), 10);
  for (int expected = 11; expected <= 20; ++expected) {
    // A round at the present limit is not quite enough for one more, the next request is.
    for (int i = limit.value(); i > 0; --i) limit.OnServed(true);
    limit.OnServed(true);
    EXPECT_EQ(limit.value(), expected);
  }
  for (int i = 0; i < 1000; ++i) limit.OnServed(true);
  EXPECT_EQ(limit.value(), 20);
}

TEST(AimdLimit, DoesNotGrowWhileItIsNotUsed) {
  AimdLimit limit(20);
  limit.OnTooMany(kStart, kStart);
  for (int i = 0; i < 1000; ++i) limit.OnServed(false);
  EXPECT_EQ(limit.value(), 10);
}

}  // namespace
}  // namespace rollcall::service
