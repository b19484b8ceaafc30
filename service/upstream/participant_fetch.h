// Gets one participant: one request, one record. Made by a GetParticipant call; everything here is
// for the thread of its event loop.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "rollcall/v1/participant.pb.h"
#include "service/config/config.h"
#include "service/http/http_client.h"
#include "service/query/query.h"
#include "service/telemetry/participant_monitor.h"
#include "service/upstream/provider_answer.h"

namespace rollcall {

class ParticipantFetch final : private HttpClient::Receiver {
 public:
  using Done = std::function<void(absl::Status)>;

  // Begins. `done` is called once, after `participant` is filled or with an error; the fetch may be
  // destroyed in it. The other arguments must outlive the fetch.
  ParticipantFetch(HttpClient& client, const Limits& limits, GetQuery query,
                   ParticipantMonitor& monitor, v1::Participant& participant, Done done);

 private:
  void OnHead(const HttpResponse& response) override;
  bool OnBody(absl::string_view bytes) override;
  void OnDone(absl::Status status) override;
  absl::Status Decode();
  void End(const absl::Status& status);

  const Limits& limits_;
  const GetQuery query_;
  ParticipantMonitor& monitor_;
  v1::Participant& participant_;
  const Done done_;
  ProviderAnswer answer_;
  std::string body_;
  std::unique_ptr<HttpClient::Transfer> transfer_;
};

}  // namespace rollcall
