// Fetches one participant with one request, and retries transient failures. Runs on the event
// loop's thread. Deletion is deferred, see HttpTransport.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "rollcall/v1/participant.pb.h"
#include "service/http/http_transport.h"
#include "service/metrics/call_totals.h"
#include "service/query/query.h"
#include "service/record/record_decoder.h"
#include "service/upstream/provider_request.h"
#include "service/upstream/read_options.h"
#include "service/upstream/retry_policy.h"

namespace rollcall::service {

class ParticipantFetch final : private ProviderRequest::Listener {
 public:
  using Done = std::function<void(const absl::Status&, const CallTotals&)>;

  // Sends the request. `done` is called once, when `participant` is filled or with an error. What
  // is passed by reference must outlive the fetch, unless it is cancelled; `scratch` belongs to the
  // event loop. `random` is for the waits between retries.
  ParticipantFetch(HttpTransport& transport, DecoderScratch& scratch, const ReadOptions& options,
                   Upstream& upstream, GetQuery query, v1::Participant& participant, Done done,
                   RetryPolicy::Random random = &RandomFraction);

  // Cancels the fetch. Not inside a callback.
  ~ParticipantFetch() { Cancel(); }
  ParticipantFetch(const ParticipantFetch&) = delete;
  ParticipantFetch& operator=(const ParticipantFetch&) = delete;

  // Ends the request and the retries. `done` is not called any more.
  void Cancel();

  CallTotals totals() const;

 private:
  bool OnDocument(absl::string_view bytes) override;
  void OnRequestEnd(const absl::Status& end) override;
  void Ask(ProviderRequest::Target target);
  absl::Status Decode();
  void End(const absl::Status& status);

  HttpTransport& transport_;
  DecoderScratch& scratch_;
  const ReadOptions& options_;
  Upstream& upstream_;
  const GetQuery query_;
  v1::Participant& participant_;
  const Done done_;
  RetryPolicy retry_;
  Timer retry_timer_;

  // Of the current request.
  std::string body_;
  std::unique_ptr<ProviderRequest> request_;

  CallTotals totals_;
};

}  // namespace rollcall::service
