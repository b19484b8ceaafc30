#pragma once

// HTTP/1.1 server for the simulator, with blocking sockets. Boost.Beast parses requests and frames
// responses; the handler decides when each byte is sent and how a connection ends.
//
// Each connection has its own thread, which calls the handler.

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tests/simulator/request.h"

namespace rollcall::simulator {

// A client's connection. Wake() and Close() may be called from any thread, everything else only
// from the connection's own thread.
class Connection {
 public:
  using ResponseHead = boost::beast::http::response<boost::beast::http::empty_body>;

  explicit Connection(boost::asio::ip::tcp::socket socket);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Reads the head of the next request; nullopt if there is none. After a request with a method
  // other than GET and HEAD there is none, because its body is not read.
  std::optional<Request> Receive();

  // Sends everything, however slowly the peer reads. False if the connection has ended.
  bool Send(ResponseHead& head);
  bool Send(absl::string_view bytes);
  bool SendChunk(absl::string_view bytes);  // An empty chunk ends the body.

  enum class WaitResult { kTimeout, kWoken, kPeerClosed };

  // Sleeps until Wake(), until the peer closes the connection, or until `timeout` expires.
  WaitResult Wait(absl::Duration timeout);

  // Ends the current Wait() or, if there is none, the next one.
  void Wake();

  // Stops sending and receiving. The peer still receives bytes already sent.
  void Close();

  // Resets the connection: the peer gets an error, and may lose bytes already sent.
  void Reset();

  // True if the peer closed the connection before we did.
  bool peer_closed() const { return peer_closed_; }

 private:
  bool Sent(const boost::system::error_code& error);

  boost::asio::ip::tcp::socket socket_;
  // An eventfd, readable after Wake().
  const int wake_;
  // Bytes received beyond the current request.
  boost::beast::flat_buffer received_;
  bool was_last_request_ = false;
  std::atomic<bool> closed_ = false;
  bool peer_closed_ = false;
};

class HttpServer {
 public:
  struct Options {
    std::string host;
    int port = 0;  // 0 picks a free port.
    // Size of the kernel's send buffer for each connection; 0 keeps the kernel's default.
    int send_buffer_bytes = 0;
  };
  // Handles one request on its connection's thread: sends the response or closes the connection.
  using Handler = std::function<void(const Request&, Connection&)>;

  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const Options& options, Handler handler);

  // Stops listening, closes every connection and joins their threads.
  ~HttpServer();

  int port() const { return acceptor_.local_endpoint().port(); }

 private:
  explicit HttpServer(Handler handler);

  void Accept();

  const Handler handler_;
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_{io_};

  std::mutex mutex_;
  std::condition_variable connection_ended_;
  // Guarded by mutex_.
  bool stopping_ = false;
  std::list<Connection> connections_;

  std::thread accepting_;
};

}  // namespace rollcall::simulator
