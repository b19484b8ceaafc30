#pragma once

// The provider simulator: serves over HTTP what the four providers serve (see README.md), and
// misbehaves where a test directs it to. One port serves all four APIs, told apart by their paths.
//
// Used in-process by tests, which direct answers and look at what was asked, and by the program
// provider-simulator. Every member may be called from any thread. The function given to Direct()
// runs on the threads of the simulator's connections, several at a time.

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tests/simulator/participants.h"
#include "tests/simulator/provider_apis.h"
#include "tests/simulator/request.h"

namespace rollcall::simulator {

class Connection;
class HttpServer;

struct Options {
  std::string host = "127.0.0.1";
  int port = 0;  // 0 takes a free one.
  Accounts accounts;
  // How long each answer takes to begin, and how fast its body then leaves; 0 is as fast as it can.
  // What a reader loses by pausing is not made up for.
  absl::Duration latency;
  int64_t bytes_per_second = 0;
  // Bounds what the kernel takes of a body in advance of a reader who paused; 0 leaves it to the
  // kernel.
  int send_buffer_bytes = 0;
  // Whether requests() fills up.
  bool keep_requests = true;
  // Whether each good answer is kept once it is made up, and served from memory from then on; for
  // benchmarks, which the provider must not slow down. Nothing is ever dropped.
  bool keep_pages = false;
};

// What a request gets instead of, or beside, the normal answer. Unset members change nothing, and
// those that are set act together: a body can be edited, sent in pieces, held on the way and cut in
// the end.
struct Direction {
  // This answer instead of the provider's.
  std::optional<Answer> answer;
  // The body is replaced by what this makes of it.
  std::function<std::string(std::string body)> edit_body;

  // Nothing is sent before Release().
  bool hold_before_head = false;
  // A part of the head is sent, and the connection is closed after Release().
  bool hold_in_head = false;
  // The head and so many bytes of the body are sent, the rest after Release().
  std::optional<size_t> hold_after;
  // The connection is closed without an answer.
  bool cut_before_head = false;
  // The connection is closed after the head and so many bytes of the body.
  std::optional<size_t> cut_after;
  // A connection that is closed by one of these is reset: the client learns of an error, not of an
  // end.
  bool reset = false;

  // Bytes that are sent at once, each a chunk of its own where chunked; 0 leaves it to the
  // simulator.
  size_t piece_bytes = 0;
  // Chunked transfer encoding in place of a Content-Length.
  bool chunked = false;
  // Neither: the body ends with the connection.
  bool until_close = false;
};

// Directions in frequent use.
Direction Respond(int status, std::string body = "");
// So many bytes of the body go out; the rest waits for Release().
Direction HoldAfter(size_t bytes);
Direction RedirectTo(std::string location, int status = 302);

class Simulator {
 public:
  static absl::StatusOr<std::unique_ptr<Simulator>> Start(Options options = {});

  // Closes every connection, the held ones too, and waits for their threads.
  ~Simulator();

  // "http://127.0.0.1:PORT", for all four APIs.
  std::string base_url() const;

  // From now on asks `direct` about each request, in place of what was given before; nullptr ends
  // that.
  void Direct(std::function<Direction(const Request&)> direct);

  // Serves `body` for exactly this target, or for this path with any query; to anybody, before all
  // else but a direction. For lists of hand-made pages.
  void AddPage(absl::string_view target, std::string body);

  // Lets everything go on that is held at this moment.
  void Release();

  // What was asked, in the order of arrival.
  std::vector<Request> requests() const;

  // Bytes of bodies that were given to the kernel, with up to 16 KiB a connection for which it has
  // no room yet. Stops growing when the readers pause.
  uint64_t body_bytes_sent() const;

  // These wait until at least so many requests have come, connections are held, or clients have
  // gone away before their answer was complete. False if it took too long.
  bool WaitForRequests(size_t count, absl::Duration timeout = absl::Seconds(30));
  bool WaitUntilHolding(size_t count, absl::Duration timeout = absl::Seconds(30));
  bool WaitForDisconnects(size_t count, absl::Duration timeout = absl::Seconds(30));

 private:
  explicit Simulator(Options options);

  void Handle(const Request& request, Connection& connection);
  // Waits for Release(). False if the connection ended first.
  bool Hold(Connection& connection);
  bool Sleep(Connection& connection, absl::Duration duration);
  // Sends the body as directed. False if the connection is to be closed.
  bool Deliver(const Direction& direction, const std::string& body, Connection& connection);
  void NoteEnd(Connection& connection);
  bool WaitFor(absl::Duration timeout, const std::function<bool()>& condition);
  // What the provider answers, from memory where it is kept.
  std::shared_ptr<const Answer> Serve(const Request& request);
  // Null if there is none.
  std::shared_ptr<const Answer> PageFor(const std::string& target) const;

  const Options options_;
  const ProviderApis apis_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::function<Direction(const Request&)> direct_;
  // Each shared by all the connections that serve it.
  std::map<std::string, std::shared_ptr<const Answer>> pages_;
  // With keep_pages, by everything that an answer depends on.
  std::map<std::string, std::shared_ptr<const Answer>> kept_;
  std::vector<Request> requests_;
  size_t request_count_ = 0;
  std::set<Connection*> held_;
  size_t disconnects_ = 0;
  uint64_t body_bytes_sent_ = 0;

  // Last, so that its threads end before what they use.
  std::unique_ptr<HttpServer> server_;
};

}  // namespace rollcall::simulator
