// How a fuzz target reports a violated property; libFuzzer then saves the input.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace rollcall::service {

// Aborts unless `kept`. `promise` states the property.
inline void Require(bool kept, const char* promise) {
  if (kept) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

}  // namespace rollcall::service
