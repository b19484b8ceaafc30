#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "client/cli/output_file.h"

namespace rollcall {

// "resumed once" or "resumed 3 times".
std::string ResumedText(int64_t resumed);

// A progress line on a terminal at standard error, for lists whose participants go to a file or
// another program. It is shown only after a second, so that a short list does not overwrite what
// the other program writes to the same terminal. Main thread.
class ProgressLine {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // `terminal` must outlive this.
  ProgressLine(OutputFile& terminal, Time start)
      : terminal_(terminal), start_(start), next_(start + std::chrono::seconds(1)) {}

  // Shows the number of participants, their rate, and how often the list was resumed. Starts one
  // second after `start`, and shows at most five updates per second.
  void Update(int64_t participants, int64_t resumed, Time now);

  // Clears the line and moves the cursor to its start.
  void Clear();

 private:
  OutputFile& terminal_;
  const Time start_;
  Time next_;
  bool shown_ = false;
};

}  // namespace rollcall
