#include "service/log/library_log.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "service/sync/mutex.h"

namespace rollcall::service {
namespace {

using Clock = std::chrono::steady_clock;

// At most one line per source in this time.
constexpr std::chrono::seconds kInterval{1};

// The messages of one line in a library.
struct Source {
  Clock::time_point logged = Clock::time_point::min();  // the last time
  int64_t pending = 0;                                  // messages since then
};

struct State {
  Mutex mutex;
  EventLog* log ABSL_GUARDED_BY(mutex) = nullptr;
  // Bounded by the number of lines in the libraries that log.
  std::map<std::pair<Word const*, std::string>, Source> sources ABSL_GUARDED_BY(mutex);
};

State& TheState() {
  static State& state = *new State;
  return state;
}

constexpr Word kGrpc = "grpc";
constexpr Word kProtobuf = "protobuf";

void Log(const Word& library, const char* file, int line) {
  absl::string_view name = file;
  name.remove_prefix(name.rfind('/') + 1);  // npos + 1 is 0
  std::string source_line = absl::StrCat(name, ":", line);
  State& state = TheState();
  const MutexLock lock(state.mutex);
  if (state.log == nullptr) return;
  Source& source = state.sources[{&library, source_line}];
  const Clock::time_point now = Clock::now();
  ++source.pending;
  if (source.logged != Clock::time_point::min() && now - source.logged < kInterval) return;
  source.logged = now;
  EventLog& log = *state.log;
  log.Warn("library_message", {{"library", library},
                               {"source", Identifier(source_line)},
                               {"messages", std::exchange(source.pending, 0)}});
}

void OnGrpcMessage(gpr_log_func_args* message) { Log(kGrpc, message->file, message->line); }

void OnProtobufMessage(google::protobuf::LogLevel level, const char* file, int line,
                       const std::string& /*text*/) {
  if (level >= google::protobuf::LOGLEVEL_WARNING) Log(kProtobuf, file, line);
}

}  // namespace

LibraryLog::LibraryLog(EventLog& log) {
  {
    State& state = TheState();
    const MutexLock lock(state.mutex);
    state.log = &log;
  }
  gpr_set_log_function(OnGrpcMessage);
  google::protobuf::SetLogHandler(OnProtobufMessage);
}

LibraryLog::~LibraryLog() {
  State& state = TheState();
  const MutexLock lock(state.mutex);
  state.log = nullptr;
}

}  // namespace rollcall::service
