// gRPC alone: a server with Rollcall's API and messages but without its work, to measure the
// fastest possible stream. It serves the provider simulator's generated lists, decoded in advance.
// With a limit larger than the list, it repeats the list, because a few messages serve as well as a
// million.
//
// There are two modes. By default, gRPC serializes and writes each message by itself, as in most
// services. With --batch, messages are also serialized in advance, and several share one write to
// the socket.
//
// Prints its address; exits on SIGTERM or SIGINT.
#include <grpcpp/grpcpp.h>
#include <pthread.h>
#include <signal.h>

#include <CLI/CLI.hpp>
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
#include "service/resume/resume_token.h"
#include "service/secrets/secret.h"
#include "tests/benchmark/benchmark_list.h"

namespace rollcall::service {
namespace {

constexpr int64_t kMaxMessages = 10'000;  // about 4 KB each

void Make(v1::ListParticipantsResponse& made, v1::ListParticipantsResponse& message) {
  message.Swap(&made);
}

void Make(v1::ListParticipantsResponse& made, grpc::ByteBuffer& message) {
  const grpc::Slice bytes(made.SerializeAsString());
  message = grpc::ByteBuffer(&bytes, 1);
}

// Message is v1::ListParticipantsResponse, or grpc::ByteBuffer for serialized messages.
template <typename Message>
std::vector<Message> MakeMessages(const BenchmarkList& list) {
  ResumeTokens tokens(CurrentSecret(Secret("simulator")), "message_server");
  // As long as the URL of a page in the middle of a list.
  const std::string page =
      absl::StrCat(list.path(), "?PageSize=1000&Page=100&PageToken=PA", std::string(32, '0'));
  std::vector<Message> messages(static_cast<size_t>(list.size()));
  for (int64_t i = 0; i < list.size(); ++i) {
    v1::ListParticipantsResponse message;
    *message.mutable_participant() = list.Record(i);
    ListPosition position;
    position.page = page;
    position.record.identity = static_cast<uint64_t>(i) * 0x9e3779b97f4a7c15;  // any hash will do
    position.ordinal = static_cast<uint64_t>(i) + 1;
    message.set_resume_token(tokens.Seal(position));
    Make(message, messages[static_cast<size_t>(i)]);
  }
  return messages;
}

// One call. Deletes itself.
template <typename Message>
class Stream final : public grpc::ServerWriteReactor<Message> {
 public:
  explicit Stream(const grpc::Status& refusal) { this->Finish(refusal); }

  // Number of messages per write to the socket.
  Stream(const std::vector<Message>& messages, int64_t count, int64_t batch)
      : messages_(&messages), count_(count), batch_(batch) {
    WriteNext();
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return this->Finish(grpc::Status::CANCELLED);
    WriteNext();
  }

  void OnDone() override { delete this; }

 private:
  void WriteNext() {
    if (written_ == count_) return this->Finish(grpc::Status::OK);
    // gRPC may call OnWriteDone() before StartWrite() returns.
    const Message& message = (*messages_)[static_cast<size_t>(written_) % messages_->size()];
    const bool first = written_ == 0;
    ++written_;
    // gRPC buffers a message with the hint until one without it follows. The first message is sent
    // at once.
    grpc::WriteOptions options;
    if (!first && written_ % batch_ != 0 && written_ != count_) options.set_buffer_hint();
    this->StartWrite(&message, options);
  }

  const std::vector<Message>* messages_ = nullptr;
  int64_t count_ = 0;
  int64_t batch_ = 1;
  int64_t written_ = 0;
};

// The messages of each list and mask, made once. Thread-safe.
template <typename Message>
class Lists {
 public:
  // Starts the stream that the caller requests.
  Stream<Message>* Serve(const v1::ListParticipantsRequest& request, int64_t batch) {
    const std::optional<BenchmarkList> list = BenchmarkList::Of(request);
    if (!list || list->size() == 0 || list->size() > kMaxMessages) {
      return new Stream<Message>(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT,
                                              "not a generated list of 1 to 10,000 participants"));
    }
    return new Stream<Message>(MessagesOf(*list, request),
                               request.limit() > 0 ? request.limit() : list->size(), batch);
  }

 private:
  const std::vector<Message>& MessagesOf(const BenchmarkList& list,
                                         const v1::ListParticipantsRequest& request) {
    const std::string key =
        absl::StrCat(list.path(), "\n", request.read_mask().SerializeAsString());
    const std::lock_guard lock(mutex_);
    auto& messages = messages_[key];
    if (messages == nullptr) {
      messages = std::make_unique<const std::vector<Message>>(MakeMessages<Message>(list));
    }
    return *messages;
  }

  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<const std::vector<Message>>> messages_;
};

class MessageService final : public v1::ParticipantService::CallbackService {
 public:
  grpc::ServerWriteReactor<v1::ListParticipantsResponse>* ListParticipants(
      grpc::CallbackServerContext* /*context*/,
      const v1::ListParticipantsRequest* request) override {
    return lists_.Serve(*request, 1);
  }

 private:
  Lists<v1::ListParticipantsResponse> lists_;
};

using BatchServiceBase = v1::ParticipantService::WithRawCallbackMethod_ListParticipants<
    v1::ParticipantService::WithCallbackMethod_GetParticipant<v1::ParticipantService::Service>>;

class BatchService final : public BatchServiceBase {
 public:
  explicit BatchService(int64_t batch) : batch_(batch) {}

  grpc::ServerWriteReactor<grpc::ByteBuffer>* ListParticipants(
      grpc::CallbackServerContext* /*context*/, const grpc::ByteBuffer* request) override {
    v1::ListParticipantsRequest parsed;
    grpc::ByteBuffer copy(*request);
    const grpc::Status status =
        grpc::SerializationTraits<v1::ListParticipantsRequest>::Deserialize(&copy, &parsed);
    if (!status.ok()) return new Stream<grpc::ByteBuffer>(status);
    return lists_.Serve(parsed, batch_);
  }

 private:
  const int64_t batch_;
  Lists<grpc::ByteBuffer> lists_;
};

int Main(int argc, char** argv) {
  int64_t batch = 0;
  CLI::App app("Serve generated lists by gRPC, without Rollcall's work", "message_server");
  app.add_option("--batch", batch, "Send serialized messages, this many per write to the socket")
      ->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);

  // Block the signals before any thread starts, so that only sigwait() below receives them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  MessageService messages;
  BatchService batches(batch);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(batch > 0 ? static_cast<grpc::Service*>(&batches) : &messages);
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
}  // namespace rollcall::service

int main(int argc, char** argv) { return rollcall::service::Main(argc, argv); }
