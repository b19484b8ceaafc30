// Replaces getaddrinfo(), with which libcurl looks up host names, in the test program. Lookups of
// "slow.test" wait until a test ends them; "fast.test" is 127.0.0.1. The system looks up all
// others.
#pragma once

namespace rollcall {

// One at a time. A test waits until its lookups have begun before it ends them: if one succeeds,
// libcurl does not wait for the threads of the others, which would begin them in a later test.
class SlowDns {
 public:
  enum class Result { kLoopback, kUnknownHost };

  SlowDns();
  // Ends the lookups of slow.test and waits until all have returned.
  ~SlowDns();
  SlowDns(const SlowDns&) = delete;
  SlowDns& operator=(const SlowDns&) = delete;

  // Waits until this many lookups of slow.test have begun. False if they do not within a minute.
  bool WaitUntilBegun(int lookups) const;

  // Lookups of slow.test wait, as at first.
  void Hold();
  // Ends the lookups of slow.test, and later ones at once.
  void End(Result result);

  // Lookups of slow.test: all so far, those that have not returned, and the most at a time.
  int begun() const;
  int running() const;
  int most() const;
};

}  // namespace rollcall
