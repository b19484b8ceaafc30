#include "service/upstream/page_fetch.h"

#include <utility>

#include "absl/time/clock.h"

namespace rollcall {

PageFetch::PageFetch(HttpClient& client, const UpstreamConfig& upstream, std::string url,
                     absl::string_view records_key, const PageLimits& limits, Listener& listener)
    : upstream_(upstream),
      url_(std::move(url)),
      listener_(listener),
      reader_(records_key, limits),
      transfer_(client.Get({url_, upstream.username, upstream.password, upstream.connect_timeout,
                            upstream.idle_timeout},
                           *this)) {}

void PageFetch::Open() {
  open_ = true;
  if (ended()) {
    listener_.OnPageChange();
  } else if (std::exchange(refused_body_, false)) {
    transfer_->Resume();
  }
}

absl::Status PageFetch::Outcome() const {
  // A status that refuses says enough, even where its body breaks.
  if (answer_.has_head() && !answer_.ok()) return answer_.ToStatus(upstream_, absl::Now());
  if (!end_->ok()) return *end_;
  return reader_.Finish();
}

void PageFetch::OnHead(const HttpResponse& response) { answer_.TakeHead(response); }

bool PageFetch::OnBody(absl::string_view bytes) {
  if (!answer_.ok()) {
    if (!answer_.TakeBody(bytes)) {
      transfer_.reset();
      OnDone(absl::OkStatus());  // the last thing done: it may destroy this page
    }
    return true;
  }
  if (!open_) {
    refused_body_ = true;
    return false;
  }
  reader_.Append(bytes);
  listener_.OnPageChange();  // the last thing done: it may destroy this page
  return true;
}

void PageFetch::OnDone(absl::Status status) {
  end_ = std::move(status);
  if (open_) listener_.OnPageChange();
}

}  // namespace rollcall
