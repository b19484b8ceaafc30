// Walks the pages of one list: gets a page, hands each record on as soon as it is decoded, follows
// the link to the next page. Reads no more than its sink takes. Made by a ListParticipants call;
// everything here is for the thread of its event loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "rollcall/v1/participant_service.pb.h"
#include "service/config/config.h"
#include "service/http/http_client.h"
#include "service/page/page_reader.h"
#include "service/query/query.h"
#include "service/record/record_decoder.h"
#include "service/telemetry/participant_monitor.h"
#include "service/upstream/provider_answer.h"

namespace rollcall {

// What a list came to.
struct ListTotals {
  int64_t records = 0;
  int64_t pages = 0;         // that the provider began to send
  int64_t attempts = 0;      // requests sent
  int64_t unrecognized = 0;  // values that have no place in the typed records
};

// Takes the records of a list, in order.
class RecordSink {
 public:
  // Where to decode the next record to: an empty message, or null while there is no room. After
  // null, the sink calls Pager::Resume() once there is.
  virtual v1::ListParticipantsResponse* NextSlot() = 0;

  // The record in the slot that NextSlot() gave last is complete. `bytes` is about the memory it
  // takes.
  virtual void Commit(size_t bytes) = 0;

  // There are no more records: the list is complete, or an error ended it. The last call.
  virtual void OnListEnd(const absl::Status& status, const ListTotals& totals) = 0;

 protected:
  ~RecordSink() = default;
};

class Pager final : private HttpClient::Receiver {
 public:
  // All of the arguments must outlive the pager.
  Pager(HttpClient& client, const Limits& limits, ListQuery query, ParticipantMonitor& monitor,
        RecordSink& sink);

  // Begins. Not called from within the sink.
  void Start();

  // Goes on after the sink had no room.
  void Resume();

 private:
  void OnHead(const HttpResponse& response) override;
  bool OnBody(absl::string_view bytes) override;
  void OnDone(absl::Status status) override;

  void GetPage(const std::string& url);
  void ReadPage();
  absl::Status TakeEnvelopeMember();
  absl::Status DeliverRecord(v1::ListParticipantsResponse& slot);
  void FinishPage();
  void End(const absl::Status& status);

  HttpClient& client_;
  const Limits& limits_;
  const ListQuery query_;
  const PageLayout layout_;
  ParticipantMonitor& monitor_;
  RecordSink& sink_;
  PageReader reader_;
  RecordDecoder decoder_;
  ListTotals totals_;
  std::unordered_set<size_t> urls_seen_;  // hashes

  // Of the page that is being read.
  std::unique_ptr<HttpClient::Transfer> transfer_;
  ProviderAnswer answer_;
  std::optional<absl::Status> body_end_;  // how the transfer ended, once it has
  bool record_waits_ = false;             // the reader's record was not handed on yet
  bool sink_is_full_ = false;
  bool refused_body_ = false;  // so that the transfer is to be resumed
  std::string next_link_;
  bool ended_ = false;
};

}  // namespace rollcall
