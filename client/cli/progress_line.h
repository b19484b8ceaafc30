#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "client/cli/output_file.h"

namespace rollcall {

// "resumed once", "resumed 3 times". For the progress line and for the summary of a list.
std::string ResumedText(int64_t resumed);

// The line on standard error that says how far a list has got while its participants go to a file
// or another program. `RunCommand` makes one where standard error is a terminal and standard output
// is not. A list that ends within a second has none, so that what a program behind a pipe writes to
// the same terminal meanwhile is not written over. Main thread.
class ProgressLine {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // `terminal` must outlive this.
  ProgressLine(OutputFile& terminal, Time start)
      : terminal_(terminal), start_(start), next_(start + std::chrono::seconds(1)) {}

  // Shows `participants`, their rate, and how often the list was resumed: from a second after
  // `start` on, and then once in a fifth of a second at most.
  void Update(int64_t participants, int64_t resumed, Time now);

  // Leaves the line empty and the cursor at its beginning.
  void Clear();

 private:
  OutputFile& terminal_;
  const Time start_;
  Time next_;
  bool shown_ = false;
};

}  // namespace rollcall
