// Walks the pages of one list: gets a page, hands each record on as soon as it is decoded, and asks
// for the next page as soon as its link is read. Reads no more than its sink takes. A page that
// fails is fetched again, and what was handed on of it before is recognised and left out. Where the
// provider does not know its own link any more, the list is walked again from its first page to
// where it was. Made by a ListParticipants call; everything here is for the thread of its event
// loop.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "service/config/config.h"
#include "service/http/http_client.h"
#include "service/query/query.h"
#include "service/record/record_decoder.h"
#include "service/telemetry/call_totals.h"
#include "service/upstream/page_fetch.h"
#include "service/upstream/retry_policy.h"
#include "service/upstream/upstream.h"

namespace rollcall {

// What a list came to.
struct ListTotals : CallTotals {
  std::string resume_token;  // of the last record; empty before the first
};

// Takes the records of a list, in order.
class RecordSink {
 public:
  // Whether there is room for a record. After false, the sink calls Pager::Resume() once there is.
  virtual bool HasRoom() = 0;

  // The next record: a serialized v1::Participant, and the token of the place behind it, which may
  // be empty. Both are the pager's again on return.
  virtual void Take(absl::string_view participant, absl::string_view resume_token) = 0;

  // The next record may be long in coming: those taken are to be on their way now. Until then a
  // sink may keep them, since many together cost less than one at a time.
  virtual void Flush() = 0;

  // There are no more records: the list is complete, or an error ended it. The last call.
  virtual void OnListEnd(const absl::Status& status, const ListTotals& totals) = 0;

 protected:
  ~RecordSink() = default;
};

class Pager final : private PageFetch::Listener {
 public:
  // All of the arguments but `query` must outlive the pager.
  Pager(HttpClient& client, const Config& config, Upstream& upstream, ListQuery query,
        RecordSink& sink);
  ~Pager();
  Pager(const Pager&) = delete;
  Pager& operator=(const Pager&) = delete;

  // Begins. Not called from within the sink.
  void Start();

  // Goes on after the sink had no room.
  void Resume();

  // Ends the list where it is, for a reason that is not the upstream's.
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
  bool IsNew(uint64_t identity);
  absl::Status PassOver(uint64_t identity);
  void CountParticipants();
  void FinishPage();
  absl::Status GoToNextPage();
  void Retry(const absl::Status& failure);
  bool CanWalkAgain() const;
  void WalkAgain();
  void Leave(std::unique_ptr<PageFetch>& page);
  void End(const absl::Status& status);
  void Finish(const absl::Status& status);

  HttpClient& client_;
  const Config& config_;
  Upstream& upstream_;
  ListQuery query_;
  const PageLayout layout_;
  RecordSink& sink_;
  RecordDecoder decoder_;
  RetryPolicy retry_;
  ListTotals totals_;
  int64_t not_counted_ = 0;                // of the participants, by the monitor
  int64_t pages_asked_ = 0;                // of this walk through the list
  absl::flat_hash_set<size_t> urls_seen_;  // hashes

  // The page that is being read, and where it is.
  std::unique_ptr<PageFetch> page_;
  bool record_waits_ = false;  // the reader's record was not handed on yet
  bool sink_is_full_ = false;
  std::optional<EventLoop::TimerId> retry_timer_;

  // Records of this page that are dealt with, in case it must be fetched again; and, once it is,
  // those of them that have not come again yet.
  // How often each: a provider may name one twice.
  absl::flat_hash_map<uint64_t, uint32_t> taken_;
  absl::flat_hash_map<uint64_t, uint32_t> expected_again_;
  // The record of a resume token, behind which this list begins, until it has come.
  std::optional<ListPosition> begin_behind_;

  // The last record that was handed on, here or before the resume token; its page is the one that
  // is being read.
  ListPosition position_;
  bool ordinals_known_;  // whether the list is walked from its first page
  // While the list is walked again: how many records are still to be passed over, of which the last
  // must be the last one that was handed on.
  uint64_t to_pass_over_ = 0;
  std::optional<uint64_t> walked_again_at_;  // position_.ordinal of the last time
  int walks_again_ = 0;

  // The page after it.
  bool link_seen_ = false;  // whether this page said where it is, or that there is none
  std::string next_url_;    // empty where there is none, or it is not known yet
  std::unique_ptr<PageFetch> next_page_;

  bool ended_ = false;
};

}  // namespace rollcall
