#include "tests/simulation/engine_simulation.h"

#include <prometheus/registry.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/null_sink.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "service/config/config.h"
#include "service/error/error.h"
#include "service/query/query.h"
#include "service/rpc/message_writer.h"
#include "service/rpc/send_queue.h"
#include "service/upstream/pager.h"
#include "tests/fakes/fake_scheduler.h"
#include "tests/fakes/fake_transport.h"

namespace rollcall::service::simulation {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using Exchange = FakeTransport::Exchange;

constexpr char kApi[] = "https://insights.test";
// Faults end after this time, and the rest soon after that.
constexpr std::chrono::minutes kFaultyTime{2};
constexpr std::chrono::minutes kMaxTime{15};
// More than a message of 20 participants has as its tokens, one or twenty.
constexpr size_t kMaxTokens = 10'000;

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}

  // A number from `low` to `high`, inclusive.
  int Between(int low, int high) {
    return low + static_cast<int>(engine_() % static_cast<uint64_t>(high - low + 1));
  }
  bool Chance(double probability) { return Fraction() < probability; }
  double Fraction() { return static_cast<double>(engine_() >> 11) * 0x1.0p-53; }
  milliseconds Delay(int max) { return milliseconds(Between(0, max)); }

 private:
  std::mt19937_64 engine_;
};

std::string ConferenceOf(int list) {
  return absl::StrCat("CF", absl::Hex(list, absl::kZeroPad16), absl::Hex(list, absl::kZeroPad16));
}

std::string SidOf(int record) {
  return absl::StrCat("CP", absl::Hex(0, absl::kZeroPad16), absl::Hex(record, absl::kZeroPad16));
}

// Test data that is the same for all seeds, and slow to make.
struct Fixed {
  Config config = [] {
    const json text = {{"upstreams",
                        {{{"name", "main"},
                          {"provider", "twilio"},
                          {"account_sid", "AC00000000000000000000000000000001"},
                          {"auth_token", "secret"},
                          {"insights_base_url", kApi}}}}};
    return ParseConfig(text.dump(), [](const std::string&) { return std::nullopt; }).value();
  }();
  QueryOptions query_options{.accounts = {config.upstreams[0].account}, .resume_key = {}};
  prometheus::Registry registry;
  EventLog log{
      std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::null_sink_mt>())};
  ParticipantMonitor participants{"main", registry, log};
  RequestMonitor requests{"main", registry, log};
};

Fixed& TheFixed() {
  static Fixed& fixed = *new Fixed;
  return fixed;
}

struct List {
  int records;
  int page_size;
};

class World;

// Current limit on requests in flight.
class OpenRequests {
 public:
  void Add(std::shared_ptr<Exchange> request) { requests_.push_back(std::move(request)); }

  const std::vector<std::shared_ptr<Exchange>>& Get() {
    requests_.erase(std::remove_if(requests_.begin(), requests_.end(),
                                   [](const auto& request) { return !request->is_in_flight(); }),
                    requests_.end());
    return requests_;
  }

 private:
  std::vector<std::shared_ptr<Exchange>> requests_;
};

// An account whose lists never change.
class Provider {
 public:
  Provider(World& world, std::vector<List> lists)
      : world_(world), lists_(std::move(lists)), open_(lists_.size()), faults_(lists_.size()) {}

  const List& list(int number) const { return lists_[static_cast<size_t>(number)]; }
  void Serve(const std::shared_ptr<Exchange>& request);

  bool HasRequestsInFlight(int number) { return !open_[static_cast<size_t>(number)].Get().empty(); }
  // Errors injected into the list's requests since this was last cleared.
  std::vector<v1::ErrorReason>& faults(int number) { return faults_[static_cast<size_t>(number)]; }

 private:
  std::string PageOf(int number, int page) const;
  v1::ErrorReason Fail(const std::shared_ptr<Exchange>& request, bool has_page_token,
                       const std::string& page);
  void Send(const std::shared_ptr<Exchange>& request, const std::string& body,
            Exchange::Headers headers, absl::Status end);

  World& world_;
  const std::vector<List> lists_;
  std::vector<OpenRequests> open_;                    // per list
  std::vector<std::vector<v1::ErrorReason>> faults_;  // per list
};

struct Replica {
  Replica(World& world, Provider& provider);

