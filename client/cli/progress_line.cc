#include "client/cli/progress_line.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace rollcall {
namespace {

constexpr absl::string_view kClearToEnd = "\x1b[K";

}  // namespace

std::string ResumedText(int64_t resumed) {
  return resumed == 1 ? "resumed once" : absl::StrCat("resumed ", resumed, " times");
}

void ProgressLine::Update(int64_t participants, int64_t resumed, Time now) {
  if (now < next_) return;
  next_ = now + std::chrono::milliseconds(200);
  shown_ = true;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  std::string line = absl::StrFormat("\r%d %s, %.0f a second", participants,
                                     participants == 1 ? "participant" : "participants",
                                     static_cast<double>(participants) / seconds);
  if (resumed > 0) absl::StrAppend(&line, ", ", ResumedText(resumed));
  absl::StrAppend(&line, kClearToEnd);
  terminal_.Write(line);
}

void ProgressLine::Clear() {
  if (!shown_) return;
  shown_ = false;
  terminal_.Write(absl::StrCat("\r", kClearToEnd));
}

}  // namespace rollcall
