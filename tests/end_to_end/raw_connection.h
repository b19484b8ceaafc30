// A connection with raw bytes, and what is needed to write HTTP/2 that no library would send: to
// rollcalld, or from a client to a test's own listener.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace rollcall {

class RawConnection {
 public:
  // Connects to an address of the form "IP:PORT".
  explicit RawConnection(const std::string& address);
  ~RawConnection();
  RawConnection(RawConnection&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
  RawConnection& operator=(RawConnection&&) = delete;

  bool is_open() const { return socket_ >= 0; }

  // Starts HTTP/2: exchanges settings with the peer. Until then gRPC does not enforce its limits.
  // False on failure.
  bool BeginHttp2();

  // False if the peer cannot be written to.
  bool Send(absl::string_view bytes);

  // Shuts down sending.
  void EndSending();

  // Reads until the peer closes the connection, and returns everything read.
  std::string ReadToEnd();

  // Reads until `part` has arrived; false if the peer closes the connection first.
  bool ReadUntil(absl::string_view part);

 private:
  friend class RawListener;
  explicit RawConnection(int socket) : socket_(socket) {}

  int socket_;
  std::string read_;  // read, but not yet searched to its end
};

// Listens on a free port of 127.0.0.1.
class RawListener {
 public:
  RawListener();
  ~RawListener();
  RawListener(const RawListener&) = delete;
  RawListener& operator=(const RawListener&) = delete;

  // "IP:PORT".
  const std::string& address() const { return address_; }

  // Accepts the next client.
  RawConnection Accept();

 private:
  int socket_;
  std::string address_;
};

// RFC 9113, 6: the frame types that the tests send.
enum class FrameType : uint8_t {
  kData = 0,
  kHeaders = 1,
  kResetStream = 3,
  kSettings = 4,
  kPing = 6,
  kWindowUpdate = 8,
  kContinuation = 9,
};
inline constexpr uint8_t kEndStream = 1;
inline constexpr uint8_t kEndHeaders = 4;
std::string Frame(FrameType type, uint8_t flags, uint32_t stream, absl::string_view payload);

// A 32-bit number in network byte order.
std::string Number(uint32_t number);

// Fields of a header block, without compression.
std::string HeaderBlock(
    std::initializer_list<std::pair<absl::string_view, absl::string_view>> fields);

// The header block of a call of the method at `path`, and of a ListParticipants call.
std::string CallHeaders(absl::string_view path);
std::string ListCallHeaders();

}  // namespace rollcall