  FakeTransport transport;
  DecoderScratch decoder_scratch;
  Upstream upstream;
  bool breaker_has_opened = false;
  // Requests sent while the circuit breaker was open; they do not count towards the limits.
  OpenRequests probes;
  OpenRequests others;
};

class Caller;

// One call on a replica: pager and queue, connected as in ListCall, and the writer.
class Call final : private RecordSink {
 public:
  Call(World& world, Caller& caller, Replica& replica, CheckedList list);

  void Drain();
  // Simulates that the caller's connection breaks.
  void Break();
  Replica& replica() const { return replica_; }
  bool is_broken() const { return broken_; }
  bool is_draining() const { return draining_; }
  // The trailer of a call that failed.
  const std::string& last_token() const { return last_token_; }

 private:
  bool HasRoom() override;
  void Take(absl::string_view participant, const ListPosition& position) override;
  void Flush() override;
  void OnListEnd(const absl::Status& status, const CallTotals& totals) override;

  void FlushQueue();
  void Write(SendQueue::Batch batch);
  void WriteNext();
  void OnWritten();
  void End();

  World& world_;
  Caller& caller_;
  Replica& replica_;
  SendQueue queue_;
  MessageWriter messages_;
  IdleTask flush_task_;
  Timer write_timer_;
  std::optional<SendQueue::Batch> batch_;
  size_t next_ = 0;
  bool broken_ = false;
  bool draining_ = false;
  int64_t written_ = 0;  // participants
  std::optional<absl::Status> end_;
  CallTotals totals_;
  std::string last_token_;
  Pager pager_;
};

// A caller that reads one list to its end, in as many calls as needed.
class Caller {
 public:
  Caller(World& world, int list);

  bool is_done() const { return done_; }
  int list() const { return list_; }
  // Returns the number of participants in the message.
  int OnMessage(const std::string& bytes);
  void OnCallEnd(absl::Status status);  // Destroys the call.
  void OnDrain(Replica& replica);

 private:
  void StartCall();
  void Crash();
  bool IsExpected(const absl::Status& status, const Call& call) const;

  World& world_;
  const int list_;
  const std::string name_;
  Timer start_timer_;
  Timer crash_timer_;
  std::unique_ptr<Call> call_;
  std::string token_;
  int received_ = 0;
  bool done_ = false;
};

class World {
 public:
  explicit World(uint64_t seed);
  ~World();

  Result Run();

  void Violate(const std::string& what) {
    if (result.violation.empty()) result.violation = what;
  }
  bool is_faulty() const { return scheduler.Now() - begin_ < kFaultyTime; }
  Replica& PickReplica() { return *replicas_[random.Chance(0.5) ? 1 : 0]; }
  Provider& provider() { return *provider_; }
  RetryPolicy::Random random_fraction() {
    return [this] { return random.Fraction(); };
  }

  Random random;
  FakeScheduler scheduler;
  Result result;
  Config config;
  double fault_rate;
  int max_read_delay;

 private:
  void DrainSometimes();
  void CheckLimits();
  void CheckThatNothingIsLeft();

  const FakeScheduler::Clock::time_point begin_ = scheduler.Now();
  std::unique_ptr<Provider> provider_;
  std::vector<std::unique_ptr<Replica>> replicas_;
  std::vector<std::unique_ptr<Replica>> retired_;
  std::vector<std::unique_ptr<Caller>> callers_;
  Timer drain_timer_;
};

// ---- Provider

std::string Provider::PageOf(int number, int page) const {
  const List& list = lists_[static_cast<size_t>(number)];
  const int begin = page * list.page_size;
  const int end = std::min(begin + list.page_size, list.records);
  const std::string link = end == list.records
                               ? "null"
                               : absl::StrCat("\"", kApi, "/v1/Conferences/", ConferenceOf(number),
                                              "/Participants?PageToken=", page + 1, "\"");
  std::string records;
  for (int i = begin; i < end; ++i) {
    absl::StrAppend(&records, i == begin ? "" : ",", R"({"participant_sid":")", SidOf(i),
                    R"(","conference_sid":")", ConferenceOf(number), "\"}");
  }
  const std::string meta = absl::StrCat(R"("meta":{"next_page_url":)", link, "}");
  const std::string array = absl::StrCat("\"participants\":[", records, "]");
  // Some providers send the link last.
  return number % 2 == 0 ? absl::StrCat("{", meta, ",", array, "}")
                         : absl::StrCat("{", array, ",", meta, "}");
}

