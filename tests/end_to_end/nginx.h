// Runs a real nginx as a provider's TLS front. It forwards every request unchanged to the provider
// simulator, and adds the headers Client-Connection (a number) and Client-Protocol ("HTTP/1.1" or
// "HTTP/2.0"). It runs as a process in its own folder, independent of the machine's nginx
// configuration, and stops when destroyed.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <set>
#include <string>

#include "tests/end_to_end/certificate.h"

namespace rollcall {

class Nginx {
 public:
  // Starts nginx in front of `provider`, "http://HOST:PORT", on a free port, and waits until it
  // listens. `tls` is the value of nginx's ssl_protocols.
  Nginx(const std::string& provider, const Certificate& certificate, bool http2,
        const std::string& tls = "TLSv1.2 TLSv1.3");
  ~Nginx();
  Nginx(const Nginx&) = delete;
  Nginx& operator=(const Nginx&) = delete;

  // "https://localhost:PORT".
  std::string url() const;

  // Kills it, like a crash.
  void Kill();

  // Starts it again after Kill() or Quit(), on the same port.
  void Start();

  // Starts a graceful shutdown: nginx accepts no new connections or requests, and completes running
  // ones. Returns once it has begun; Wait() returns when it is complete.
  void Quit();
  void Wait();

  // Replaces the worker processes. Returns once the old ones have begun to shut down as in Quit().
  void Reload();

  // Writes a file into its folder, and returns the path. The file lives as long as this object.
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
  pid_t pid_ = -1;  // -1 while nginx does not run
};

}  // namespace rollcall
