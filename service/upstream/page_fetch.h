// One page on its way: the request, what the provider answers, and the reader of its body. A page
// can be asked for before it is wanted: its body is then left on the socket until Open(). Used by
// the pager, on the thread of its event loop.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "service/config/config.h"
#include "service/http/http_client.h"
#include "service/page/page_reader.h"
#include "service/upstream/provider_answer.h"

namespace rollcall {

class PageFetch final : private HttpClient::Receiver {
 public:
  // Hears of a page that is open. May destroy the page.
  class Listener {
   public:
    // The reader has more to read, or the page has ended.
    virtual void OnPageChange() = 0;

   protected:
    ~Listener() = default;
  };

  // Sends the request. The arguments but `url` must outlive the page.
  PageFetch(HttpClient& client, const UpstreamConfig& upstream, std::string url,
            absl::string_view records_key, const PageLimits& limits, Listener& listener);

  // Lets the body in; what waited comes at once.
  void Open();

  // Leaves the rest of the body on the socket until the next Open().
  void Close() { open_ = false; }

  const std::string& url() const { return url_; }
  PageReader& reader() { return reader_; }

  // Whether no more will come: the body is there as far as it ever will be.
  bool ended() const { return end_.has_value(); }

  // Of a page that has ended and was read as far as it goes: OK if it was all of a page, else why
  // not.
  absl::Status Outcome() const;

  // Whether the provider has begun to send the page.
  bool begun() const { return answer_.ok(); }

 private:
  void OnHead(const HttpResponse& response) override;
  bool OnBody(absl::string_view bytes) override;
  void OnDone(absl::Status status) override;

  const UpstreamConfig& upstream_;
  const std::string url_;
  Listener& listener_;
  PageReader reader_;
  ProviderAnswer answer_;
  bool open_ = false;
  bool refused_body_ = false;  // so that the transfer is to be resumed
  std::optional<absl::Status> end_;
  std::unique_ptr<HttpClient::Transfer> transfer_;
};

}  // namespace rollcall
