#include "service/upstream/page_fetch.h"

#include "service/error/error.h"

namespace rollcall::service {

void PageFetch::Open() {
  open_ = true;
  if (ended()) {
    listener_.OnPageChange();
    return;
  }
  request_.Want();
  request_.Resume();
}

absl::Status PageFetch::Outcome() const {
  if (!end_->ok()) return *end_;
  absl::Status complete = reader_.Finish();
  if (!complete.ok() && request_.may_be_cut()) {
    return MakeError(v1::ERROR_REASON_UPSTREAM_UNREACHABLE,
                     "the connection to the provider ended before the page was complete");
  }
  return complete;
}

bool PageFetch::OnDocument(absl::string_view bytes) {
  if (!open_) return false;
  reader_.Append(bytes);
  listener_.OnPageChange();
  return true;
}

void PageFetch::OnRequestEnd(const absl::Status& status) {
  end_ = status;
  if (open_) listener_.OnPageChange();
}

}  // namespace rollcall::service
