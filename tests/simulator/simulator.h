#pragma once

// The provider simulator: serves the APIs of four providers over HTTP (see README.md), with faults
// that a test injects. All four share one port; their paths differ.
//
// Any thread may call every member. The function given to InjectFaults() runs on the threads of the
// simulator's connections, concurrently.

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
  int port = 0;  // 0 picks a free port.
  Accounts accounts;
  // Delay before each response, and limit on the speed of its body; 0 means no limit. A reader that
  // pauses does not get the lost time back.
  absl::Duration latency;
  int64_t bytes_per_second = 0;
  // Size of the kernel's send buffer, which bounds how much a paused reader is sent in advance; 0
  // keeps the kernel's default.
  int send_buffer_bytes = 0;
  // Whether to store requests for requests().
  bool keep_requests = true;
  // Whether to generate each successful response once and then serve it from memory, for benchmarks
  // that must not measure the provider. Kept pages are never evicted.
  bool keep_pages = false;
};

// How the response to one request deviates from the normal one. Unset members change nothing. Set
// members combine: a body can be edited, sent in pieces, held in the middle and cut at the end.
struct Fault {
  // Replaces the provider's response.
  std::optional<Answer> answer;
  // Transforms the body.
  std::function<std::string(std::string body)> edit_body;

  // Sends nothing before Release().
  bool hold_before_head = false;
  // Sends a part of the head, and closes the connection on Release().
  bool hold_in_head = false;
  // Sends the head and this many bytes of the body, and the rest on Release().
  std::optional<size_t> hold_after;
  // Interim responses (HTTP 100 and 103) before the response.
  int interim_responses = 0;
  // Header lines more than usual.
  int header_lines = 0;
  // Closes the connection without a response.
  bool cut_before_head = false;
  // Closes the connection after the head and this many bytes of the body.
  std::optional<size_t> cut_after;
  // The same after this many records, if the page has them.
  std::optional<size_t> cut_after_records;
  // When one of these closes the connection, resets it: the client gets an error instead of EOF.
  bool reset = false;

  // Bytes per write, each a chunk of its own with chunked encoding; 0 lets the simulator choose.
  size_t piece_bytes = 0;
  // Chunked transfer encoding instead of a Content-Length.
  bool chunked = false;
  // No framing: the end of the connection ends the body.
  bool until_close = false;
};

// Frequent faults. faults.h has more.
Fault Respond(int status, std::string body = "");
// Sends this many bytes of the body, and the rest on Release().
Fault HoldAfter(size_t bytes);
Fault RedirectTo(std::string location, int status = 302);

class Simulator {
 public:
  static absl::StatusOr<std::unique_ptr<Simulator>> Start(Options options = {});

  // Closes every connection, also the held ones, and joins their threads.
  ~Simulator();

  // "http://127.0.0.1:PORT", for all four APIs.
  std::string base_url() const;

  // From now on calls `fault_for` for each request, instead of the previous function; nullptr ends
  // all faults.
  void InjectFaults(std::function<Fault(const Request&)> fault_for);

  // Serves `body` for exactly this target, or for this path with any query, without checking
  // credentials. Only an injected fault takes precedence. For lists of hand-written pages.
  void AddPage(absl::string_view target, std::string body);

  // Continues every connection that is held now.
  void Release();

  // The requests so far, in the order of arrival.
  std::vector<Request> requests() const;

  // Bytes of bodies handed to the kernel, plus up to 16 KiB per connection that the kernel has no
  // room for yet. Stops growing when the readers pause.
  uint64_t body_bytes_sent() const;

  // Wait until at least `count` requests have arrived, connections are held, or clients have
  // disconnected before their response was complete. False on timeout.
  bool WaitForRequests(size_t count, absl::Duration timeout = absl::Seconds(30));
  bool WaitUntilHolding(size_t count, absl::Duration timeout = absl::Seconds(30));
  bool WaitForDisconnects(size_t count, absl::Duration timeout = absl::Seconds(30));

 private:
  explicit Simulator(Options options);

  void Handle(const Request& request, Connection& connection);
  // Waits for Release(). False if the connection ended first.
  bool Hold(Connection& connection);
  bool Sleep(Connection& connection, absl::Duration duration);
  // Sends the body with its fault. False if the connection must be closed.
  bool Deliver(const Fault& fault, const std::string& body, Connection& connection);
  void NoteEnd(Connection& connection);
  bool WaitFor(absl::Duration timeout, const std::function<bool()>& condition);
  // The provider's response, from memory if it is kept.
  std::shared_ptr<const Answer> Serve(const Request& request);
  // Null if there is none.
  std::shared_ptr<const Answer> PageFor(const std::string& target) const;

  const Options options_;
  const ProviderApis apis_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::function<Fault(const Request&)> fault_for_;
  // Shared by all connections that serve the page.
  std::map<std::string, std::shared_ptr<const Answer>> pages_;
  // For keep_pages; the key has everything that the response depends on.
  std::map<std::string, std::shared_ptr<const Answer>> kept_;
  std::vector<Request> requests_;
  size_t request_count_ = 0;
  std::set<Connection*> held_;
  size_t disconnects_ = 0;
  uint64_t body_bytes_sent_ = 0;

  // Last, so that its threads end before the members that they use.
  std::unique_ptr<HttpServer> server_;
};

}  // namespace rollcall::simulator
