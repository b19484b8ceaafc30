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
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

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
  if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("no folder for nginx");
  return path;
}

// Looks again and again, since nginx tells nobody when it has done something.
void WaitUntil(const std::function<bool()>& condition) {
  while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
}

}  // namespace

Nginx::Nginx(const std::string& provider, const Certificate& certificate, bool http2)
    : provider_(provider), http2_(http2), folder_(NewFolder()) {
  std::ofstream(folder_ / "certificate.pem") << certificate.certificate();
  std::ofstream(folder_ / "key.pem") << certificate.key();
  for (int tries = 0; pid_ < 0; ++tries) {
    if (tries == kPortsToTry) throw std::runtime_error("nginx cannot be started");
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
  // As root, workers would become somebody who may not enter the folder.
  if (geteuid() == 0) file << "user root;\n";
  file << R"(
daemon off;
worker_processes 1;
pid nginx.pid;
error_log error.log;
events { worker_connections 1024; }
http {
  log_format short "$connection $server_protocol";
  access_log access.log short;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  keepalive_requests 100000;
  ssl_certificate certificate.pem;
  ssl_certificate_key key.pem;
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
    }
  }
}
)";
}

// Leaves pid_ at -1 where nginx ends rather than listens.
bool Nginx::TryToStart() {
  WriteConfiguration();
  const std::filesystem::path pid_file = folder_ / "nginx.pid";
  std::filesystem::remove(pid_file);
  // When its first process is killed, the others become ours, so that Kill() can wait for them.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  std::string folder = folder_.string();
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    setpgid(0, 0);
    // Not left behind by a test that crashes.
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(127);
    const int output = open((folder_ / "output").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execlp("nginx", "nginx", "-p", folder.c_str(), "-c", "nginx.conf", "-e", "error.log", nullptr);
    // Debian's place, which is not on everybody's PATH.
    execl("/usr/sbin/nginx", "nginx", "-p", folder.c_str(), "-c", "nginx.conf", "-e", "error.log",
          nullptr);
    _exit(127);
  }
  setpgid(pid_, pid_);  // whoever of the two comes first
  // It writes its pid when it listens.
  WaitUntil([&] {
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
    return pid_ < 0 || (std::filesystem::exists(pid_file) && std::filesystem::file_size(pid_file));
  });
  return pid_ > 0;
}

void Nginx::Start() {
  if (!TryToStart()) throw std::runtime_error("nginx cannot be started again");
}

void Nginx::Kill() {
  if (pid_ < 0) return;
  kill(-pid_, SIGKILL);
  Wait();
}

void Nginx::Quit() { kill(pid_, SIGQUIT); }

void Nginx::Wait() {
  while (waitpid(-pid_, nullptr, 0) > 0) {
  }
  pid_ = -1;
}

void Nginx::Reload() {
  // The processes of nginx are in its process group; the first of them is not a worker.
  const auto workers = [this] {
    std::set<std::string> found;
    std::ifstream file(absl::StrCat("/proc/", pid_, "/task/", pid_, "/children"));
    for (std::string pid; file >> pid;) found.insert(pid);
    return found;
  };
  const std::set<std::string> before = workers();
  kill(pid_, SIGHUP);
  WaitUntil([&] {
    for (const std::string& worker : workers()) {
      if (before.count(worker) == 0) return true;
    }
    return false;
  });
}

std::string Nginx::KeepFile(const std::string& name, const std::string& text) const {
  std::ofstream(folder_ / name) << text;
  return (folder_ / name).string();
}

std::set<std::string> Nginx::Logged(size_t column) const {
  std::set<std::string> values;
  std::ifstream file(folder_ / "access.log");
  for (std::string line; std::getline(file, line);) {
    values.insert(std::vector<std::string>(absl::StrSplit(line, ' ')).at(column));
  }
  return values;
}

std::set<std::string> Nginx::Protocols() const { return Logged(1); }

size_t Nginx::Connections() const { return Logged(0).size(); }

}  // namespace rollcall
