#include "tests/simulator/http_server.h"

#include <httplib.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <set>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace rollcall::simulator {
namespace {

constexpr short kGone = POLLRDHUP | POLLHUP | POLLERR;

// Lets cpp-httplib read and write a Connection.
class ConnectionStream : public httplib::Stream {
 public:
  explicit ConnectionStream(Connection* connection) : connection_(connection) {}

  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char* buffer, size_t size) override {
    return static_cast<ssize_t>(connection_->Receive(buffer, size));
  }
  ssize_t write(const char* bytes, size_t size) override {
    return connection_->Send(absl::string_view(bytes, size)) ? static_cast<ssize_t>(size) : -1;
  }
  // Nobody asks for addresses.
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return connection_->socket(); }

 private:
  Connection* const connection_;
};

// A held connection keeps its thread, so a pool of any size could be used up.
class ThreadPerConnection : public httplib::TaskQueue {
 public:
  void enqueue(std::function<void()> serve) override {
    std::lock_guard<std::mutex> lock(mutex_);
    ++running_;
    std::thread([this, serve = std::move(serve)] {
      serve();
      std::lock_guard<std::mutex> done_lock(mutex_);
      --running_;
      done_.notify_all();
    }).detach();
  }

  void shutdown() override {
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return running_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable done_;
  int running_ = 0;
};

}  // namespace

std::string Request::Header(absl::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (absl::EqualsIgnoreCase(key, name)) return value;
  }
  return "";
}

Connection::Connection(int socket, int send_buffer_bytes)
    : socket_(socket), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (send_buffer_bytes > 0) {
    setsockopt(socket_, SOL_SOCKET, SO_SNDBUF, &send_buffer_bytes, sizeof(send_buffer_bytes));
  }
}

Connection::~Connection() {
  close(wake_);
  close(socket_);
}

void Connection::NotePeerClosed() {
  if (!closed_) {
    peer_closed_ = true;
  }
}

Connection::WaitResult Connection::Wait(absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  pollfd polled[] = {{socket_, POLLRDHUP, 0}, {wake_, POLLIN, 0}};
  for (;;) {
    // Rounded up, and never longer than poll() can be told.
    const int64_t left = absl::ToInt64Milliseconds(
        absl::Ceil(std::min(deadline - absl::Now(), absl::Hours(1)), absl::Milliseconds(1)));
    if (left <= 0) {
      return WaitResult::kTimeout;
    }
    if (poll(polled, 2, static_cast<int>(left)) <= 0) {
      continue;
    }
    if (polled[0].revents != 0) {
      NotePeerClosed();
      return WaitResult::kPeerClosed;
    }
    uint64_t count;
    if (read(wake_, &count, sizeof(count)) == sizeof(count)) {
      return WaitResult::kWoken;
    }
  }
}

bool Connection::Send(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      pollfd polled = {socket_, POLLOUT | POLLRDHUP, 0};
      if (poll(&polled, 1, -1) > 0 && (polled.revents & kGone) != 0) {
        NotePeerClosed();
        return false;
      }
    } else if (errno != EINTR) {
      NotePeerClosed();
      return false;
    }
  }
  return true;
}

size_t Connection::Receive(char* buffer, size_t size) {
  while (received_begin_ == received_end_) {
    pollfd polled = {socket_, POLLIN, 0};
    if (poll(&polled, 1, -1) < 0) {
      continue;
    }
    const ssize_t count = recv(socket_, received_, sizeof(received_), MSG_DONTWAIT);
    if (count > 0) {
      received_begin_ = 0;
      received_end_ = static_cast<size_t>(count);
    } else if (count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
      return 0;
    }
  }
  const size_t count = std::min(size, received_end_ - received_begin_);
  std::memcpy(buffer, received_ + received_begin_, count);
  received_begin_ += count;
  return count;
}

void Connection::Wake() {
  const uint64_t one = 1;
  // Can only fail once the counter is full, when there is no need for more.
  [[maybe_unused]] const ssize_t written = write(wake_, &one, sizeof(one));
}

void Connection::Close() {
  closed_ = true;
  shutdown(socket_, SHUT_RDWR);
}

