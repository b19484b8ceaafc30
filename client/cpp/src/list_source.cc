#include "client/cpp/src/list_source.h"

#include <limits>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace rollcall {
namespace {

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

struct ListSource::Call {
  explicit Call(CallCanceller& canceller) : watch(canceller, [this] { context.TryCancel(); }) {}

  grpc::ClientContext context;
  CallCanceller::Watch watch;
  std::unique_ptr<grpc::ClientReaderInterface<v1::ListParticipantsResponse>> reader;
  int64_t received = 0;  // Records.
};

ListSource::ListSource(std::shared_ptr<v1::ParticipantService::StubInterface> stub,
                       const v1::ListParticipantsRequest& request, const CallOptions& options)
    : stub_(std::move(stub)),
      limit_(request.limit()),
      request_(request),
      loop_(options),
      resume_token_(request.resume_token()) {
  request_.clear_omit_resume_tokens();  // Without tokens, the list could not resume.
}

ListSource::~ListSource() { AbandonCall(); }

bool ListSource::Next(absl::StatusOr<v1::Participant>& element) {
  while (true) {
    if (call_ == nullptr) StartCall();
    if (call_->reader->Read(&response_)) {
      if (!IsLimitReached()) {
        Take(element);
        return true;
      }
      totals_.limit_ignored = true;
      AbandonCall();
      return false;
    }
    const int64_t arrived = call_->received;
    std::optional<int64_t> sent;
    const grpc::Status status = EndCall(sent);
    if (status.ok() && sent.value_or(0) > arrived) {
      element = absl::DataLossError(
          absl::StrCat("list is incomplete: the service sent ", *sent, " records in this call, ",
                       arrived, " arrived; restart the list without a resume token"));
      return true;
    }
    if (status.ok() || IsLimitReached()) return false;
    absl::Status end = CanResume() ? loop_.AfterFailure(status) : loop_.LastError(status);
    if (!end.ok()) {
      element = std::move(end);
      return true;
    }
  }
}

void ListSource::StartCall() {
  if (received_ > 0) {
    request_.set_resume_token(resume_token_);
    if (limit_ > 0) request_.set_limit(limit_ - received_);
  }
  call_ = std::make_unique<Call>(*loop_.canceller());
  loop_.Prepare(call_->context);
  call_->reader = stub_->ListParticipants(&call_->context, request_);
  ++totals_.calls;
}

// Moving swaps the two messages, so that the next read reuses the memory of the previous element.
void ListSource::Take(absl::StatusOr<v1::Participant>& element) {
  element = std::move(*response_.mutable_participant());
  resume_token_ = response_.resume_token();
  ++received_;
  ++call_->received;
  loop_.OnProgress();
}

grpc::Status ListSource::EndCall(std::optional<int64_t>& records) {
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

void ListSource::AbandonCall() {
  if (call_ == nullptr) return;
  call_->context.TryCancel();
  call_->reader->Finish();
  call_ = nullptr;
}

}  // namespace rollcall
