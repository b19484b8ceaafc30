#include "service/recording/recording.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "nlohmann/json.hpp"
#include "rollcall/version.h"
#include "service/http/http_date.h"

namespace rollcall::service {
namespace {

constexpr int kFormat = 1;
constexpr size_t kMaxSeconds = 6;  // digits
constexpr char kManifest[] = "recording.ndjson";

absl::Status Problem(const std::string& folder, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("recording.folder: ", folder, ": ", what));
}

absl::Status SystemProblem(const std::string& folder) {
  return Problem(folder, std::strerror(errno));
}

// Creates a file that only its owner can access. -1 on failure.
int Create(int folder, const std::string& name) {
  return openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

std::string BodyName(int number) { return absl::StrFormat("%06d.body", number); }

}  // namespace

absl::StatusOr<std::unique_ptr<Recording>> Recording::Open(
    const RecordingOptions& settings, const std::vector<Account>& upstreams,
    std::function<void(absl::string_view cause)> on_end) {
  const std::string& path = settings.folder;
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return SystemProblem(path);
  const int folder = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return SystemProblem(path);
  const int manifest = Create(folder, kManifest);
  const bool in_use = manifest < 0 && errno == EEXIST;
  if (manifest < 0 && !in_use) {
    const absl::Status problem = SystemProblem(path);
    close(folder);
    return problem;
  }
  std::unique_ptr<Recording> recording(
      new Recording(folder, manifest, settings.max_bytes, std::move(on_end)));
  if (in_use) {
    recording->Stop("folder_in_use");
    return recording;
  }
  std::set<std::string> providers;
  for (const Account& upstream : upstreams) {
    providers.insert(upstream.provider == ProviderType::kTwilio ? "twilio" : "signalwire");
  }
  if (!recording->WriteLine(
          {{"format", kFormat}, {"rollcall", kRollcallVersion}, {"providers", providers}})) {
    return Problem(path, "not writable");
  }
  return recording;
}

Recording::Recording(int folder, int manifest, size_t max_bytes,
                     std::function<void(absl::string_view cause)> on_end)
    : folder_(folder),
      manifest_(manifest),
      max_bytes_(max_bytes),
      on_end_(std::move(on_end)),
      fakes_(Fakes::RandomKey()) {}

Recording::~Recording() {
  if (manifest_ >= 0) {
    // Leaves the folder as it was if the service could not start.
    if (answers_ == 0) unlinkat(folder_, kManifest, 0);
    close(manifest_);
  }
  close(folder_);
}

std::shared_ptr<Recording::Answer> Recording::Begin(const ParticipantApi& api,
                                                    const Account& upstream,
                                                    absl::string_view url) {
  if (ended_) return nullptr;
  return std::make_shared<Answer>(*this, api, upstream, url);
}

bool Recording::Write(int file, absl::string_view bytes) {
  if (ended_) return false;
  if (bytes_ += bytes.size(); bytes_ > max_bytes_) {
    Stop("max_bytes");
    return false;
  }
  while (!bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      Stop("write_error");
      return false;
    }
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

bool Recording::WriteLine(const nlohmann::ordered_json& line) {
  const MutexLock lock(mutex_);
  return Write(manifest_, absl::StrCat(line.dump(-1, ' ', true,
                                                 nlohmann::ordered_json::error_handler_t::replace),
                                       "\n"));
}

void Recording::Stop(absl::string_view cause) {
  if (!ended_.exchange(true)) on_end_(cause);
}

Recording::Answer::Answer(Recording& recording, const ParticipantApi& api, const Account& upstream,
                          absl::string_view url)
    : recording_(recording),
      api_(api),
      number_(++recording.answers_),
      text_(recording.fakes_, api, upstream) {
  text_.Read(url, true);
  text_.Link(target_);
  target_.erase(0, kReplayOrigin.size());
}

Recording::Answer::~Answer() {
  if (!finished_) WriteEntry("given_up");
}

void Recording::Answer::TakeHead(const HttpResponse& response) {
  status_ = response.status();
  framing_ = response.header("Content-Length")      ? "length"
             : response.header("Transfer-Encoding") ? "chunked"
                                                    : "connection";
  redactor_.emplace(text_, api_, status_ == 200);
  const std::string retry_after = response.header("Retry-After").value_or("");
  uint32_t seconds = 0;
  if ((retry_after.size() <= kMaxSeconds && absl::SimpleAtoi(retry_after, &seconds)) ||
      ParseHttpDate(retry_after, absl::Now())) {
    retry_after_ = retry_after;
  } else {
    text_.Read(retry_after, true);
    Fakes::Stream fake = text_.Bytes();
    text_.Fake(fake, retry_after_);
  }
}

void Recording::Answer::TakeBody(absl::string_view bytes) {
  if (recording_.ended_) return;
  redactor_->Append(bytes, bytes_);
  WriteBody();
}

void Recording::Answer::Finish(bool complete) { WriteEntry(complete ? "complete" : "cut"); }

void Recording::Answer::WriteEntry(absl::string_view end) {
  finished_ = true;
  if (redactor_) redactor_->Finish(bytes_);
  WriteBody();
  nlohmann::ordered_json line = {{"number", number_}, {"target", target_}};
  if (status_ != 0) {
    line["status"] = status_;
    line["framing"] = std::string(framing_);
  }
  if (!retry_after_.empty()) line["retry_after"] = retry_after_;
  if (file_ >= 0) line["body"] = BodyName(number_);
  line["bytes"] = written_;
  line["end"] = std::string(end);
  // A body without an entry is of no use.
  if (!recording_.WriteLine(line) && file_ >= 0) {
    unlinkat(recording_.folder_, BodyName(number_).c_str(), 0);
  }
  if (file_ >= 0) close(std::exchange(file_, -1));
}

void Recording::Answer::WriteBody() {
  if (bytes_.empty()) return;
  if (file_ < 0) {
    file_ = Create(recording_.folder_, BodyName(number_));
    if (file_ < 0) recording_.Stop("write_error");
  }
  if (file_ >= 0 && recording_.Write(file_, bytes_)) written_ += bytes_.size();
  bytes_.clear();
}

}  // namespace rollcall::service
