// Helpers to measure rollcalld's memory.
#pragma once

#include <chrono>
#include <thread>

namespace rollcall {

// Sanitizers keep freed memory to detect its use, so a process with a sanitizer only grows.
#ifdef ROLLCALL_SANITIZED
inline constexpr bool kMemoryIsGivenBack = false;
#else
inline constexpr bool kMemoryIsGivenBack = true;
#endif

// Waits until `value` has not changed for a while, and returns it.
template <class Value>
auto WhenSteady(const Value& value) {
  auto last = value();
  for (int steady = 0; steady < 10;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const auto now = value();
    steady = now == last ? steady + 1 : 0;
    last = now;
  }
  return last;
}

}  // namespace rollcall
