// One request to a provider: waits for a permit, is sent, and ends with the requested document or
// with an error. A response with another status than 200 is an error, whose body is read only for
// its code. Runs on the event loop's thread. Deletion is deferred, see HttpTransport.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "service/http/http_transport.h"
#include "service/provider/participant_api.h"
#include "service/upstream/concurrency_limiter.h"
#include "service/upstream/provider_answer.h"
#include "service/upstream/upstream.h"

namespace rollcall::service {

// A GET of `url` with the settings of `upstream`. The other arguments must outlive the transfer.
HttpRequest MakeHttpRequest(const UpstreamOptions& upstream, std::string url,
                            const Secret& password, const TraceContext& trace);

class ProviderRequest final : private HttpTransport::Receiver {
 public:
  class Listener {
   public:
    // The next bytes of the document. False refuses them: they are passed again after Resume().
    virtual bool OnDocument(absl::string_view bytes) = 0;
    // The last call. OK if the document is complete as far as HTTP can tell.
    virtual void OnRequestEnd(const absl::Status& status) = 0;

   protected:
    ~Listener() = default;
  };

  struct Target {
    std::string url;
    ConcurrencyLimiter::Kind kind;
    bool new_connection = false;  // as in HttpRequest
  };

  // `listener` is not called from here. `upstream`, `transport`, `api`, `trace` and `listener` must
  // outlive the request, unless it is cancelled. `caller` is the name by which the limiter serves
  // callers in turn.
  ProviderRequest(Upstream& upstream, HttpTransport& transport, const ParticipantApi& api,
                  Target target, std::string caller, const TraceContext& trace, Listener& listener);
  // Cancels the request. Not inside a callback.
  ~ProviderRequest() { Cancel(); }
  ProviderRequest(const ProviderRequest&) = delete;
  ProviderRequest& operator=(const ProviderRequest&) = delete;

  const std::string& url() const { return target_.url; }

  // Ends the request and returns its permit. The listener is not called any more. Has no effect the
  // second time.
  void Cancel();

  // A prefetched document is needed now.
  void Want();

  // Continues after a refusal, if there was one.
  void Resume();

  // The document is unusable, for this reason, and the request counts as failed. The document may
  // be the response to another request, so no further request is sent on its connection.
  void Reject(const absl::Status& reason);

  // How often the request was sent: once more if its credentials were rejected, and had been
  // replaced meanwhile.
  int times_sent() const { return times_sent_; }
  bool sent() const { return times_sent_ > 0; }

  // Whether the limiter refused the request, or took its connection back because it was a prefetch.
  bool denied() const { return denied_; }

  // Whether the provider has begun to send the document.
  bool answered() const { return answer_.ok(); }

  // Whether a truncated document could look complete, because HTTP does not say where it ends.
  bool may_be_cut() const { return may_be_cut_; }

 private:
  void OnDecision(const absl::Status& status);
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
  std::optional<Secret> password_;     // with which it was sent
  bool wanted_;
  bool denied_ = false;
  bool may_be_cut_ = false;
  bool counted_ = false;  // by the monitor
  bool refused_ = false;  // the transfer is paused
  int resumed_ = 0;       // how often the transfer was resumed
  Timer stall_timer_;
  std::unique_ptr<ConcurrencyLimiter::Permit> permit_;  // null once the request is over
  std::unique_ptr<HttpTransport::Transfer> transfer_;
};

}  // namespace rollcall::service
