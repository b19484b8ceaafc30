// When batches change threads, and that no message is lost, reordered or written twice.
#include "service/rpc/send_queue.h"

#include <gmock/gmock.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace rollcall::service {
namespace {

using ::testing::ElementsAre;
using Batch = SendQueue::Batch;

// A message with a string in field 1; 2 bytes longer than the string.
void Add(SendQueue& queue, const std::string& text) {
  queue.writer().WriteBytes(LengthDelimitedTag(1), text);
  queue.EndMessage();
}

// The strings of a batch's messages.
std::vector<std::string> TextsOf(const Batch& batch) {
  std::vector<std::string> texts;
  size_t begin = 0;
  for (const size_t end : batch.ends) {
    texts.push_back(batch.messages.substr(begin + 2, end - begin - 2));
    begin = end;
  }
  EXPECT_EQ(begin, batch.messages.size());
  return texts;
}

TEST(SendQueue, GivesMessagesToAnIdleWriter) {
  SendQueue queue(100);
  EXPECT_FALSE(queue.Flush());
  Add(queue, "a");
  Add(queue, "bc");
  EXPECT_EQ(queue.bytes(), 0U);
  EXPECT_FALSE(queue.is_writing());

  const std::optional<Batch> batch = queue.Flush();
  ASSERT_TRUE(batch);
  EXPECT_THAT(TextsOf(*batch), ElementsAre("a", "bc"));
  EXPECT_EQ(queue.bytes(), 7U);
  EXPECT_TRUE(queue.is_writing());

  const SendQueue::Next next = queue.OnWritten();
  EXPECT_FALSE(next.batch);
  EXPECT_FALSE(next.resume_producer);
  EXPECT_FALSE(next.is_drained);
  EXPECT_EQ(queue.bytes(), 0U);
  EXPECT_FALSE(queue.is_writing());
}

TEST(SendQueue, KeepsMessagesForABusyWriter) {
  SendQueue queue(100);
  Add(queue, "a");
  ASSERT_TRUE(queue.Flush());
  Add(queue, "b");
  EXPECT_FALSE(queue.Flush());
  Add(queue, "c");
  EXPECT_FALSE(queue.Flush());

  SendQueue::Next next = queue.OnWritten();
  ASSERT_TRUE(next.batch);
  EXPECT_THAT(TextsOf(*next.batch), ElementsAre("b"));
  EXPECT_TRUE(queue.is_writing());
  next = queue.OnWritten();
  ASSERT_TRUE(next.batch);
  EXPECT_THAT(TextsOf(*next.batch), ElementsAre("c"));
  EXPECT_FALSE(queue.OnWritten().batch);
}

TEST(SendQueue, CountsAllBytesThatAreNotWritten) {
  SendQueue queue(10);
  Add(queue, "1234");  // 6 bytes
  EXPECT_TRUE(queue.HasRoom());
  Add(queue, "12");  // 10
  EXPECT_FALSE(queue.HasRoom());
  ASSERT_TRUE(queue.Flush());
  EXPECT_FALSE(queue.HasRoom());
  EXPECT_EQ(queue.bytes(), 10U);
  queue.OnWritten();
  EXPECT_TRUE(queue.HasRoom());
}

TEST(SendQueue, TakesAMessageThatIsLargerThanItself) {
  SendQueue queue(10);
  EXPECT_TRUE(queue.HasRoom());
  Add(queue, std::string(20, 'x'));
  EXPECT_FALSE(queue.HasRoom());
  ASSERT_TRUE(queue.Flush());
  EXPECT_TRUE(queue.WaitForRoom());
  EXPECT_TRUE(queue.OnWritten().resume_producer);
}

TEST(SendQueue, AsksForAFlushWhenItIsHalfFull) {
  SendQueue queue(10);
  Add(queue, "12");
  EXPECT_FALSE(queue.should_flush());
  Add(queue, "");
  EXPECT_TRUE(queue.should_flush());  // 6
}

TEST(SendQueue, ResumesTheProducerWhenItIsHalfEmpty) {
  SendQueue queue(10);
  Add(queue, "1");  // 3
  ASSERT_TRUE(queue.Flush());
  Add(queue, "1234");  // 6
  EXPECT_FALSE(queue.Flush());
  Add(queue, "1");  // 3
  EXPECT_FALSE(queue.Flush());
  EXPECT_TRUE(queue.WaitForRoom());

  EXPECT_FALSE(queue.OnWritten().resume_producer);  // 9 left
  EXPECT_TRUE(queue.OnWritten().resume_producer);   // 3 left
  EXPECT_FALSE(queue.OnWritten().resume_producer);  // once
}

TEST(SendQueue, DoesNotWaitForRoomThatThereIs) {
  SendQueue queue(10);
  Add(queue, "12345678");
  ASSERT_TRUE(queue.Flush());
  EXPECT_FALSE(queue.HasRoom());
  queue.OnWritten();  // meanwhile
  EXPECT_FALSE(queue.WaitForRoom());
}

TEST(SendQueue, WaitsForTheWriterWhileABatchIsReady) {
  SendQueue queue(100);
  EXPECT_FALSE(queue.WaitForWriter());
  Add(queue, "a");
  ASSERT_TRUE(queue.Flush());
  EXPECT_FALSE(queue.WaitForWriter());  // it would be idle soon
  Add(queue, "b");
  EXPECT_FALSE(queue.Flush());
  EXPECT_TRUE(queue.WaitForWriter());

  const SendQueue::Next next = queue.OnWritten();
  EXPECT_TRUE(next.batch);
  EXPECT_TRUE(next.resume_producer);
  EXPECT_FALSE(queue.WaitForWriter());
  EXPECT_FALSE(queue.OnWritten().resume_producer);
}

TEST(SendQueue, ResumesTheProducerWithTheLastReadyBatch) {
  SendQueue queue(100);
  Add(queue, "a");
  ASSERT_TRUE(queue.Flush());
  for (const char* text : {"b", "c"}) {
    Add(queue, text);
    EXPECT_FALSE(queue.Flush());
  }
  EXPECT_TRUE(queue.WaitForWriter());
  EXPECT_FALSE(queue.OnWritten().resume_producer);  // "c" is ready
  EXPECT_TRUE(queue.OnWritten().resume_producer);
}

TEST(SendQueue, DoesNotResumeAProducerThatHasFlushed) {
  SendQueue queue(100);
  Add(queue, "a");
  ASSERT_TRUE(queue.Flush());
  Add(queue, "b");
  EXPECT_FALSE(queue.Flush());
  EXPECT_TRUE(queue.WaitForWriter());
  Add(queue, "c");
  EXPECT_FALSE(queue.Flush());
  EXPECT_FALSE(queue.OnWritten().resume_producer);
  EXPECT_FALSE(queue.OnWritten().resume_producer);
}

TEST(SendQueue, DoesNotResumeTheProducerAfterAFailedWrite) {
  SendQueue queue(100);
  Add(queue, "a");
  ASSERT_TRUE(queue.Flush());
  Add(queue, "b");
  EXPECT_FALSE(queue.Flush());
  EXPECT_TRUE(queue.WaitForWriter());
  EXPECT_FALSE(queue.OnWriteFailed().resume_producer);
}

TEST(SendQueue, IsDrainedAtOnceWhenTheWriterIsIdle) {
  SendQueue queue(10);
  EXPECT_TRUE(queue.Close());
}

TEST(SendQueue, IsDrainedAfterTheLastBatch) {
  SendQueue queue(100);
  Add(queue, "a");
  ASSERT_TRUE(queue.Flush());
  Add(queue, "b");
  EXPECT_FALSE(queue.Flush());
  EXPECT_FALSE(queue.Close());
  SendQueue::Next next = queue.OnWritten();
  EXPECT_TRUE(next.batch);
  EXPECT_FALSE(next.is_drained);
  next = queue.OnWritten();
  EXPECT_FALSE(next.batch);
  EXPECT_TRUE(next.is_drained);
}

TEST(SendQueue, DropsEverythingWhenAWriteFails) {
  SendQueue queue(10);
  Add(queue, "1");
  ASSERT_TRUE(queue.Flush());
  Add(queue, "12345678");
  EXPECT_FALSE(queue.Flush());
  EXPECT_TRUE(queue.WaitForRoom());

  const SendQueue::Next next = queue.OnWriteFailed();
  EXPECT_FALSE(next.batch);
  EXPECT_FALSE(next.resume_producer);
  EXPECT_FALSE(next.is_drained);
  EXPECT_EQ(queue.bytes(), 0U);
  EXPECT_FALSE(queue.is_writing());

  EXPECT_FALSE(queue.HasRoom());
  EXPECT_TRUE(queue.WaitForRoom());
  Add(queue, "x");
  EXPECT_FALSE(queue.Flush());
  EXPECT_EQ(queue.bytes(), 0U);
  EXPECT_TRUE(queue.Close());
}

TEST(SendQueue, IsDrainedWhenTheLastWriteFails) {
  SendQueue queue(10);
  Add(queue, "1");
  ASSERT_TRUE(queue.Flush());
  Add(queue, "2");
  EXPECT_FALSE(queue.Flush());
  EXPECT_FALSE(queue.Close());
  EXPECT_TRUE(queue.OnWriteFailed().is_drained);
}

// A producer and a writer as in a call: the producer's thread starts to write when the writer is
// idle.
TEST(SendQueue, DeliversEveryMessageOnceAndInOrderBetweenThreads) {
  constexpr int kMessages = 20000;
  SendQueue queue(64);
  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by mutex.
  std::optional<Batch> to_write;
  bool may_resume = false;
  bool drained = false;

  std::vector<std::string> written;
  std::thread writer([&] {
    while (true) {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return to_write || drained; });
      if (!to_write) return;
      Batch batch = *std::exchange(to_write, std::nullopt);
      lock.unlock();
      while (true) {
        for (const std::string& text : TextsOf(batch)) written.push_back(text);
        SendQueue::Next next = queue.OnWritten();
        if (next.resume_producer || next.is_drained) {
          lock.lock();
          may_resume = may_resume || next.resume_producer;
          drained = next.is_drained;
          lock.unlock();
          changed.notify_all();
        }
        if (!next.batch) break;
        batch = *std::move(next.batch);
      }
    }
  });
  const auto flush = [&] {
    if (auto batch = queue.Flush()) {
      const std::lock_guard lock(mutex);
      to_write = std::move(batch);
      changed.notify_all();
    }
  };
  for (int i = 0; i < kMessages; ++i) {
    if (!queue.HasRoom()) {
      flush();
      if (queue.WaitForRoom()) {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return may_resume; });
        may_resume = false;
      }
    }
    Add(queue, std::to_string(i));
    if (queue.should_flush() || i % 7 == 0) flush();
  }
  flush();
  if (queue.Close()) {
    const std::lock_guard lock(mutex);
    drained = true;
    changed.notify_all();
  }
  writer.join();
  ASSERT_EQ(written.size(), size_t{kMessages});
  for (int i = 0; i < kMessages; ++i) ASSERT_EQ(written[i], std::to_string(i));
}

}  // namespace
}  // namespace rollcall::service
