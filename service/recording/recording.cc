#include "service/recording/recording.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "google/protobuf/timestamp.pb.h"
#include "nlohmann/json.hpp"
#include "service/record/times.h"

namespace rollcall {
namespace {

constexpr int kFormat = 1;
constexpr char kManifest[] = "recording.ndjson";

absl::Status Problem(const std::string& folder, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("recording.folder: ", folder, ": ", what));
}

absl::Status SystemProblem(const std::string& folder) {
  return Problem(folder, std::strerror(errno));
}

// A file of its own, for its owner alone. -1 where it cannot be made.
int Create(int folder, const std::string& name) {
  return openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

bool IsEmpty(int folder) {
  DIR* const entries = fdopendir(openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (entries == nullptr) return false;
  int count = 0;
  while (readdir(entries) != nullptr) ++count;
  closedir(entries);
  return count == 2;  // itself and the one above
}

std::string BodyName(int number) { return absl::StrFormat("%06d.body", number); }

}  // namespace

absl::StatusOr<std::unique_ptr<Recording>> Recording::Open(
    const RecordingSettings& settings, const std::vector<UpstreamConfig>& upstreams,
    std::function<void(End)> on_end) {
  const std::string& path = settings.folder;
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return SystemProblem(path);
  const int folder = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return SystemProblem(path);
  const bool is_empty = IsEmpty(folder);
  const int manifest = is_empty ? Create(folder, kManifest) : -1;
  if (manifest < 0) {
    const absl::Status problem =
        is_empty ? SystemProblem(path)
                 : Problem(path, "is not empty; a recording needs a folder of its own");
    close(folder);
    return problem;
  }
  std::unique_ptr<Recording> recording(
      new Recording(folder, manifest, settings.max_bytes, std::move(on_end)));
  std::set<std::string> providers;
  for (const UpstreamConfig& upstream : upstreams) {
    providers.insert(upstream.provider == ProviderType::kTwilio ? "twilio" : "signalwire");
  }
  if (!recording->WriteLine(
          {{"format", kFormat}, {"rollcall", ROLLCALL_VERSION}, {"providers", providers}})) {
    return Problem(path, "cannot be written to");
  }
  return recording;
}

Recording::Recording(int folder, int manifest, size_t max_bytes, std::function<void(End)> on_end)
    : folder_(folder),
      manifest_(manifest),
      max_bytes_(max_bytes),
      on_end_(std::move(on_end)),
      fakes_(Fakes::RandomKey()) {}

Recording::~Recording() {
  close(manifest_);
  close(folder_);
}

std::shared_ptr<Recording::Answer> Recording::Begin(const ParticipantApi& api,
                                                    const UpstreamConfig& upstream,
                                                    absl::string_view url) {
  if (ended_) return nullptr;
  return std::make_shared<Answer>(*this, api, upstream, url);
}

bool Recording::Write(int file, absl::string_view bytes) {
  if (ended_) return false;
  if (bytes_ += bytes.size(); bytes_ > max_bytes_) {
    Stop(End::kFull);
    return false;
  }
  while (!bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      Stop(End::kCannotWrite);
      return false;
    }
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

bool Recording::WriteLine(const nlohmann::ordered_json& line) {
  const std::lock_guard lock(mutex_);
  return Write(manifest_, absl::StrCat(line.dump(-1, ' ', true,
                                                 nlohmann::ordered_json::error_handler_t::replace),
                                       "\n"));
}

void Recording::Stop(End end) {
  if (!ended_.exchange(true)) on_end_(end);
}

Recording::Answer::Answer(Recording& recording, const ParticipantApi& api,
                          const UpstreamConfig& upstream, absl::string_view url)
    : recording_(recording),
      api_(api),
      number_(++recording.answers_),
      text_(recording.fakes_, api, upstream) {
  const std::string target = api.base_url(upstream).TargetOf(url);
  text_.Read(target, true);
  text_.Link(target_);
}

Recording::Answer::~Answer() {
  if (!finished_) WriteEntry("given_up");
  if (file_ >= 0) close(file_);
}

void Recording::Answer::TakeHead(const HttpResponse& response) {
  status_ = response.status();
  framing_ = response.header("Content-Length")      ? "length"
             : response.header("Transfer-Encoding") ? "chunked"
                                                    : "connection";
  redactor_.emplace(text_, api_, status_ == 200);
  const std::string retry_after = response.header("Retry-After").value_or("");
  google::protobuf::Timestamp date;
  int seconds = 0;
  if (absl::SimpleAtoi(retry_after, &seconds) || ParseTime(retry_after, date)) {
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
  // What has no entry is nobody's.
  if (!recording_.WriteLine(line) && file_ >= 0) {
    unlinkat(recording_.folder_, BodyName(number_).c_str(), 0);
  }
}

void Recording::Answer::WriteBody() {
  if (bytes_.empty()) return;
  if (file_ < 0) {
    file_ = Create(recording_.folder_, BodyName(number_));
    if (file_ < 0) recording_.Stop(End::kCannotWrite);
  }
  if (file_ >= 0 && recording_.Write(file_, bytes_)) written_ += bytes_.size();
  bytes_.clear();
}

}  // namespace rollcall
