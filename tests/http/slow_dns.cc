#include "tests/http/slow_dns.h"

#include <dlfcn.h>
#include <netdb.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>

namespace rollcall {
namespace {

constexpr std::chrono::minutes kLimit{1};  // turns a hang into a failure

struct State {
  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by mutex.
  std::optional<SlowDns::Result> result;  // nullopt while lookups wait
  int begun = 0;
  int running = 0;
  int most = 0;
};

// Never destroyed, because libcurl's threads may outlive main().
State& Shared() {
  static State& state = *new State;
  return state;
}

SlowDns::Result WaitForResult() {
  State& state = Shared();
  std::unique_lock lock(state.mutex);
  ++state.begun;
  state.most = std::max(state.most, ++state.running);
  state.changed.notify_all();
  state.changed.wait_for(lock, kLimit, [&] { return state.result.has_value(); });
  --state.running;
  state.changed.notify_all();
  return state.result.value_or(SlowDns::Result::kUnknownHost);
}

}  // namespace

SlowDns::SlowDns() {
  State& state = Shared();
  const std::scoped_lock lock(state.mutex);
  state.result.reset();
  state.begun = state.most = 0;
}

SlowDns::~SlowDns() {
  End(Result::kUnknownHost);
  State& state = Shared();
  std::unique_lock lock(state.mutex);
  state.changed.wait(lock, [&] { return state.running == 0; });
}

bool SlowDns::WaitUntilBegun(int lookups) const {
  State& state = Shared();
  std::unique_lock lock(state.mutex);
  return state.changed.wait_for(lock, kLimit, [&] { return state.begun >= lookups; });
}

void SlowDns::Hold() {
  State& state = Shared();
  const std::scoped_lock lock(state.mutex);
  state.result.reset();
}

void SlowDns::End(Result result) {
  State& state = Shared();
  const std::scoped_lock lock(state.mutex);
  state.result = result;
  state.changed.notify_all();
}

int SlowDns::begun() const {
  State& state = Shared();
  const std::scoped_lock lock(state.mutex);
  return state.begun;
}

int SlowDns::running() const {
  State& state = Shared();
  const std::scoped_lock lock(state.mutex);
  return state.running;
}

int SlowDns::most() const {
  State& state = Shared();
  const std::scoped_lock lock(state.mutex);
  return state.most;
}

}  // namespace rollcall

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                           addrinfo** results) {
  static const auto system =
      reinterpret_cast<decltype(&getaddrinfo)>(dlsym(RTLD_NEXT, "getaddrinfo"));
  const auto is = [&](const char* host) { return node != nullptr && std::strcmp(node, host) == 0; };
  if (is("slow.test") && rollcall::WaitForResult() == rollcall::SlowDns::Result::kUnknownHost) {
    return EAI_NONAME;
  }
  const char* const host = is("slow.test") || is("fast.test") ? "127.0.0.1" : node;
  return system(host, service, hints, results);
}
