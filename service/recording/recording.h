// Writes what providers answer into a folder, with everything replaced that says who is meant, so
// that a report of a bug can become a test: the simulator serves such a folder
// (tests/simulator/README.md). Each request is a line of `recording.ndjson` and, where it was
// answered, a file with the body as far as it was read. Made by the server where the operator asks
// for it; shared by the event loops, which write the files themselves: its members may be called
// from any thread.
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
#include "service/config/config.h"
#include "service/http/http_transport.h"
#include "service/provider/participant_api.h"
#include "service/recording/fakes.h"
#include "service/recording/redactor.h"
#include "service/recording/text_redactor.h"
#include "service/sync/mutex.h"

namespace rollcall {

class Recording {
 public:
  // One request and what comes of it. For the thread that makes it.
  class Answer;

  // Begins a recording of `upstreams` in a folder, which is made where there is none. One that has
  // a recording already, as after a restart, is left as it is, and nothing is recorded. An error
  // says what else is wrong with it. `on_end` hears once, from here or on any thread, where
  // recording ends before the service does, and why: "max_bytes", "write_error", "folder_in_use".
  static absl::StatusOr<std::unique_ptr<Recording>> Open(
      const RecordingSettings& settings, const std::vector<UpstreamConfig>& upstreams,
      std::function<void(absl::string_view cause)> on_end);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  // Whether nothing more is recorded.
  bool ended() const { return ended_; }

  // A request goes out. Null once recording has ended. `api` and `upstream` must outlive the
  // answer, and so must this.
  std::shared_ptr<Answer> Begin(const ParticipantApi& api, const UpstreamConfig& upstream,
                                absl::string_view url);

 private:
  Recording(int folder, int manifest, size_t max_bytes,
            std::function<void(absl::string_view cause)> on_end);

  // Appends to a file, unless that is too much. False where recording has ended.
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
  Mutex mutex_;  // of the manifest's end
};

class Recording::Answer {
 public:
  Answer(Recording& recording, const ParticipantApi& api, const UpstreamConfig& upstream,
         absl::string_view url);
  // What has no end by now was given up.
  ~Answer();
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;

  void TakeHead(const HttpResponse& response);

  // The next bytes of the body.
  void TakeBody(absl::string_view bytes);

  // Nothing more comes, be it because that was all, or because it was cut.
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
  std::string bytes_;  // redacted, and not written yet
  int file_ = -1;
  size_t written_ = 0;
  bool finished_ = false;
};

}  // namespace rollcall
