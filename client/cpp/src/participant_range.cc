#include "rollcall/participant_range.h"

#include <grpcpp/client_context.h>

#include <limits>
#include <utility>

#include "absl/strings/numbers.h"
#include "client/cpp/src/retry_loop.h"

namespace rollcall {
namespace {

using Reader = grpc::ClientReaderInterface<v1::ListParticipantsResponse>;

// Adds the number that the service sent under `name`, if it did.
void AddTrailer(const grpc::ClientContext& context, const char* name,
                std::optional<int64_t>& total) {
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto found = trailers.find(name);
  int64_t count;
  if (found == trailers.end() ||
      !absl::SimpleAtoi(absl::string_view(found->second.data(), found->second.size()), &count)) {
    return;
  }
  // Nor is a number believed that the sum has no room for.
  const int64_t sum = total.value_or(0);
  if (count >= 0 && count <= std::numeric_limits<int64_t>::max() - sum) total = sum + count;
}

}  // namespace

class ParticipantRange::Walk {
 public:
  Walk(std::shared_ptr<v1::ParticipantService::StubInterface> stub,
       const v1::ListParticipantsRequest& request, const CallOptions& options)
      : stub_(std::move(stub)),
        limit_(request.limit()),
        request_(request),
        loop_(options),
        resume_token_(request.resume_token()) {}

  ~Walk() {
    if (call_ == nullptr) return;
    call_->context.TryCancel();
    call_->reader->Finish();
  }

  // Goes to the first element; later it does nothing.
  void Begin() {
    if (!begun_) Next();
    begun_ = true;
  }

  // Goes to the next element, or to the end. Not to be called there.
  void Next() {
    if (failed_) {  // The error was the last element.
      at_end_ = true;
      return;
    }
    while (true) {
      if (call_ == nullptr) StartCall();
      if (call_->reader->Read(&response_)) {
        Take();
        return;
      }
      const grpc::Status status = EndCall();
      if (status.ok() || (limit_ > 0 && received_ >= limit_)) {
        at_end_ = true;
        return;
      }
      absl::Status end = MayGoOn() ? loop_.AfterFailure(status) : loop_.LastError(status);
      if (!end.ok()) {
        current_ = std::move(end);
        failed_ = true;
        return;
      }
    }
  }

  bool at_end() const { return at_end_; }
  absl::StatusOr<v1::Participant>& current() { return current_; }
  const std::string& resume_token() const { return resume_token_; }
  const Totals& totals() const { return totals_; }
  const std::shared_ptr<CallCanceller>& canceller() const { return loop_.canceller(); }

 private:
  struct Call {
    explicit Call(CallCanceller& canceller) : watch(canceller, [this] { context.TryCancel(); }) {}

    grpc::ClientContext context;
    CallCanceller::Watch watch;
    std::unique_ptr<Reader> reader;
  };

  void StartCall() {
    if (received_ > 0) {
      request_.set_resume_token(resume_token_);
      if (limit_ > 0) request_.set_limit(limit_ - received_);
    }
    call_ = std::make_unique<Call>(*loop_.canceller());
    loop_.Prepare(call_->context);
    call_->reader = stub_->ListParticipants(&call_->context, request_);
    ++totals_.calls;
  }

  // The record that was read becomes the element. What memory the last one leaves is used for the
  // next.
  void Take() {
    current_ = std::move(*response_.mutable_participant());
    resume_token_ = response_.resume_token();
    ++received_;
    loop_.OnProgress();
  }

  grpc::Status EndCall() {
    grpc::Status status = call_->reader->Finish();
    const grpc::ClientContext& context = call_->context;
    AddTrailer(context, "rollcall-records", totals_.records);
    AddTrailer(context, "rollcall-pages", totals_.pages);
    AddTrailer(context, "rollcall-attempts", totals_.attempts);
    AddTrailer(context, "rollcall-duplicates-suppressed", totals_.duplicates_suppressed);
    AddTrailer(context, "rollcall-unrecognized", totals_.unrecognized);
    call_ = nullptr;
    return status;
  }

  // Whether another call could begin right behind the last record.
  bool MayGoOn() const { return received_ == 0 || !resume_token_.empty(); }

  const std::shared_ptr<v1::ParticipantService::StubInterface> stub_;
  const int64_t limit_;                  // The caller's; 0 is none.
  v1::ListParticipantsRequest request_;  // Of the next call.
  RetryLoop loop_;
  std::unique_ptr<Call> call_;  // In progress, or null.
  v1::ListParticipantsResponse response_;
  absl::StatusOr<v1::Participant> current_ = v1::Participant();
  std::string resume_token_;
  int64_t received_ = 0;
  Totals totals_;
  bool begun_ = false;
  bool failed_ = false;  // The element is the error.
  bool at_end_ = false;
};

ParticipantRange::ParticipantRange(std::shared_ptr<v1::ParticipantService::StubInterface> stub,
                                   const v1::ListParticipantsRequest& request,
                                   const CallOptions& options)
    : walk_(std::make_unique<Walk>(std::move(stub), request, options)) {}

ParticipantRange::ParticipantRange(ParticipantRange&&) noexcept = default;
ParticipantRange& ParticipantRange::operator=(ParticipantRange&&) noexcept = default;
ParticipantRange::~ParticipantRange() = default;

ParticipantRange::Iterator ParticipantRange::begin() {
  walk_->Begin();
  return Iterator(walk_->at_end() ? nullptr : walk_.get());
}

ParticipantRange::Iterator ParticipantRange::end() { return Iterator(); }

const std::string& ParticipantRange::resume_token() const { return walk_->resume_token(); }

const ParticipantRange::Totals& ParticipantRange::totals() const { return walk_->totals(); }

void ParticipantRange::Cancel() {
  // A copy: the thread that reads may end the range as soon as it learns of this.
  const std::shared_ptr<CallCanceller> canceller = walk_->canceller();
  canceller->Cancel();
}

ParticipantRange::Iterator::reference ParticipantRange::Iterator::operator*() const {
  return walk_->current();
}

ParticipantRange::Iterator& ParticipantRange::Iterator::operator++() {
  walk_->Next();
  if (walk_->at_end()) walk_ = nullptr;
  return *this;
}

}  // namespace rollcall
