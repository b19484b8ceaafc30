// Takes the messages that gRPC and Protocol Buffers would write to standard error by themselves,
// and logs where in the library each comes from instead of what it says: callers, strangers among
// them, can choose parts of the text, and how often it comes. Made by main(); the libraries call it
// on any of their threads.
#pragma once

#include "service/log/event_log.h"

namespace rollcall {

// There is one at a time, since the libraries know but one function each.
class LibraryLog {
 public:
  // `log` must outlive the object.
  explicit LibraryLog(EventLog& log);
  // From then on the libraries are silent.
  ~LibraryLog();
  LibraryLog(const LibraryLog&) = delete;
  LibraryLog& operator=(const LibraryLog&) = delete;
};

}  // namespace rollcall