void Provider::Serve(const std::shared_ptr<Exchange>& request) {
  ++world_.result.requests;
  const std::string& url = request->url();
  size_t number = 0;
  while (number < lists_.size() &&
         !absl::StrContains(url, ConferenceOf(static_cast<int>(number)))) {
    ++number;
  }
  int page = 0;
  const size_t token = url.find("PageToken=");
  const bool has_page_token = token != std::string::npos;
  if (number == lists_.size() ||
      (has_page_token && !absl::SimpleAtoi(url.substr(token + 10), &page)) || page < 0 ||
      (page > 0 && page * lists_[number].page_size >= lists_[number].records)) {
    return world_.Violate("a request for a page that does not exist: " + url);
  }
  open_[number].Add(request);
  const std::string body = PageOf(static_cast<int>(number), page);
  if (world_.is_faulty() && world_.random.Chance(world_.fault_rate)) {
    faults_[number].push_back(Fail(request, has_page_token, body));
    return;
  }
  Send(request, body, Exchange::Chunked(), absl::OkStatus());
}

// Returns the error that the request will end with.
v1::ErrorReason Provider::Fail(const std::shared_ptr<Exchange>& request, bool has_page_token,
                               const std::string& page) {
  ++world_.result.faults;
  Random& random = world_.random;
  const milliseconds delay = random.Delay(500);
  const auto fail = [&](v1::ErrorReason reason) {
    world_.scheduler.RunAfter(delay,
                              [request, reason] { request->End(MakeError(reason, "fault")); });
    return reason;
  };
  const auto respond = [&](int status, std::string body, Exchange::Headers headers) {
    world_.scheduler.RunAfter(
        delay, [request, status, body = std::move(body), headers = std::move(headers)] {
          request->Respond(status, body, headers);
        });
  };
  const std::string part =
      page.substr(0, static_cast<size_t>(random.Between(0, static_cast<int>(page.size()) - 1)));
  switch (random.Between(0, 8)) {
    case 0:
      return fail(v1::ERROR_REASON_UPSTREAM_UNREACHABLE);
    case 1:
      return fail(v1::ERROR_REASON_UPSTREAM_TIMEOUT);
    case 2:
      Send(request, part, Exchange::Chunked(),
           MakeError(v1::ERROR_REASON_UPSTREAM_UNREACHABLE, "fault"));
      return v1::ERROR_REASON_UPSTREAM_UNREACHABLE;
    case 3:  // Looks complete.
      Send(request, part, {}, absl::OkStatus());
      return v1::ERROR_REASON_UPSTREAM_UNREACHABLE;
    case 4:
      Send(request, part, Exchange::Chunked(), absl::OkStatus());
      return v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE;
    case 5:
      Send(request, "<html>", Exchange::Chunked(), absl::OkStatus());
      return v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE;
    case 6:
      respond(503, "", Exchange::Chunked());
      return v1::ERROR_REASON_UPSTREAM_UNAVAILABLE;
    case 7:
      respond(429, "", {{"Retry-After", "1"}});
      return v1::ERROR_REASON_UPSTREAM_RATE_LIMITED;
    default:
      if (!has_page_token) {
        respond(500, "{}", Exchange::Chunked());
        return v1::ERROR_REASON_UPSTREAM_UNAVAILABLE;
      }
      ++world_.result.expired_pages;
      respond(400, R"({"code":20001})", Exchange::Chunked());
      return v1::ERROR_REASON_UPSTREAM_PAGE_EXPIRED;
  }
}

// Sends the body in pieces.
void Provider::Send(const std::shared_ptr<Exchange>& request, const std::string& body,
                    Exchange::Headers headers, absl::Status end) {
  Random& random = world_.random;
  milliseconds at = random.Delay(200);
  world_.scheduler.RunAfter(
      at, [request, headers = std::move(headers)] { request->Head(200, headers); });
  size_t sent = 0;
  while (sent < body.size()) {
    const size_t size = std::min(body.size() - sent, static_cast<size_t>(random.Between(1, 400)));
    at += random.Delay(50);
    world_.scheduler.RunAfter(at,
                              [request, piece = body.substr(sent, size)] { request->Body(piece); });
    sent += size;
  }
  at += random.Delay(50);
  world_.scheduler.RunAfter(at, [request, end] { request->End(end); });
}

