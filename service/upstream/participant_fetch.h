// Gets one participant: one record, by one request, or more where that fails and may help. Made by
// a GetParticipant call; everything here is for the thread of its event loop.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "rollcall/v1/participant.pb.h"
#include "service/config/config.h"
#include "service/http/http_transport.h"
#include "service/query/query.h"
#include "service/record/record_decoder.h"
#include "service/telemetry/call_totals.h"
#include "service/upstream/provider_request.h"
#include "service/upstream/retry_policy.h"

namespace rollcall {

class ParticipantFetch final : private ProviderRequest::Listener {
 public:
  using Done = std::function<void(const absl::Status&, const CallTotals&)>;

  // Sends the request. `done` is called once, when `participant` is filled or with an error, and
  // may destroy the fetch. What is passed by reference must outlive the fetch; `scratch` belongs to
  // the event loop. `random` is for the waits between retries.
  ParticipantFetch(HttpTransport& transport, DecoderScratch& scratch, const Config& config,
                   Upstream& upstream, GetQuery query, v1::Participant& participant, Done done,
                   RetryPolicy::Random random = &RandomFraction);

  // What it came to so far.
  CallTotals totals() const;

  ParticipantFetch(const ParticipantFetch&) = delete;
  ParticipantFetch& operator=(const ParticipantFetch&) = delete;

 private:
  bool OnDocument(absl::string_view bytes) override;
  void OnRequestEnd(const absl::Status& end) override;
  void Ask(ProviderRequest::Target target);
  absl::Status Decode();
  void End(const absl::Status& status);

  HttpTransport& transport_;
  DecoderScratch& scratch_;
  const Config& config_;
  Upstream& upstream_;
  const GetQuery query_;
  v1::Participant& participant_;
  const Done done_;
  RetryPolicy retry_;
  Timer retry_timer_;

  // Of the request that is under way.
  std::string body_;
  std::unique_ptr<ProviderRequest> request_;

  CallTotals totals_;
};

}  // namespace rollcall
