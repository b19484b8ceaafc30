#include "service/log/library_log.h"
#include "service/sync/mutex.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace rollcall {
namespace {

using Clock = std::chrono::steady_clock;

// Of one place in a library.
constexpr std::chrono::seconds kInterval{1};

// What came from one place.
struct Source {
  Clock::time_point told = Clock::time_point::min();
  int64_t untold = 0;  // since then
};

struct State {
  Mutex mutex;
  EventLog* log ABSL_GUARDED_BY(mutex) = nullptr;
  // As many as the libraries have lines that log.
  std::map<std::pair<Word const*, std::string>, Source> sources ABSL_GUARDED_BY(mutex);
};

State& TheState() {
  static State& state = *new State;
  return state;
}

constexpr Word kGrpc = "grpc";
constexpr Word kProtobuf = "protobuf";

void Tell(const Word& library, const char* file, int line) {
  absl::string_view name = file;
  name.remove_prefix(name.rfind('/') + 1);  // npos + 1 is 0
  std::string place = absl::StrCat(name, ":", line);
  State& state = TheState();
  const MutexLock lock(state.mutex);
  if (state.log == nullptr) return;
  Source& source = state.sources[{&library, place}];
  const Clock::time_point now = Clock::now();
  ++source.untold;
  if (source.told != Clock::time_point::min() && now - source.told < kInterval) return;
  source.told = now;
  EventLog& log = *state.log;
  log.Warn("library_message", {{"library", library},
                               {"source", Identifier(place)},
                               {"messages", std::exchange(source.untold, 0)}});
}

void OnGrpcMessage(gpr_log_func_args* message) { Tell(kGrpc, message->file, message->line); }

void OnProtobufMessage(google::protobuf::LogLevel level, const char* file, int line,
                       const std::string& /*text*/) {
  if (level >= google::protobuf::LOGLEVEL_WARNING) Tell(kProtobuf, file, line);
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

}  // namespace rollcall