Replica::Replica(World& world, Provider& provider)
    : transport(world.scheduler,
                [this, &provider](const std::shared_ptr<Exchange>& request) {
                  (upstream.limiter.counts().circuit_open ? probes : others).Add(request);
                  provider.Serve(request);
                }),
      upstream{world.config.upstreams[0], TheFixed().participants, TheFixed().requests,
               ConcurrencyLimiter(
                   world.config.upstreams[0].limiter, world.config.breaker,
                   [this, &world](bool up) {
                     if (up) return;
                     breaker_has_opened = true;
                     ++world.result.breaker_openings;
                   },
                   [&world] { return world.scheduler.Now(); })} {}

// ---- Call

Call::Call(World& world, Caller& caller, Replica& replica, CheckedList list)
    : world_(world),
      caller_(caller),
      replica_(replica),
      queue_(world.config.calls.send_queue_bytes),
      messages_(queue_, list.messages, std::move(list.tokens)),
      flush_task_(world.scheduler),
      write_timer_(world.scheduler),
      pager_(replica.transport, replica.decoder_scratch, world.config.read, replica.upstream,
             std::move(list.query), static_cast<RecordSink&>(*this), world.random_fraction()) {
  world.scheduler.Post([this] {
    if (!end_) pager_.Start();
  });
}

bool Call::HasRoom() {
  if (queue_.HasRoom()) return true;
  FlushQueue();
  return !queue_.WaitForRoom();
}

void Call::Take(absl::string_view participant, const ListPosition& position) {
  messages_.Add(participant, position);
  if (queue_.should_flush()) FlushQueue();
  if (queue_.bytes() + queue_.writer().size() >
      world_.config.calls.send_queue_bytes + participant.size() + kMaxTokens) {
    world_.Violate("the queue holds more than its limit, one participant and tokens");
  }
}

void Call::Flush() {
  if (messages_.unflushed() == 0 || flush_task_.is_waiting()) return;
  flush_task_.Start([this] {
    if (!messages_.ShouldWait()) FlushQueue();
  });
}

void Call::FlushQueue() {
  if (messages_.unflushed() == 0) return;
  if (auto batch = messages_.Flush()) Write(*std::move(batch));
}

void Call::Write(SendQueue::Batch batch) {
  if (batch_) world_.Violate("two batches are written at once");
  batch_ = std::move(batch);
  next_ = 0;
  WriteNext();
}

void Call::WriteNext() {
  write_timer_.Start(world_.random.Delay(world_.max_read_delay), [this] { OnWritten(); });
}

void Call::OnWritten() {
  if (!broken_) {
    const size_t begin = next_ == 0 ? 0 : batch_->ends[next_ - 1];
    const size_t end = batch_->ends[next_++];
    written_ += caller_.OnMessage(batch_->messages.substr(begin, end - begin));
    if (next_ < batch_->ends.size()) return WriteNext();
  }
  batch_.reset();
  SendQueue::Next next = broken_ ? queue_.OnWriteFailed() : queue_.OnWritten();
  if (next.resume_producer) {
    world_.scheduler.Post([this] {
      pager_.Resume();
      Flush();
    });
  }
  if (next.batch) {
    Write(*std::move(next.batch));
  } else if (next.is_drained) {
    End();
  }
}

void Call::Drain() {
  if (end_) return;
  draining_ = true;
  pager_.Stop(MakeError(v1::ERROR_REASON_SERVER_DRAINING, "replica is draining"));
}

void Call::Break() {
  broken_ = true;
  pager_.Stop(absl::CancelledError("the caller ended the call"));
}

void Call::OnListEnd(const absl::Status& status, const CallTotals& totals) {
  if (end_) return world_.Violate("a list ended twice");
  FlushQueue();
  end_ = status;
  totals_ = totals;
  if (!status.ok()) last_token_ = messages_.LastToken();
  if (world_.provider().HasRequestsInFlight(caller_.list())) {
    world_.Violate("a list ended with a request in flight");
  }
  world_.result.duplicates += static_cast<int>(totals.duplicates);
  if (queue_.Close()) End();
}

void Call::End() {
  if (!broken_ && written_ != totals_.records) world_.Violate("a decoded record was not written");
  // Deferred, because the caller destroys the call.
  world_.scheduler.Post([this] {
    caller_.OnCallEnd(broken_ ? absl::CancelledError("the connection broke") : *end_);
  });
}

// ---- Caller

