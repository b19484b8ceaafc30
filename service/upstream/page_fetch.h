// One page on its way: the request for it and the reader of its body. A page can be asked for
// before it is wanted: its body is then left on the socket until Open(). Runs on the event loop's
// thread.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "service/page/page_reader.h"
#include "service/upstream/provider_request.h"

namespace rollcall {

class PageFetch final : private ProviderRequest::Listener {
 public:
  // Hears of a page that is open. May destroy the page.
  class Listener {
   public:
    // The reader has more to read, or the page has ended.
    virtual void OnPageChange() = 0;

   protected:
    ~Listener() = default;
  };

  // Asks for the page. What is passed by reference must outlive it.
  PageFetch(Upstream& upstream, HttpTransport& transport, const ParticipantApi& api,
            ProviderRequest::Target target, const std::string& caller, const TraceContext& trace,
            const PageLimits& limits, Listener& listener)
      : listener_(listener),
        reader_(api.page_layout().records_key, limits),
        request_(upstream, transport, api, std::move(target), caller, trace, *this) {}

  // Lets the body in; what waited comes at once.
  void Open();

  // Leaves the rest of the body on the socket until the next Open().
  void Close() { open_ = false; }

  PageReader& reader() { return reader_; }
  const ProviderRequest& request() const { return request_; }
  void Reject(const absl::Status& reason) { request_.Reject(reason); }

  // Whether no more will come: the body is there as far as it ever will be.
  bool ended() const { return end_.has_value(); }

  // Of a page that has ended and was read as far as it goes: OK if it was all of a page, else why
  // not.
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

}  // namespace rollcall
