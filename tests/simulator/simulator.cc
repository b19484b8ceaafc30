#include "tests/simulator/simulator.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/simulator/faults.h"
#include "tests/simulator/http_server.h"

namespace rollcall::simulator {
namespace {

constexpr size_t kPieceBytes = 16 * 1024;
constexpr size_t kNowhere = std::numeric_limits<size_t>::max();
// How far a throttled body may fall behind and still catch up: longer than a busy machine takes to
// wake a thread, shorter than a reader's pause.
constexpr absl::Duration kCatchUp = absl::Milliseconds(100);

}  // namespace

Fault Respond(int status, std::string body) {
  Fault fault;
  fault.answer = Answer{status, {{"Content-Type", "application/json"}}, std::move(body)};
  return fault;
}

Fault HoldAfter(size_t bytes) {
  Fault fault;
  fault.hold_after = bytes;
  return fault;
}

Fault RedirectTo(std::string location, int status) {
  Fault fault;
  fault.answer = Answer{status, {{"Location", std::move(location)}}, ""};
  return fault;
}

absl::StatusOr<std::unique_ptr<Simulator>> Simulator::Start(Options options) {
  std::unique_ptr<Simulator> simulator(new Simulator(std::move(options)));
  const Options& o = simulator->options_;
  absl::StatusOr<std::unique_ptr<HttpServer>> server =
      HttpServer::Start({o.host, o.port, o.send_buffer_bytes},
                        [s = simulator.get()](const Request& request, Connection& connection) {
                          s->Handle(request, connection);
                        });
  if (!server.ok()) {
    return server.status();
  }
  simulator->server_ = *std::move(server);
  return simulator;
}

Simulator::Simulator(Options options) : options_(std::move(options)), apis_(options_.accounts) {}

Simulator::~Simulator() = default;

std::string Simulator::base_url() const {
  const bool ipv6 = absl::StrContains(options_.host, ":");
  return absl::StrCat("http://", ipv6 ? "[" : "", options_.host, ipv6 ? "]:" : ":",
                      server_->port());
}

void Simulator::InjectFaults(std::function<Fault(const Request&)> fault_for) {
  std::lock_guard<std::mutex> lock(mutex_);
  fault_for_ = std::move(fault_for);
}

void Simulator::AddPage(absl::string_view target, std::string body) {
  std::lock_guard<std::mutex> lock(mutex_);
  pages_[std::string(target)] = std::make_shared<const Answer>(
      Answer{200, {{"Content-Type", "application/json"}}, std::move(body)});
}

std::shared_ptr<const Answer> Simulator::Serve(const Request& request) {
  // A proxy that terminates TLS sends this header; links must use the scheme of its clients.
  const std::string scheme = request.Header("X-Forwarded-Proto");
  const std::string origin =
      absl::StrCat(scheme.empty() ? "http" : scheme, "://", request.Header("Host"));
  const std::string authorization = request.Header("Authorization");
  const std::string key =
      absl::StrCat(request.method, " ", origin, request.target, " ", authorization);
  if (options_.keep_pages) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (const auto kept = kept_.find(key); kept != kept_.end()) return kept->second;
  }
  auto answer = std::make_shared<const Answer>(
      apis_.Serve(request.method, request.target, authorization, origin));
  if (options_.keep_pages && answer->status == 200) {
    std::lock_guard<std::mutex> lock(mutex_);
    kept_[key] = answer;
  }
  return answer;
}

std::shared_ptr<const Answer> Simulator::PageFor(const std::string& target) const {
  std::lock_guard<std::mutex> lock(mutex_);
  auto page = pages_.find(target);
  if (page == pages_.end()) {
    page = pages_.find(target.substr(0, target.find('?')));
  }
  return page == pages_.end() ? nullptr : page->second;
}

void Simulator::Release() {
  std::lock_guard<std::mutex> lock(mutex_);
  for (Connection* connection : held_) {
    connection->Wake();
  }
  held_.clear();
}

bool Simulator::Hold(Connection& connection) {
  std::unique_lock<std::mutex> lock(mutex_);
  held_.insert(&connection);
  changed_.notify_all();
  for (;;) {
    lock.unlock();
    const Connection::WaitResult result = connection.Wait(absl::InfiniteDuration());
    lock.lock();
    if (held_.count(&connection) == 0) {
      return true;
    }
    if (result == Connection::WaitResult::kPeerClosed) {
      held_.erase(&connection);
      return false;
    }
  }
}

bool Simulator::Sleep(Connection& connection, absl::Duration duration) {
  return duration <= absl::ZeroDuration() ||
         connection.Wait(duration) != Connection::WaitResult::kPeerClosed;
}

void Simulator::NoteEnd(Connection& connection) {
  if (connection.peer_closed()) {
    std::lock_guard<std::mutex> lock(mutex_);
    ++disconnects_;
    changed_.notify_all();
  }
  connection.Close();
}

