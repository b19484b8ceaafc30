// What tests need to judge how much memory rollcalld takes.
#pragma once

#include <chrono>
#include <thread>

namespace rollcall {

// Sanitizers keep freed memory, to notice who still uses it, so a process that runs with one only
// grows.
#ifdef ROLLCALL_SANITIZED
inline constexpr bool kMemoryIsGivenBack = false;
#else
inline constexpr bool kMemoryIsGivenBack = true;
#endif

// Waits until `value` has stood still for a while, and returns it.
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
