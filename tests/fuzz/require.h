// How a fuzz target says that what it fuzzes broke a promise. Used by all of them; libFuzzer then
// keeps the input.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace rollcall {

// Ends the process unless `kept`. `promise` says what must be true.
inline void Require(bool kept, const char* promise) {
  if (kept) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

}  // namespace rollcall