void Simulator::Handle(const Request& request, Connection& connection) {
  const absl::Time asked = absl::Now();
  std::function<Fault(const Request&)> fault_for;
  size_t number;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    number = ++request_count_;
    if (options_.keep_requests) {
      requests_.push_back(request);
    }
    fault_for = fault_for_;
    changed_.notify_all();
  }
  Fault fault = fault_for ? fault_for(request) : Fault();

  std::shared_ptr<const Answer> answer;
  if (fault.answer) {
    answer = std::make_shared<const Answer>(*std::move(fault.answer));
  } else if ((answer = PageFor(request.target)) == nullptr) {
    answer = Serve(request);
  }
  // Shares ownership, so that a kept page is not copied for each reader.
  std::shared_ptr<const std::string> body(answer, &answer->body);
  if (fault.edit_body) {
    body = std::make_shared<const std::string>(fault.edit_body(*body));
  }

  // Generating the response counts towards the latency.
  if (!Sleep(connection, asked + options_.latency - absl::Now()) ||
      (fault.hold_before_head && !Hold(connection))) {
    return NoteEnd(connection);
  }
  if (fault.hold_in_head) {
    if (connection.Send("HTTP/1.1 200 OK\r\nContent-Ty")) Hold(connection);
    return NoteEnd(connection);
  }
  if (fault.cut_before_head) {
    return fault.reset ? connection.Reset() : connection.Close();
  }

  for (int i = 0; i < fault.interim_responses; ++i) {
    if (!connection.Send(i % 2 == 0 ? "HTTP/1.1 100 Continue\r\n\r\n"
                                    : "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")) {
      return NoteEnd(connection);
    }
  }
  if (fault.cut_after_records) {
    const std::vector<size_t> ends = RecordEnds(*body);
    const size_t records = *fault.cut_after_records;
    if (records <= ends.size()) fault.cut_after = records == 0 ? 0 : ends[records - 1];
  }

  Connection::ResponseHead head;
  head.result(static_cast<unsigned>(answer->status));
  const auto request_id = RequestIdHeader(number);
  head.insert(request_id.first, request_id.second);
  for (const auto& [name, value] : answer->headers) head.insert(name, value);
  for (int i = 0; i < fault.header_lines; ++i) head.insert(absl::StrCat("X-Line-", i), "x");
  if (fault.until_close) {
    head.keep_alive(false);
  } else if (fault.chunked) {
    head.chunked(true);
  } else {
    head.content_length(body->size());
  }
  const bool sent =
      connection.Send(head) && (request.method == "HEAD" || Deliver(fault, *body, connection));
  if (!sent || fault.until_close) NoteEnd(connection);
}

bool Simulator::Deliver(const Fault& fault, const std::string& body, Connection& connection) {
  const int64_t rate = options_.bytes_per_second;
  size_t piece = fault.piece_bytes > 0 ? fault.piece_bytes : kPieceBytes;
  if (rate > 0) {
    // A hundred pieces per second are smooth enough.
    piece = std::min(piece, static_cast<size_t>(std::max<int64_t>(rate / 100, 1)));
  }
  size_t hold_at = std::min(fault.hold_after.value_or(kNowhere), body.size());
  bool hold = fault.hold_after.has_value();
  const size_t cut_at = std::min(fault.cut_after.value_or(kNowhere), body.size());

  absl::Time due = absl::Now();  // When to send the next piece.
  for (size_t sent = 0;;) {
    if (hold && sent == hold_at) {
      hold = false;
      hold_at = body.size();
      if (!Hold(connection)) return false;
    }
    if (fault.cut_after && sent == cut_at) {
      if (fault.reset) connection.Reset();
      return false;
    }
    if (sent == body.size()) {
      return !fault.chunked || connection.SendChunk("");
    }
    size_t end = std::min(sent + std::min(piece, body.size() - sent), cut_at);
    if (hold) {
      end = std::min(end, hold_at);
    }
    {
      // Count before sending, so that the count includes every byte that a client has read.
      std::lock_guard<std::mutex> lock(mutex_);
      body_bytes_sent_ += end - sent;
    }
    const absl::string_view bytes = absl::string_view(body).substr(sent, end - sent);
    if (!(fault.chunked ? connection.SendChunk(bytes) : connection.Send(bytes))) return false;
    if (rate > 0) {
      due = std::max(due, absl::Now() - kCatchUp) + absl::Seconds(1) * (end - sent) / rate;
      if (!Sleep(connection, due - absl::Now())) return false;
    }
    sent = end;
  }
}

std::vector<Request> Simulator::requests() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return requests_;
}

uint64_t Simulator::body_bytes_sent() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return body_bytes_sent_;
}

bool Simulator::WaitFor(absl::Duration timeout, const std::function<bool()>& condition) {
  std::unique_lock<std::mutex> lock(mutex_);
  return changed_.wait_until(lock, absl::ToChronoTime(absl::Now() + timeout), condition);
}

bool Simulator::WaitForRequests(size_t count, absl::Duration timeout) {
  return WaitFor(timeout, [&] { return request_count_ >= count; });
}

bool Simulator::WaitUntilHolding(size_t count, absl::Duration timeout) {
  return WaitFor(timeout, [&] { return held_.size() >= count; });
}

bool Simulator::WaitForDisconnects(size_t count, absl::Duration timeout) {
  return WaitFor(timeout, [&] { return disconnects_ >= count; });
}

}  // namespace rollcall::simulator
