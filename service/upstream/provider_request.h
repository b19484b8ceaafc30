// One request to a provider: waits for its turn, is sent, and ends with the document that was asked
// for or with an error that says why there is none. The two differ by the answer's status: the body
// of a refusal is read for its error code and goes no further. Runs on the event loop's thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "service/http/http_transport.h"
#include "service/provider/participant_api.h"
#include "service/recording/recording.h"
#include "service/upstream/concurrency_limiter.h"
#include "service/upstream/provider_answer.h"
#include "service/upstream/upstream.h"

namespace rollcall {

// The GET of `url` as this upstream is asked. The other arguments must outlive the transfer.
HttpRequest MakeHttpRequest(const UpstreamConfig& upstream, std::string url, const Secret& password,
                            const TraceContext& trace);

class ProviderRequest final : private HttpTransport::Receiver {
 public:
  // Any of its functions may destroy the request.
  class Listener {
   public:
    // The next bytes of the document. False refuses them: they come again after Resume().
    virtual bool OnDocument(absl::string_view bytes) = 0;
    // The last call. OK: the document has come as far as HTTP can tell.
    virtual void OnRequestEnd(const absl::Status& status) = 0;

   protected:
    ~Listener() = default;
  };

  // What to ask for, and how.
  struct Target {
    std::string url;
    ConcurrencyLimiter::Kind kind;
    bool new_connection = false;  // as in HttpRequest
  };

  // Nothing is called from here. `upstream`, `transport`, `api`, `trace` and `listener` must
  // outlive the request. `caller` names who asks, for those who wait in line.
  ProviderRequest(Upstream& upstream, HttpTransport& transport, const ParticipantApi& api,
                  Target target, std::string caller, const TraceContext& trace, Listener& listener);
  ~ProviderRequest();
  ProviderRequest(const ProviderRequest&) = delete;
  ProviderRequest& operator=(const ProviderRequest&) = delete;

  const std::string& url() const { return target_.url; }

  // A request that was made as a prefetch is waited for from now on.
  void Want();

  // Lets the document go on after a refusal, if there was one.
  void Resume();

  // The request is of no use, for this reason, and counts as failed. If it has a document, that may
  // be the response to another request, so its connection carries no further one.
  void Reject(const absl::Status& reason);

  // How often it went out to the provider: again where the credentials that it had were rejected
  // and had been replaced meanwhile.
  int times_sent() const { return times_sent_; }
  bool sent() const { return times_sent_ > 0; }

  // Whether the provider has begun to send the document.
  bool answered() const { return answer_.ok(); }

  // Whether a document that was cut short could look as one that ended: HTTP says nothing of its
  // length.
  bool may_be_cut() const { return may_be_cut_; }

 private:
  void OnTurn(const absl::Status& status);
  void Send();
  void Count(const absl::Status& failure);
  void OnHead(const HttpResponse& response) override;
  bool OnBody(absl::string_view bytes) override;
  void OnDone(absl::Status status) override;
  void WatchForStall();

  Upstream& upstream_;
  HttpTransport& transport_;
  const ParticipantApi& api_;
  const Target target_;
  const TraceContext& trace_;
  Listener& listener_;
  ProviderAnswer answer_;
  int times_sent_ = 0;
  Scheduler::Clock::time_point sent_;  // when, the last time
  std::optional<Secret> password_;     // with which
  bool wanted_;
  bool may_be_cut_ = false;
  bool counted_ = false;  // by the monitor
  bool refused_ = false;  // so that the transfer is to be resumed
  int resumed_ = 0;       // how often
  Timer stall_timer_;
  std::shared_ptr<Recording::Answer> recorded_;         // null where nothing is recorded
  std::unique_ptr<ConcurrencyLimiter::Permit> permit_;  // null once the request is over
  std::unique_ptr<HttpTransport::Transfer> transfer_;
};

}  // namespace rollcall