void Connection::Reset() {
  closed_ = true;
  // For a socket that is connected, this is to send a RST.
  sockaddr nowhere = {};
  nowhere.sa_family = AF_UNSPEC;
  connect(socket_, &nowhere, sizeof(nowhere));
}

class HttpServer::Impl : public httplib::Server {
 public:
  Impl(const HttpServer::Options& options, HttpServer::Handler handler)
      : options_(options), handler_(std::move(handler)) {
    new_task_queue = [] { return new ThreadPerConnection; };
    // The default would let two servers share a port without a word.
    set_socket_options([](socket_t socket) {
      const int on = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    });
    set_pre_routing_handler([this](const httplib::Request&, httplib::Response& response) {
      handler_(exchange_->request, *exchange_->connection, response);
      return HandlerResponse::Handled;
    });
    // Connections are kept for as long as the client likes, whatever cpp-httplib announces.
    set_post_routing_handler([](const httplib::Request&, httplib::Response& response) {
      response.headers.erase("Keep-Alive");
    });
  }

  // The port, or -1 with errno set.
  int Listen() {
    int port = options_.port;
    if (port == 0) {
      port = bind_to_any_port(options_.host);
    } else if (!bind_to_port(options_.host, port)) {
      port = -1;
    }
    // cpp-httplib has room for five waiting connections; more would be refused at times.
    if (port < 0 || ::listen(svr_sock_, SOMAXCONN) != 0) {
      return -1;
    }
    listener_ = std::thread([this] { listen_after_bind(); });
    return port;
  }

  ~Impl() override {
    if (!listener_.joinable()) {
      return;
    }
    const socket_t socket = svr_sock_.exchange(INVALID_SOCKET);
    ::shutdown(socket, SHUT_RDWR);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
      for (Connection* connection : connections_) {
        connection->Close();
      }
    }
    listener_.join();
    close(socket);
  }

 private:
  // What is under way on a connection's thread.
  struct Exchange {
    Connection* connection = nullptr;
    Request request;
    bool last = false;
  };

  bool process_and_close_socket(socket_t socket) override {
    Connection connection(socket, options_.send_buffer_bytes);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (stopping_) {
        return false;
      }
      connections_.insert(&connection);
    }
    ConnectionStream stream(&connection);
    Exchange exchange;
    exchange.connection = &connection;
    exchange_ = &exchange;
    const auto setup = [&exchange](httplib::Request& request) {
      BeginExchange(request, &exchange);
    };
    bool client_closes = false;
    while (process_request(stream, /*close_connection=*/false, client_closes, setup) &&
           !client_closes && !exchange.last) {
    }
    exchange_ = nullptr;
    std::lock_guard<std::mutex> lock(mutex_);
    connections_.erase(&connection);
    return true;
  }

  static void BeginExchange(httplib::Request& request, Exchange* exchange) {
    // These are not headers of the request but what cpp-httplib adds to them.
    for (const char* added : {"REMOTE_ADDR", "REMOTE_PORT", "LOCAL_ADDR", "LOCAL_PORT"}) {
      request.headers.erase(added);
    }
    exchange->request.method = request.method;
    exchange->request.target = request.target;
    exchange->request.headers.assign(request.headers.begin(), request.headers.end());
    // Bodies leave byte for byte as the handler gives them: not compressed, and whole.
    request.headers.erase("Accept-Encoding");
    request.ranges.clear();
    // The body of any other request is not read, so that nothing can follow it.
    exchange->last = request.method != "GET" && request.method != "HEAD";
  }

  // cpp-httplib does not say on which connection it calls back; it does so on that connection's
  // thread.
  static thread_local Exchange* exchange_;  // NOLINT(readability-identifier-naming): a member

  const HttpServer::Options options_;
  const HttpServer::Handler handler_;
  std::thread listener_;
  std::mutex mutex_;
  bool stopping_ = false;
  std::set<Connection*> connections_;
};

thread_local HttpServer::Impl::Exchange* HttpServer::Impl::exchange_ = nullptr;

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const Options& options,
                                                              Handler handler) {
  auto impl = std::make_unique<Impl>(options, std::move(handler));
  const int port = impl->Listen();
  if (port < 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", options.host, ":", options.port));
  }
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl), port));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl, int port)
    : impl_(std::move(impl)), port_(port) {}

HttpServer::~HttpServer() = default;

}  // namespace rollcall::simulator
