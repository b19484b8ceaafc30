// Writes provider responses to a folder, redacted, so that a bug report can become a test: the
// simulator serves such a folder (tests/simulator/README.md). Each request is a line of
// `recording.ndjson`; if it had a response, its body is a file, as far as it was read. Shared by
// the event loops, which write the files themselves. Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json_fwd.hpp"
#include "service/http/http_transport.h"
#include "service/provider/participant_api.h"
#include "service/recording/fakes.h"
#include "service/recording/redactor.h"
#include "service/recording/text_redactor.h"
#include "service/sync/mutex.h"

namespace rollcall::service {

// Where provider responses are written, redacted.
struct RecordingOptions {
  std::string folder;
  // Of all its files together. Recording stops there.
  std::size_t max_bytes = std::size_t{64} << 20;
};

class Recording {
 public:
  // One request and its response. For the thread that sends the request.
  class Answer;

  // Begins a recording of `upstreams` in a folder, which is created if missing. If the folder has a
  // recording already, for example after a restart, it is left unchanged and nothing is recorded.
  // Other problems with the folder are errors. `on_end` is called once, from here or on any thread,
  // if the recording ends before the service: "max_bytes", "write_error", "folder_in_use".
  static absl::StatusOr<std::unique_ptr<Recording>> Open(
      const RecordingOptions& settings, const std::vector<Account>& upstreams,
      std::function<void(absl::string_view cause)> on_end);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  // Whether the recording has ended.
  bool ended() const { return ended_; }

  // Call when a request is sent. Null if the recording has ended. `api`, `upstream` and the
  // recording must outlive the answer.
  std::shared_ptr<Answer> Begin(const ParticipantApi& api, const Account& upstream,
                                absl::string_view url);

 private:
  Recording(int folder, int manifest, size_t max_bytes,
            std::function<void(absl::string_view cause)> on_end);

  // Appends to a file, or ends the recording if that exceeds its maximum size. Returns false if the
  // recording has ended.
  bool Write(int file, absl::string_view bytes);
  bool WriteLine(const nlohmann::ordered_json& line);
  void Stop(absl::string_view cause);

  const int folder_;
  const int manifest_;
  const size_t max_bytes_;
  const std::function<void(absl::string_view cause)> on_end_;
  const Fakes fakes_;
  std::atomic<size_t> bytes_ = 0;
  std::atomic<int> answers_ = 0;
  std::atomic<bool> ended_ = false;
  Mutex mutex_;  // for appending to the manifest
};

class Recording::Answer {
 public:
  Answer(Recording& recording, const ParticipantApi& api, const Account& upstream,
         absl::string_view url);
  // Records that the request was given up, if it has no end yet.
  ~Answer();
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;

  void TakeHead(const HttpResponse& response);

  // The next bytes of the body.
  void TakeBody(absl::string_view bytes);

  // The response has ended: `complete`, or cut.
  void Finish(bool complete);

 private:
  void WriteEntry(absl::string_view end);
  void WriteBody();

  Recording& recording_;
  const ParticipantApi& api_;
  const int number_;
  TextRedactor text_;
  std::string target_;
  int status_ = 0;
  std::string retry_after_;
  absl::string_view framing_;
  std::optional<Redactor> redactor_;
  std::string bytes_;  // redacted bytes that are not written yet
  int file_ = -1;
  size_t written_ = 0;
  bool finished_ = false;
};

}  // namespace rollcall::service
