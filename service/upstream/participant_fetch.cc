#include "service/upstream/participant_fetch.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "service/error/error.h"
#include "service/record/json_text.h"

namespace rollcall::service {

ParticipantFetch::ParticipantFetch(HttpTransport& transport, DecoderScratch& scratch,
                                   const ReadOptions& options, Upstream& upstream, GetQuery query,
                                   v1::Participant& participant, Done done,
                                   RetryPolicy::Random random)
    : transport_(transport),
      scratch_(scratch),
      options_(options),
      upstream_(upstream),
      query_(std::move(query)),
      participant_(participant),
      done_(std::move(done)),
      retry_(options.retry, std::move(random)),
      retry_timer_(transport.scheduler()) {
  Ask({query_.url, ConcurrencyLimiter::Kind::kFirst});
}

void ParticipantFetch::Cancel() {
  retry_timer_.Stop();
  if (request_ != nullptr) request_->Cancel();
}

void ParticipantFetch::Ask(ProviderRequest::Target target) {
  body_.clear();
  totals_ = totals();
  ProviderRequest::Listener& listener = *this;
  request_ =
      std::make_unique<ProviderRequest>(upstream_, transport_, *query_.api, std::move(target),
                                        query_.call.caller, query_.call.trace, listener);
}

bool ParticipantFetch::OnDocument(absl::string_view bytes) {
  body_.append(bytes.data(), bytes.size());
  if (body_.size() > options_.limits.max_record_bytes) {
    End(MakeError(v1::ERROR_REASON_UPSTREAM_LIMIT_EXCEEDED,
                  absl::StrCat("the record is larger than ", options_.limits.max_record_bytes,
                               " bytes (limits.max_record_bytes)")));
  }
  return true;
}

void ParticipantFetch::OnRequestEnd(const absl::Status& end) {
  absl::Status status = end.ok() ? Decode() : end;
  if (status.ok()) return End(status);
  const bool malformed =
      end.ok() && ReasonOf(status) == v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE;
  if (malformed && request_->may_be_cut()) {
    status = MakeError(v1::ERROR_REASON_UPSTREAM_UNREACHABLE,
                       "the connection to the provider ended before the record was complete");
  }
  if (malformed) request_->Reject(status);
  const bool new_connection = NeedsNewConnection(status);
  // A new call whose first request is refused unsent fails immediately.
  const auto wait =
      totals().attempts > 0
          ? retry_.AfterFailure(status, query_.call.deadline.TimeLeft(transport_.scheduler().Now()))
          : std::nullopt;
  if (!wait) return End(status);
  upstream_.requests.OnRetry();
  retry_timer_.Start(*wait, [this, new_connection] {
    Ask({query_.url, ConcurrencyLimiter::Kind::kNext, new_connection});
  });
}

absl::Status ParticipantFetch::Decode() {
  if (NestingOf(body_) > options_.limits.max_json_depth) {
    return MakeError(v1::ERROR_REASON_UPSTREAM_LIMIT_EXCEEDED,
                     absl::StrCat("the record is nested deeper than ",
                                  options_.limits.max_json_depth, " (limits.max_json_depth)"));
  }
  RecordDecoder decoder(scratch_, query_.api->record_schema(), query_.selection,
                        upstream_.options.account.options.strict, query_.ids);
  const size_t size = body_.size();
  body_.append(RecordDecoder::kPadding, '\0');
  absl::Status status = decoder.Decode(absl::string_view(body_.data(), size));
  if (ReasonOf(status) == v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE) return status;
  if (!decoder.has_requested_field()) {
    return MakeError(
        v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE,
        absl::StrCat("the provider's response is not a participant: it has neither "
                     "member \"",
                     query_.ids.front().field, "\" nor \"", query_.ids.back().field, "\""));
  }
  // An unrecognized value may be the error.
  upstream_.participants.OnParticipant(decoder.record(), decoder.unrecognized());
  totals_.unrecognized += decoder.unrecognized().size();
  if (!status.ok()) return status;
  const absl::string_view bytes = decoder.bytes();
  if (!participant_.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::InternalError("a decoded participant is not a valid protobuf message");
  }
  return absl::OkStatus();
}

CallTotals ParticipantFetch::totals() const {
  CallTotals totals = totals_;
  if (request_ != nullptr) totals.attempts += request_->times_sent();
  return totals;
}

void ParticipantFetch::End(const absl::Status& status) {
  totals_ = totals();
  if (status.ok()) totals_.records = 1;
  request_->Cancel();
  transport_.scheduler().DeleteLater(std::move(request_));
  done_(InUpstream(status, upstream_.options.account), totals_);
}

}  // namespace rollcall::service
