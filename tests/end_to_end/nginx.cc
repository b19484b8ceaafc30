#include "tests/end_to_end/nginx.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace rollcall {
namespace {

constexpr int kPortsToTry = 20;

// A port that was free a moment ago.
int FreePort() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  bind(socket, reinterpret_cast<sockaddr*>(&address), size);
  getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  close(socket);
  return ntohs(address.sin_port);
}

std::filesystem::path NewFolder() {
  std::string path = (std::filesystem::temp_directory_path() / "rollcall-nginx-XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("cannot create a folder for nginx");
  return path;
}

// Polls, because nginx does not signal when it has done something.
void WaitUntil(const std::function<bool()>& condition) {
  while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
}

}  // namespace

Nginx::Nginx(const std::string& provider, const Certificate& certificate, bool http2,
             const std::string& tls)
    : provider_(provider), http2_(http2), tls_(tls), folder_(NewFolder()) {
  std::ofstream(folder_ / "certificate.pem") << certificate.certificate();
  std::ofstream(folder_ / "key.pem") << certificate.key();
  for (int tries = 0; pid_ < 0; ++tries) {
    if (tries == kPortsToTry) throw std::runtime_error("cannot start nginx; is it installed?");
    port_ = FreePort();
    TryToStart();
  }
}

Nginx::~Nginx() {
  Kill();
  std::filesystem::remove_all(folder_);
}

std::string Nginx::url() const { return absl::StrCat("https://localhost:", port_); }

void Nginx::WriteConfiguration() const {
  std::ofstream file(folder_ / "nginx.conf");
  // As root, nginx would run its workers as a user without access to the folder.
  if (geteuid() == 0) file << "user root;\n";
  file << R"(
daemon off;
worker_processes 1;
pid nginx.pid;
error_log error.log;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  keepalive_requests 100000;
  ssl_certificate certificate.pem;
  ssl_certificate_key key.pem;
  ssl_protocols )"
       << tls_ << R"(;
  server {
    listen 127.0.0.1:)"
       << port_ << " ssl" << (http2_ ? " http2" : "") << R"(;
    location / {
      proxy_pass )"
       << provider_ << R"(;
      proxy_http_version 1.1;
      proxy_buffering off;
      proxy_next_upstream off;
      proxy_read_timeout 1h;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-Proto https;
      proxy_set_header Connection "";
      proxy_set_header Client-Connection $connection;
      proxy_set_header Client-Protocol $server_protocol;
    }
  }
}
)";
}

// Leaves pid_ at -1 if nginx exits instead of listening.
bool Nginx::TryToStart() {
  WriteConfiguration();
  const std::filesystem::path pid_file = folder_ / "nginx.pid";
  std::filesystem::remove(pid_file);
  // When the master process is killed, its workers become our children, so that Kill() can wait for
  // them.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  std::string folder = folder_.string();
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    setpgid(0, 0);
    // End nginx if the test crashes. The signal depends on the thread that forks, which here is the
    // test's main thread.
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(127);
    const int output = open((folder_ / "output").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execlp("nginx", "nginx", "-p", folder.c_str(), "-c", "nginx.conf", "-e", "error.log", nullptr);
    // Debian's path, which is not in every user's PATH.
    execl("/usr/sbin/nginx", "nginx", "-p", folder.c_str(), "-c", "nginx.conf", "-e", "error.log",
          nullptr);
    _exit(127);
  }
  setpgid(pid_, pid_);  // in both processes, because either may run first
  // nginx writes its pid once it listens.
  WaitUntil([&] {
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
    return pid_ < 0 || (std::filesystem::exists(pid_file) && std::filesystem::file_size(pid_file));
  });
  return pid_ > 0;
}

void Nginx::Start() {
  if (!TryToStart()) throw std::runtime_error("cannot start nginx again");
}

void Nginx::Kill() {
  if (pid_ < 0) return;
  kill(-pid_, SIGKILL);
  Wait();
}

void Nginx::Quit() { SignalAndWaitForWorkersToEnd(SIGQUIT); }

void Nginx::Wait() {
  while (waitpid(-pid_, nullptr, 0) > 0) {
  }
  pid_ = -1;
}

void Nginx::Reload() { SignalAndWaitForWorkersToEnd(SIGHUP); }

std::set<pid_t> Nginx::Workers() const {
  std::set<pid_t> workers;
  std::ifstream file(absl::StrCat("/proc/", pid_, "/task/", pid_, "/children"));
  for (pid_t worker; file >> worker;) workers.insert(worker);
  return workers;
}

void Nginx::SignalAndWaitForWorkersToEnd(int signal) const {
  WaitUntil([this] { return !Workers().empty(); });
  const std::set<pid_t> workers = Workers();
  kill(pid_, signal);
  // A worker first changes its title when it shuts down.
  WaitUntil([&workers] {
    for (const pid_t worker : workers) {
      std::ifstream file(absl::StrCat("/proc/", worker, "/cmdline"));
      std::string title;
      std::getline(file, title);
      if (!title.empty() && !absl::StrContains(title, "shutting down")) return false;
    }
    return true;
  });
}

std::string Nginx::KeepFile(const std::string& name, const std::string& text) const {
  std::ofstream(folder_ / name) << text;
  return (folder_ / name).string();
}

}  // namespace rollcall
