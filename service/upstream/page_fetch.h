// The fetch of one page: its request, and the reader of its body. A prefetched page is requested
// before it is needed; its body is then left on the socket until Open(). Runs on the event loop's
// thread. Deletion is deferred, see HttpTransport.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "service/page/page_reader.h"
#include "service/upstream/provider_request.h"

namespace rollcall::service {

class PageFetch final : private ProviderRequest::Listener {
 public:
  class Listener {
   public:
    // The reader of an open page has more to read, or the page has ended.
    virtual void OnPageChange() = 0;

   protected:
    ~Listener() = default;
  };

  // Requests the page. What is passed by reference must outlive it, unless it is cancelled.
  PageFetch(Upstream& upstream, HttpTransport& transport, const ParticipantApi& api,
            ProviderRequest::Target target, const std::string& caller, const TraceContext& trace,
            const PageLimits& limits, Listener& listener)
      : listener_(listener),
        reader_(api.page_layout().records_key, limits),
        request_(upstream, transport, api, std::move(target), caller, trace, *this) {}

  // Reads the body from now on. The listener is called at once if some of it has arrived.
  void Open();

  // Leaves the rest of the body on the socket until the next Open().
  void Close() { open_ = false; }

  // Ends the request. The listener is not called any more.
  void Cancel() { request_.Cancel(); }

  PageReader& reader() { return reader_; }
  const ProviderRequest& request() const { return request_; }
  void Reject(const absl::Status& reason) { request_.Reject(reason); }

  // Whether the reader gets no more of the body.
  bool ended() const { return end_.has_value(); }

  // For a page that has ended and whose reader has no more to read: OK if the page is complete,
  // else why not.
  absl::Status Outcome() const;

 private:
  bool OnDocument(absl::string_view bytes) override;
  void OnRequestEnd(const absl::Status& status) override;

  Listener& listener_;
  PageReader reader_;
  bool open_ = false;
  std::optional<absl::Status> end_;
  ProviderRequest request_;
};

}  // namespace rollcall::service
