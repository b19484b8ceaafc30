// A connection whose bytes a test makes and reads itself, with what it takes to write HTTP/2 that
// no library would: to rollcalld, or from a client to a listener of the test's own.
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
  // Connects to a host, in numbers, and port.
  explicit RawConnection(const std::string& address);
  ~RawConnection();
  RawConnection(RawConnection&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
  RawConnection& operator=(RawConnection&&) = delete;

  bool is_open() const { return socket_ >= 0; }

  // Begins with HTTP/2: exchanges settings with the peer, without which gRPC holds nobody to its
  // limits. False where that fails.
  bool BeginHttp2();

  // False where the peer takes no more.
  bool Send(absl::string_view bytes);

  // No more will be sent.
  void EndSending();

  // Reads until the peer closes the connection, and returns what came.
  std::string ReadToEnd();

  // Reads until `part` has come; false where the peer closes the connection before.
  bool ReadUntil(absl::string_view part);

 private:
  friend class RawListener;
  explicit RawConnection(int socket) : socket_(socket) {}

  int socket_;
  std::string read_;  // but not searched to its end yet
};

// Listens on a free port of 127.0.0.1.
class RawListener {
 public:
  RawListener();
  ~RawListener();
  RawListener(const RawListener&) = delete;
  RawListener& operator=(const RawListener&) = delete;

  // Host, in numbers, and port.
  const std::string& address() const { return address_; }

  // Waits for the next client.
  RawConnection Accept();

 private:
  int socket_;
  std::string address_;
};

// RFC 9113, 6: the frames that the tests send.
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

// A number of four bytes, as frames have it.
std::string Number(uint32_t number);

// Fields of a header block, none of them compressed.
std::string HeaderBlock(
    std::initializer_list<std::pair<absl::string_view, absl::string_view>> fields);

// The header block of a call of ListParticipants.
std::string ListCallHeaders();

}  // namespace rollcall
