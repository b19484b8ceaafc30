// How many connections a caller may hold, and whose idle prefetch is given up first.
#include "service/upstream/connection_shares.h"

#include <gtest/gtest.h>

#include <string>

namespace rollcall::service {
namespace {

class ConnectionSharesTest : public ::testing::Test {
 protected:
  // How many connections the caller gets now.
  int Take(const std::string& caller) {
    int taken = 0;
    for (; shares_.HasRoom(caller); ++taken) shares_.Add(caller);
    return taken;
  }

  ConnectionShares<int> shares_{200};
  int prefetches_[4] = {};
};

TEST_F(ConnectionSharesTest, EachFurtherCallerFindsConnections) {
  EXPECT_EQ(Take("a"), 160);
  EXPECT_EQ(Take("b"), 32);
  EXPECT_EQ(Take("c"), 7);
  EXPECT_EQ(Take("d"), 1);
  EXPECT_EQ(Take("e"), 0);
  shares_.Remove("a");
  EXPECT_FALSE(shares_.HasRoom("a"));
  EXPECT_EQ(Take("e"), 1);
}

TEST_F(ConnectionSharesTest, OneConnectionIsEnough) {
  ConnectionShares<int> one(1);
  EXPECT_TRUE(one.HasRoom("a"));
  EXPECT_TRUE(one.HasRoomForPrefetch("a"));
  one.Add("a");
  EXPECT_FALSE(one.HasRoom("b"));
  one.Add("b");  // a probe
  one.Remove("a");
  EXPECT_FALSE(one.HasRoom("a"));
  one.Remove("b");
  EXPECT_TRUE(one.HasRoom("a"));
}

TEST_F(ConnectionSharesTest, PrefetchesTakeHalf) {
  int taken = 0;
  for (; shares_.HasRoomForPrefetch("a"); ++taken) shares_.Add("a");
  EXPECT_EQ(taken, 100);
  EXPECT_TRUE(shares_.HasRoom("a"));
}

TEST_F(ConnectionSharesTest, GivesUpTheOldestPrefetchOfTheLargestHolder) {
  EXPECT_EQ(shares_.IdleOfLargestHolder(), nullptr);
  for (int i = 0; i < 2; ++i) shares_.Add("small");
  for (int i = 0; i < 3; ++i) shares_.Add("large");
  for (int i = 0; i < 4; ++i) shares_.Add("without prefetches");
  shares_.AddIdle("small", &prefetches_[0]);
  shares_.AddIdle("large", &prefetches_[1]);
  shares_.AddIdle("large", &prefetches_[2]);
  EXPECT_EQ(shares_.IdleOfLargestHolder(), &prefetches_[1]);
  shares_.RemoveIdle("large", &prefetches_[1]);
  EXPECT_EQ(shares_.IdleOfLargestHolder(), &prefetches_[2]);
  shares_.RemoveIdle("large", &prefetches_[2]);
  EXPECT_EQ(shares_.IdleOfLargestHolder(), &prefetches_[0]);
  shares_.RemoveIdle("small", &prefetches_[0]);
  EXPECT_EQ(shares_.IdleOfLargestHolder(), nullptr);
}

}  // namespace
}  // namespace rollcall::service