Caller::Caller(World& world, int list)
    : world_(world),
      list_(list),
      name_(absl::StrCat("caller ", list % 3)),
      start_timer_(world.scheduler),
      crash_timer_(world.scheduler) {
  start_timer_.Start(world.random.Delay(1000), [this] { StartCall(); });
}

void Caller::StartCall() {
  if (++world_.result.calls > 100000) return world_.Violate("a list is never complete");
  v1::ListParticipantsRequest request;
  request.mutable_conference_participant_summaries()->set_conference_sid(ConferenceOf(list_));
  request.set_page_size(world_.provider().list(list_).page_size);
  request.set_resume_token(token_);
  v1::ListParticipantBatchesRequest batches;
  *batches.mutable_list() = request;
  batches.set_max_batch_size(world_.random.Between(1, 20));
  auto checked = CheckRequest(
      batches, TheFixed().query_options,
      {.deadline = Deadline(std::chrono::system_clock::time_point::max(), world_.config.deadline),
       .caller = name_,
       .trace = TraceContext(),
       .rules = nullptr,
       .max_calls = 1});
  if (!checked.ok()) return world_.Violate(std::string(checked.status().message()));
  world_.provider().faults(list_).clear();
  call_ = std::make_unique<Call>(world_, *this, world_.PickReplica(), *std::move(checked));
  if (world_.is_faulty() && world_.random.Chance(0.2)) {
    crash_timer_.Start(world_.random.Delay(3000), [this] { Crash(); });
  }
}

// The program stops and starts again with the last token that it has processed.
void Caller::Crash() {
  if (call_ == nullptr) return;
  ++world_.result.crashes;
  call_->Break();
}

int Caller::OnMessage(const std::string& bytes) {
  v1::ListParticipantBatchesResponse batch;
  if (!batch.ParseFromString(bytes) || batch.participants().empty()) {
    world_.Violate("a message is empty or cannot be parsed");
    return 0;
  }
  int processed = batch.participants_size();
  // The program stops in the middle of the batch.
  const bool stops = world_.is_faulty() && processed > 1 && world_.random.Chance(0.05);
  if (stops) processed = world_.random.Between(1, processed - 1);
  for (int i = 0; i < processed; ++i) {
    const std::string& sid =
        batch.participants(i).conference_participant_summary().participant_sid();
    if (sid != SidOf(received_)) {
      world_.Violate(
          absl::StrCat("list ", list_, ": received ", sid, ", expected ", SidOf(received_)));
      return 0;
    }
    ++received_;
    ++world_.result.records;
  }
  token_ = batch.resume_token();
  if (stops) {
    ++world_.result.partial_batches;
    absl::StrAppend(&token_, ":", processed);
    Crash();
  }
  return batch.participants_size();
}

void Caller::OnCallEnd(absl::Status status) {
  crash_timer_.Stop();
  const std::unique_ptr<Call> call = std::move(call_);
  if (status.ok()) {
    if (received_ != world_.provider().list(list_).records) {
      world_.Violate(absl::StrCat("list ", list_, " ended with OK after ", received_, " of ",
                                  world_.provider().list(list_).records, " records"));
    }
    done_ = true;
    return;
  }
  if (!IsExpected(status, *call)) {
    world_.Violate(absl::StrCat("list ", list_, " failed without a cause: ", status.message()));
  }
  if (!call->is_broken() && !call->last_token().empty()) token_ = call->last_token();
  start_timer_.Start(world_.random.Delay(2000), [this] { StartCall(); });
}

// Whether an injected fault explains this status.
bool Caller::IsExpected(const absl::Status& status, const Call& call) const {
  const v1::ErrorReason reason = ReasonOf(status);
  const bool breaker_has_opened = call.replica().breaker_has_opened;
  if (absl::IsCancelled(status)) return call.is_broken();
  if (reason == v1::ERROR_REASON_SERVER_DRAINING) return call.is_draining();
  if (reason == v1::ERROR_REASON_UPSTREAM_CIRCUIT_OPEN) return breaker_has_opened;
  if (reason == v1::ERROR_REASON_UPSTREAM_QUEUE_FULL) {
    ++world_.result.queue_full;
    return true;
  }
  const auto& faults = world_.provider().faults(list_);
  const auto count = std::count(faults.begin(), faults.end(), reason);
  if (reason == v1::ERROR_REASON_UPSTREAM_PAGE_EXPIRED) return count >= 2;
  const auto attempts = static_cast<size_t>(world_.config.read.retry.max_attempts);
  return count > 0 && (faults.size() >= attempts || breaker_has_opened);
}

