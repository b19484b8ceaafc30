// A scripted server one level below gRPC: it writes HTTP/2 frames to a socket. For failures that a
// gRPC server cannot produce: a stream reset, a stream without a status, a peer that falls silent.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "rollcall/v1/participant_service.pb.h"

namespace rollcall {

// The response to one list.
struct RawReply {
  enum class End {
    kOk,           // gRPC status OK.
    kReset,        // RST_STREAM with `reset_code`.
    kNoStatus,     // The stream ends without gRPC's trailers.
    kHttpStatus,   // No gRPC at all: HTTP `http_status`, as a proxy responds.
    kFallsSilent,  // The connection stays open, and nothing is answered on it, not even pings.
  };

  std::vector<v1::ListParticipantsResponse> messages;
  End end = End::kOk;
  uint32_t reset_code = 0;
  int http_status = 0;
};

// Serves one connection at a time, on a free port. Health checks end with UNIMPLEMENTED, which
// clients take for healthy.
class RawServer {
 public:
  // One reply for each list, and the last for all lists after it.
  explicit RawServer(std::vector<RawReply> replies);
  ~RawServer();
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  // "127.0.0.1:PORT".
  const std::string& address() const { return address_; }

  // How many lists were requested.
  int lists() const;

 private:
  void Run();
  void ServeConnection();
  void Reply(uint32_t stream);

  bool ReadAll(char* data, size_t size) const;
  void SendFrame(uint8_t type, uint8_t flags, uint32_t stream, const std::string& payload) const;

  const std::vector<RawReply> replies_;
  int listener_ = -1;
  std::string address_;
  mutable std::mutex mutex_;  // Guards these.
  int connection_ = -1;
  bool stopping_ = false;
  int lists_ = 0;
  bool silent_ = false;  // The current connection. Only the thread uses it.
  std::thread thread_;
};

}  // namespace rollcall
