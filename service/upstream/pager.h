// Walks the pages of one list: fetches a page, passes each record to its sink as soon as it is
// decoded, and requests the next page as soon as its link is read. Reads no more than the sink has
// room for. A page that fails is fetched again; a list whose next link has expired is restarted
// from its first page. A ReplayCursor then tells which records are new. Runs on the event loop's
// thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "service/http/http_transport.h"
#include "service/metrics/call_totals.h"
#include "service/query/query.h"
#include "service/record/record_decoder.h"
#include "service/upstream/page_fetch.h"
#include "service/upstream/read_options.h"
#include "service/upstream/replay_cursor.h"
#include "service/upstream/retry_policy.h"
#include "service/upstream/upstream.h"

namespace rollcall::service {

// Receives the records of a list, in order.
class RecordSink {
 public:
  // Whether there is room for a record. After false, the sink calls Pager::Resume() once there is.
  virtual bool HasRoom() = 0;

  // The next record: a serialized v1::Participant, and the position after it. Both are valid until
  // return.
  virtual void Take(absl::string_view participant, const ListPosition& position) = 0;

  // The next record may take long: send the records so far. Until this call a sink may keep them,
  // because many at once cost less.
  virtual void Flush() = 0;

  // The list is complete, or an error ended it. The last call.
  virtual void OnListEnd(const absl::Status& status, const CallTotals& totals) = 0;

 protected:
  ~RecordSink() = default;
};

class Pager final : private PageFetch::Listener {
 public:
  // What is passed by reference must outlive the pager. `scratch` belongs to the event loop.
  // `random` is for the waits between retries.
  Pager(HttpTransport& transport, DecoderScratch& scratch, const ReadOptions& options,
        Upstream& upstream, ListQuery query, RecordSink& sink,
        RetryPolicy::Random random = &RandomFraction);
  ~Pager() = default;
  Pager(const Pager&) = delete;
  Pager& operator=(const Pager&) = delete;

  // Requests the first page. Must not be called by the sink.
  void Start();

  // Continues after the sink had no room.
  void Resume();

  // Ends the list early, for a reason that is not the upstream's.
  void Stop(const absl::Status& reason);

 private:
  void OnPageChange() override { Read(); }

  std::unique_ptr<PageFetch> Ask(ProviderRequest::Target target);
  void Read();
  void ReadPage();
  void FailPage(const absl::Status& failure);
  absl::Status TakeEnvelopeMember();
  absl::Status ResolveNextLink(const std::string& link);
  bool WantsPrefetch() const;
  absl::Status TakeRecord();
  void CountParticipants();
  void FinishPage();
  std::string TargetOf(const std::string& url) const;
  absl::Status GoToNextPage();
  void Retry(const absl::Status& failure);
  void RestartList();
  void Leave(std::unique_ptr<PageFetch>& page);
  void End(const absl::Status& status);
  void Finish(const absl::Status& status);

  HttpTransport& transport_;
  const ReadOptions& options_;
  Upstream& upstream_;
  ListQuery query_;
  const PageLayout layout_;
  RecordSink& sink_;
  RecordDecoder decoder_;
  RetryPolicy retry_;
  CallTotals totals_;
  int64_t not_counted_ = 0;  // participants that the monitor has not been told of
  ReplayCursor cursor_;

  // The page that is being read.
  std::unique_ptr<PageFetch> page_;
  bool record_waits_ = false;  // the reader's record has not been passed on yet
  bool sink_is_full_ = false;
  Timer retry_timer_;

  // The page after it.
  bool link_seen_ = false;  // this page's link was read, even if it is null
  std::string next_url_;    // empty if there is none or it is not known yet
  std::unique_ptr<PageFetch> next_page_;

  bool ended_ = false;
};

}  // namespace rollcall::service
