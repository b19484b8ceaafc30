#include "service/upstream/participant_fetch.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "service/error/error.h"
#include "service/record/record_decoder.h"

namespace rollcall {

ParticipantFetch::ParticipantFetch(HttpClient& client, const Config& config, Upstream& upstream,
                                   GetQuery query, v1::Participant& participant, Done done)
    : client_(client),
      config_(config),
      upstream_(upstream),
      query_(std::move(query)),
      participant_(participant),
      done_(std::move(done)),
      retry_(config.retry, &RandomFraction) {
  Ask(RequestGate::Kind::kFirst);
}

ParticipantFetch::~ParticipantFetch() {
  if (retry_timer_) client_.loop().Cancel(*retry_timer_);
}

void ParticipantFetch::Ask(RequestGate::Kind kind) {
  body_.clear();
  totals_ = totals();
  ProviderRequest::Listener& listener = *this;
  request_ = std::make_unique<ProviderRequest>(upstream_, client_, *query_.api, query_.url, kind,
                                               query_.call.caller, query_.call.trace, listener);
}

bool ParticipantFetch::OnDocument(absl::string_view bytes) {
  body_.append(bytes.data(), bytes.size());
  if (body_.size() > config_.limits.max_record_bytes) {
    End(MakeError(v1::ERROR_REASON_UPSTREAM_LIMIT_EXCEEDED,
                  absl::StrCat("the record is over ", config_.limits.max_record_bytes,
                               " bytes (limits.max_record_bytes)")));
  }
  return true;
}

void ParticipantFetch::OnRequestEnd(const absl::Status& end) {
  absl::Status status = end;
  if (status.ok()) {
    status = Decode();
    if (ReasonOf(status) != v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE ||
        !request_->may_be_cut()) {
      return End(status);
    }
    status = MakeError(v1::ERROR_REASON_UPSTREAM_UNREACHABLE,
                       "the connection to the provider ended before the record was complete");
  }
  // A new call that is refused before anything was sent is told so at once.
  const auto wait = totals().attempts > 0
                        ? retry_.AfterFailure(status, query_.call.deadline.TimeLeft())
                        : std::nullopt;
  if (!wait) return End(status);
  upstream_.requests.OnRetry();
  retry_timer_ = client_.loop().After(*wait, [this] {
    retry_timer_.reset();
    Ask(RequestGate::Kind::kNext);
  });
}

absl::Status ParticipantFetch::Decode() {
  RecordDecoder decoder(query_.api->record_schema(), query_.selection, upstream_.config.strict);
  const size_t size = body_.size();
  body_.append(RecordDecoder::kPadding, '\0');
  absl::Status status = decoder.Decode(absl::string_view(body_.data(), size));
  // An unrecognized value may be the error.
  upstream_.participants.OnParticipant(decoder.record(), decoder.unrecognized());
  totals_.unrecognized += decoder.unrecognized().size();
  if (!status.ok()) return status;
  const absl::string_view bytes = decoder.bytes();
  if (!participant_.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::InternalError("a participant was decoded to what is no protobuf message");
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
  request_.reset();
  // The last thing done: it may destroy this fetch.
  done_(InUpstream(status, upstream_.config), totals_);
}

}  // namespace rollcall
