#include "rollcall/participant_range.h"

#include <grpcpp/client_context.h>

#include <limits>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/cpp/src/retry_loop.h"

namespace rollcall {
namespace {

using Reader = grpc::ClientReaderInterface<v1::ListParticipantsResponse>;

// A count that the service sent in the trailing metadata. Not set if it is missing or malformed.
std::optional<int64_t> ReadTrailer(const grpc::ClientContext& context, const char* name) {
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto found = trailers.find(name);
  int64_t count;
  if (found == trailers.end() ||
      !absl::SimpleAtoi(absl::string_view(found->second.data(), found->second.size()), &count) ||
      count < 0) {
    return std::nullopt;
  }
  return count;
}

// Adds `count` to `total`, unless the sum would overflow.
void Add(std::optional<int64_t> count, std::optional<int64_t>& total) {
  if (!count.has_value()) return;
  const int64_t sum = total.value_or(0);
  if (*count <= std::numeric_limits<int64_t>::max() - sum) total = sum + *count;
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

  ~Walk() { AbandonCall(); }

  // Goes to the first element. Later calls have no effect.
  void Begin() {
    if (!begun_) Next();
    begun_ = true;
  }

  // Goes to the next element, or to the end. Must not be called at the end.
  void Next() {
    if (failed_) {  // The error was the last element.
      at_end_ = true;
      return;
    }
    while (true) {
      if (call_ == nullptr) StartCall();
      if (call_->reader->Read(&response_)) {
        if (IsLimitReached()) {
          totals_.limit_ignored = true;
          AbandonCall();
          at_end_ = true;
        } else {
          Take();
        }
        return;
      }
      const int64_t received_in_call = call_->received;
      std::optional<int64_t> sent_in_call;
      const grpc::Status status = EndCall(sent_in_call);
      if (status.ok() && sent_in_call.value_or(0) > received_in_call) {
        SetError(absl::DataLossError(absl::StrCat(
            "list is incomplete: the service sent ", *sent_in_call, " records in this call, ",
            received_in_call, " arrived; restart the list without a resume token")));
        return;
      }
      if (status.ok() || IsLimitReached()) {
        at_end_ = true;
        return;
      }
      absl::Status end = CanResume() ? loop_.AfterFailure(status) : loop_.LastError(status);
      if (!end.ok()) {
        SetError(std::move(end));
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
    int64_t received = 0;  // Records.
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

  // Makes the record that was read the current element. Moving swaps the two messages, so that the
  // next read reuses the memory of the previous element.
  void Take() {
    current_ = std::move(*response_.mutable_participant());
    resume_token_ = response_.resume_token();
    ++received_;
    ++call_->received;
    loop_.OnProgress();
  }

  // `records` is set to the number of records that the service says it sent in this call.
  grpc::Status EndCall(std::optional<int64_t>& records) {
    grpc::Status status = call_->reader->Finish();
    const grpc::ClientContext& context = call_->context;
    records = ReadTrailer(context, "rollcall-records");
    Add(records, totals_.records);
    Add(ReadTrailer(context, "rollcall-pages"), totals_.pages);
    Add(ReadTrailer(context, "rollcall-attempts"), totals_.attempts);
    Add(ReadTrailer(context, "rollcall-duplicates-suppressed"), totals_.duplicates_suppressed);
    Add(ReadTrailer(context, "rollcall-unrecognized"), totals_.unrecognized);
    call_ = nullptr;
    return status;
  }

  // Cancels the call in progress, if there is one.
  void AbandonCall() {
    if (call_ == nullptr) return;
    call_->context.TryCancel();
    call_->reader->Finish();
    call_ = nullptr;
  }

  void SetError(absl::Status error) {
    current_ = std::move(error);
    failed_ = true;
  }

  bool IsLimitReached() const { return limit_ > 0 && received_ >= limit_; }

  // Whether another call could continue after the last record.
  bool CanResume() const { return received_ == 0 || !resume_token_.empty(); }

  const std::shared_ptr<v1::ParticipantService::StubInterface> stub_;
  const int64_t limit_;                  // Of the caller's request. 0: none.
  v1::ListParticipantsRequest request_;  // Of the next call.
  RetryLoop loop_;
  std::unique_ptr<Call> call_;  // In progress, or null.
  v1::ListParticipantsResponse response_;
  absl::StatusOr<v1::Participant> current_ = v1::Participant();
  std::string resume_token_;
  int64_t received_ = 0;
  Totals totals_;
  bool begun_ = false;
  bool failed_ = false;  // The current element is the error.
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
  // A copy, because the reading thread may destroy the range as soon as the list is cancelled.
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