void Caller::OnDrain(Replica& replica) {
  if (call_ != nullptr && &call_->replica() == &replica) call_->Drain();
}

// ---- World

World::World(uint64_t seed) : random(seed), config(TheFixed().config), drain_timer_(scheduler) {
  fault_rate = std::array{0.0, 0.05, 0.2, 0.5}[static_cast<size_t>(random.Between(0, 3))];
  max_read_delay = std::array{0, 1, 20, 500}[static_cast<size_t>(random.Between(0, 3))];
  config.calls.send_queue_bytes = static_cast<size_t>(random.Between(50, 5000));
  config.read.prefetch = random.Chance(0.8);
  config.breaker.failures = random.Between(1, 10);
  LimiterOptions& requests = config.upstreams[0].limiter;
  requests.max_in_flight = random.Between(1, 4);
  requests.max_connections = random.Between(requests.max_in_flight, 8);
  requests.max_waiting = random.Between(0, 4);

  std::vector<List> lists(static_cast<size_t>(random.Between(1, 4)));
  for (List& list : lists) list = {random.Between(0, 40), random.Between(1, 12)};
  const int count = static_cast<int>(lists.size());
  provider_ = std::make_unique<Provider>(*this, std::move(lists));
  for (int i = 0; i < 2; ++i) replicas_.push_back(std::make_unique<Replica>(*this, *provider_));
  for (int i = 0; i < count; ++i) callers_.push_back(std::make_unique<Caller>(*this, i));
  if (random.Chance(0.5)) DrainSometimes();
}

World::~World() = default;

// A replica drains, and a new one without any state replaces it.
void World::DrainSometimes() {
  if (!is_faulty()) return;
  drain_timer_.Start(random.Delay(10000), [this] {
    ++result.drains;
    std::unique_ptr<Replica>& replica = replicas_[random.Chance(0.5) ? 1 : 0];
    Replica& drained = *retired_.emplace_back(std::move(replica));
    replica = std::make_unique<Replica>(*this, *provider_);
    for (auto& caller : callers_) caller->OnDrain(drained);
    DrainSometimes();
  });
}

// Count what is on the transport, not what the limiter believes.
void World::CheckLimits() {
  const LimiterOptions& limits = config.upstreams[0].limiter;
  for (const auto* replicas : {&replicas_, &retired_}) {
    for (const auto& replica : *replicas) {
      const auto& requests = replica->others.Get();
      const auto in_flight =
          std::count_if(requests.begin(), requests.end(),
                        [](const auto& request) { return !request->was_paused(); });
      if (in_flight > limits.max_in_flight) Violate("too many requests are in flight");
      if (std::ssize(requests) > limits.max_connections) Violate("there are too many connections");
      const ConcurrencyLimiter::Counts counts = replica->upstream.limiter.counts();
      if (counts.waiting > 0) ++result.times_waiting;
      if (counts.stalled > 0) ++result.times_stalled;
    }
  }
}

void World::CheckThatNothingIsLeft() {
  for (const auto* replicas : {&replicas_, &retired_}) {
    for (const auto& replica : *replicas) {
      const ConcurrencyLimiter::Counts counts = replica->upstream.limiter.counts();
      if (counts.in_flight != 0 || counts.stalled != 0 || counts.waiting != 0) {
        Violate("a permit was not released");
      }
      if (!replica->others.Get().empty() || !replica->probes.Get().empty()) {
        Violate("a request was not cancelled");
      }
    }
  }
  drain_timer_.Stop();
  scheduler.Advance(std::chrono::minutes(1));  // Time for what the provider still has to send.
  if (scheduler.has_timers()) Violate("a timer is left");
}

Result World::Run() {
  const auto is_done = [this] {
    return std::all_of(callers_.begin(), callers_.end(),
                       [](const auto& caller) { return caller->is_done(); });
  };
  while (result.violation.empty() && !is_done()) {
    if (!scheduler.AdvanceToNextTimer()) Violate("a list waits for something that never comes");
    if (scheduler.Now() - begin_ > kMaxTime) Violate("a list takes too long");
    CheckLimits();
  }
  if (result.violation.empty()) CheckThatNothingIsLeft();
  return result;
}

}  // namespace

Result Simulate(uint64_t seed) { return World(seed).Run(); }

}  // namespace rollcall::service::simulation
