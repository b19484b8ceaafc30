// Callers are served in turn, however many items each has.
#include "service/upstream/fair_queue.h"

#include <gmock/gmock.h>

#include <array>
#include <vector>

namespace rollcall::service {
namespace {

using ::testing::ElementsAre;

std::vector<int> PopAll(FairQueue<int>& queue) {
  std::vector<int> items;
  while (!queue.empty()) items.push_back(*queue.Pop());
  return items;
}

class FairQueueTest : public ::testing::Test {
 protected:
  std::array<int, 8> items_{0, 1, 2, 3, 4, 5, 6, 7};
  FairQueue<int> queue_;
};

TEST_F(FairQueueTest, ServesCallersInTurn) {
  for (int i = 0; i < 5; ++i) queue_.Push("much", &items_[i]);
  queue_.Push("little", &items_[5]);
  queue_.Push("some", &items_[6]);
  queue_.Push("some", &items_[7]);
  EXPECT_THAT(PopAll(queue_), ElementsAre(0, 5, 6, 1, 7, 2, 3, 4));
}

TEST_F(FairQueueTest, ReturningCallerIsServedAfterTheOthers) {
  queue_.Push("a", &items_[0]);
  queue_.Push("b", &items_[1]);
  EXPECT_EQ(*queue_.Pop(), 0);
  queue_.Push("a", &items_[2]);
  EXPECT_THAT(PopAll(queue_), ElementsAre(1, 2));
}

TEST_F(FairQueueTest, PopsOnlyForCallersThatMatch) {
  queue_.Push("a", &items_[0]);
  queue_.Push("b", &items_[1]);
  queue_.Push("b", &items_[2]);
  const auto is_b = [](const std::string& caller) { return caller == "b"; };
  EXPECT_EQ(queue_.PopIf(is_b), &items_[1]);
  EXPECT_EQ(queue_.PopIf(is_b), &items_[2]);
  EXPECT_EQ(queue_.PopIf(is_b), nullptr);
  EXPECT_EQ(queue_.size(), 1);
  EXPECT_THAT(PopAll(queue_), ElementsAre(0));
  EXPECT_EQ(queue_.PopIf(is_b), nullptr);
}

TEST_F(FairQueueTest, FindsTheLastItemOfACaller) {
  for (int i = 0; i < 4; ++i) queue_.Push("a", &items_[i]);
  const auto is_even = [](int item) { return item % 2 == 0; };
  EXPECT_EQ(queue_.FindLast("a", is_even), &items_[2]);
  EXPECT_EQ(queue_.FindLast("a", [](int) { return false; }), nullptr);
  EXPECT_EQ(queue_.FindLast("b", is_even), nullptr);
}

TEST_F(FairQueueTest, DoesNotServeRemovedItems) {
  for (int i = 0; i < 3; ++i) queue_.Push("a", &items_[i]);
  queue_.Push("b", &items_[3]);
  queue_.Remove("a", &items_[1]);
  queue_.Remove("b", &items_[3]);
  EXPECT_THAT(PopAll(queue_), ElementsAre(0, 2));
}

}  // namespace
}  // namespace rollcall::service
