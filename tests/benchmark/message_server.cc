// gRPC alone: a server with Rollcall's API and its messages but without its work, to say how fast a
// stream can be at all. It answers ListParticipants with the records of the provider simulator's
// generated lists, decoded before the first message leaves; only gRPC's own serialisation is left
// to do for each. A limit over the list's size sends the list again and again, since a few messages
// are as good as a million. Used by the benchmarks; prints where it listens, and ends on SIGTERM or
// SIGINT.
#include <grpcpp/grpcpp.h>
#include <pthread.h>
#include <signal.h>

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "rollcall/v1/participant_service.grpc.pb.h"
#include "service/config/secret.h"
#include "service/resume/resume_token.h"
#include "tests/benchmark/benchmark_list.h"

namespace rollcall {
namespace {

constexpr int64_t kMaxMessages = 10'000;  // about 4 KB each

using Messages = std::vector<v1::ListParticipantsResponse>;

Messages MakeMessages(const BenchmarkList& list) {
  ResumeTokens tokens(Secret("simulator"), "message_server");
  // As long as the address of a page in the middle of a list.
  const std::string page =
      absl::StrCat(list.path(), "?PageSize=1000&Page=100&PageToken=PA", std::string(32, '0'));
  Messages messages(static_cast<size_t>(list.size()));
  for (int64_t i = 0; i < list.size(); ++i) {
    v1::ListParticipantsResponse& message = messages[static_cast<size_t>(i)];
    *message.mutable_participant() = list.Record(i);
    ListPosition position;
    position.page = page;
    position.record = static_cast<uint64_t>(i) * 0x9e3779b97f4a7c15;  // a hash of any kind
    position.ordinal = static_cast<uint64_t>(i) + 1;
    message.set_resume_token(tokens.Seal(position));
  }
  return messages;
}

// One call. Deletes itself.
class Stream final : public grpc::ServerWriteReactor<v1::ListParticipantsResponse> {
 public:
  explicit Stream(const grpc::Status& refusal) { Finish(refusal); }

  Stream(const Messages& messages, int64_t count) : messages_(&messages), left_(count) {
    WriteNext();
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    WriteNext();
  }

  void OnDone() override { delete this; }

 private:
  void WriteNext() {
    if (left_ == 0) return Finish(grpc::Status::OK);
    --left_;
    // gRPC may call OnWriteDone() before this returns.
    const v1::ListParticipantsResponse& message = (*messages_)[next_];
    next_ = (next_ + 1) % messages_->size();
    StartWrite(&message);
  }

  const Messages* messages_ = nullptr;
  int64_t left_ = 0;
  size_t next_ = 0;
};

class MessageService final : public v1::ParticipantService::CallbackService {
 public:
  grpc::ServerWriteReactor<v1::ListParticipantsResponse>* ListParticipants(
      grpc::CallbackServerContext* /*context*/,
      const v1::ListParticipantsRequest* request) override {
    const std::optional<BenchmarkList> list = BenchmarkList::Of(*request);
    if (!list || list->size() == 0 || list->size() > kMaxMessages) {
      return new Stream(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT,
                                     "not a generated list of 1 to 10,000 participants"));
    }
    return new Stream(MessagesOf(*list, *request),
                      request->limit() > 0 ? request->limit() : list->size());
  }

 private:
  // Made once for each list and mask, and kept.
  const Messages& MessagesOf(const BenchmarkList& list,
                             const v1::ListParticipantsRequest& request) {
    const std::string key =
        absl::StrCat(list.path(), "\n", request.read_mask().SerializeAsString());
    const std::lock_guard lock(mutex_);
    auto& messages = messages_[key];
    if (messages == nullptr) messages = std::make_unique<const Messages>(MakeMessages(list));
    return *messages;
  }

  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<const Messages>> messages_;
};

int Run() {
  // Before any thread starts, so that the signals wait for sigwait() below.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  MessageService service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    std::fprintf(stderr, "message_server: cannot listen\n");
    return 1;
  }
  std::printf("listening on 127.0.0.1:%d\n", port);
  std::fflush(stdout);
  int received = 0;
  sigwait(&signals, &received);
  return 0;
}

}  // namespace
}  // namespace rollcall

int main() { return rollcall::Run(); }
