#include "tests/simulator/http_server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/system/system_error.hpp>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace rollcall::simulator {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

constexpr std::uint32_t kMaxRequestHeadBytes = 1 << 20;

}  // namespace

Connection::Connection(tcp::socket socket)
    : socket_(std::move(socket)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Connection::~Connection() { close(wake_); }

std::optional<Request> Connection::Receive() {
  if (was_last_request_) return std::nullopt;
  http::request_parser<http::empty_body> parser;
  parser.header_limit(kMaxRequestHeadBytes);
  boost::system::error_code error;
  http::read_header(socket_, received_, parser, error);
  if (error) return std::nullopt;
  const auto& head = parser.get();
  was_last_request_ =
      !head.keep_alive() || (head.method() != http::verb::get && head.method() != http::verb::head);
  Request request{std::string(head.method_string()), std::string(head.target()), {}};
  for (const auto& field : head) {
    request.headers.emplace_back(field.name_string(), field.value());
  }
  return request;
}

bool Connection::Sent(const boost::system::error_code& error) {
  if (error && !closed_) peer_closed_ = true;
  return !error;
}

bool Connection::Send(ResponseHead& head) {
  if (was_last_request_) head.keep_alive(false);
  http::response_serializer<http::empty_body> serializer(head);
  boost::system::error_code error;
  http::write_header(socket_, serializer, error);
  return Sent(error);
}

bool Connection::Send(absl::string_view bytes) {
  boost::system::error_code error;
  asio::write(socket_, asio::buffer(bytes.data(), bytes.size()), error);
  return Sent(error);
}

bool Connection::SendChunk(absl::string_view bytes) {
  boost::system::error_code error;
  if (bytes.empty()) {
    asio::write(socket_, http::make_chunk_last(), error);
  } else {
    asio::write(socket_, http::make_chunk(asio::buffer(bytes.data(), bytes.size())), error);
  }
  return Sent(error);
}

Connection::WaitResult Connection::Wait(absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  pollfd polled[] = {{socket_.native_handle(), POLLRDHUP, 0}, {wake_, POLLIN, 0}};
  for (;;) {
    // Round up, and stay within poll()'s range.
    const int64_t left = absl::ToInt64Milliseconds(
        absl::Ceil(std::min(deadline - absl::Now(), absl::Hours(1)), absl::Milliseconds(1)));
    if (left <= 0) {
      return WaitResult::kTimeout;
    }
    if (poll(polled, 2, static_cast<int>(left)) <= 0) {
      continue;
    }
    if (polled[0].revents != 0) {
      if (!closed_) peer_closed_ = true;
      return WaitResult::kPeerClosed;
    }
    uint64_t count;
    if (read(wake_, &count, sizeof(count)) == sizeof(count)) {
      return WaitResult::kWoken;
    }
  }
}

void Connection::Wake() {
  const uint64_t one = 1;
  // Fails only if the counter is full; then the reader is woken anyway.
  [[maybe_unused]] const ssize_t written = write(wake_, &one, sizeof(one));
}

void Connection::Close() {
  closed_ = true;
  shutdown(socket_.native_handle(), SHUT_RDWR);
}

void Connection::Reset() {
  closed_ = true;
  // Disconnecting a connected socket with AF_UNSPEC sends a RST.
  sockaddr nowhere = {};
  nowhere.sa_family = AF_UNSPEC;
  connect(socket_.native_handle(), &nowhere, sizeof(nowhere));
}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const Options& options,
                                                              Handler handler) {
  std::unique_ptr<HttpServer> server(new HttpServer(std::move(handler)));
  try {
    const auto found = tcp::resolver(server->io_)
                           .resolve(options.host, absl::StrCat(options.port),
                                    tcp::resolver::passive | tcp::resolver::numeric_service);
    server->acceptor_ = tcp::acceptor(server->io_, found.begin()->endpoint());
    // Accepted sockets inherit their options from the listening one.
    server->acceptor_.set_option(tcp::no_delay(true));
    if (options.send_buffer_bytes > 0) {
      server->acceptor_.set_option(tcp::socket::send_buffer_size(options.send_buffer_bytes));
    }
  } catch (const boost::system::system_error& error) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", options.host, ":", options.port,
                                               ": ", error.code().message()));
  }
  server->accepting_ = std::thread([s = server.get()] { s->Accept(); });
  return server;
}

HttpServer::HttpServer(Handler handler) : handler_(std::move(handler)) {}

HttpServer::~HttpServer() {
  if (!accepting_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (Connection& connection : connections_) connection.Close();
  }
  shutdown(acceptor_.native_handle(), SHUT_RDWR);  // Makes accept() return.
  accepting_.join();
  std::unique_lock lock(mutex_);
  connection_ended_.wait(lock, [this] { return connections_.empty(); });
}

void HttpServer::Accept() {
  for (;;) {
    tcp::socket socket(io_);
    boost::system::error_code error;
    acceptor_.accept(socket, error);
    // For example, no file descriptor is free.
    if (error) absl::SleepFor(absl::Milliseconds(1));
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    if (error) continue;
    const auto connection = connections_.emplace(connections_.end(), std::move(socket));
    std::thread([this, connection] {
      while (const std::optional<Request> request = connection->Receive()) {
        handler_(*request, *connection);
      }
      const std::lock_guard ended(mutex_);
      connections_.erase(connection);
      connection_ended_.notify_all();
    }).detach();
  }
}

}  // namespace rollcall::simulator
