// A real nginx of a test's own, as the TLS front of a provider: it passes every request on to the
// provider simulator, byte for byte as it comes, and adds the headers Client-Connection, a number,
// and Client-Protocol, "HTTP/1.1" or "HTTP/2.0". It runs as a process in a folder of its own, with
// nothing of what the machine's nginx may be set up for, and is ended when destroyed.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <set>
#include <string>

#include "tests/end_to_end/certificate.h"

namespace rollcall {

class Nginx {
 public:
  // Starts it in front of `provider`, "http://HOST:PORT", on a free port, and waits until it
  // listens.
  // `tls` is what it speaks, in nginx's own words.
  Nginx(const std::string& provider, const Certificate& certificate, bool http2,
        const std::string& tls = "TLSv1.2 TLSv1.3");
  ~Nginx();
  Nginx(const Nginx&) = delete;
  Nginx& operator=(const Nginx&) = delete;

  // "https://localhost:PORT".
  std::string url() const;

  // Ends it at once, as a crash does.
  void Kill();

  // Starts it again after Kill() or Quit(), on the same port.
  void Start();

  // Begins to end it, and returns when it has begun: it takes no new connections or requests, while
  // those that are under way go on. Wait() returns when they are done.
  void Quit();
  void Wait();

  // Goes on with new worker processes, and returns when the old ones have begun to end as by
  // Quit().
  void Reload();

  // Puts a file into its folder, to be there as long as this, and returns its path.
  std::string KeepFile(const std::string& name, const std::string& text) const;

 private:
  bool TryToStart();
  void WriteConfiguration() const;
  std::set<pid_t> Workers() const;
  void SignalAndWaitForWorkersToEnd(int signal) const;

  const std::string provider_;
  const bool http2_;
  const std::string tls_;
  const std::filesystem::path folder_;
  int port_ = 0;
  pid_t pid_ = -1;  // -1 while it does not run
};

}  // namespace rollcall
