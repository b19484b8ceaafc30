// Receives the messages that gRPC and Protocol Buffers would otherwise write to standard error.
// Logs their source (file and line in the library) instead of their text, because remote peers can
// choose parts of the text, and how often it comes. The libraries call it on any of their threads.
#pragma once

#include "service/log/event_log.h"

namespace rollcall::service {

// At most one exists at a time, because each library has one log function.
class LibraryLog {
 public:
  // `log` must outlive the object.
  explicit LibraryLog(EventLog& log);
  // Afterwards the libraries' messages are dropped.
  ~LibraryLog();
  LibraryLog(const LibraryLog&) = delete;
  LibraryLog& operator=(const LibraryLog&) = delete;
};

}  // namespace rollcall::service
