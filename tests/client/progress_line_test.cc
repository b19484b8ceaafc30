#include "client/cli/progress_line.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace rollcall {
namespace {

TEST(ProgressLineTest, StartsAfterASecondAndUpdatesAtMostFiveTimesASecond) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  OutputFile terminal(ends[1]);
  const ProgressLine::Time start{};
  const auto at = [start](int milliseconds) {
    return start + std::chrono::milliseconds(milliseconds);
  };
  ProgressLine progress(terminal, start);
  progress.Clear();  // Nothing to clear yet.
  progress.Update(1, 0, at(10));
  progress.Update(1, 0, at(999));
  progress.Clear();  // Still nothing.
  progress.Update(1, 0, at(1000));
  progress.Update(2, 0, at(1199));
  progress.Update(300, 1, at(1200));
  progress.Update(4000, 2, at(2000));
  progress.Clear();
  progress.Clear();
  close(ends[1]);
  char buffer[1024];
  const ssize_t size = read(ends[0], buffer, sizeof(buffer));
  close(ends[0]);
  ASSERT_GT(size, 0);
  EXPECT_EQ(std::string(buffer, static_cast<size_t>(size)),
            "\r1 participant, 1 a second\x1b[K"
            "\r300 participants, 250 a second, resumed once\x1b[K"
            "\r4000 participants, 2000 a second, resumed 2 times\x1b[K"
            "\r\x1b[K");
}

}  // namespace
}  // namespace rollcall
