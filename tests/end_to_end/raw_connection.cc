#include "tests/end_to_end/raw_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/end_to_end/loopback_server.h"

namespace rollcall {
namespace {

// RFC 7541, 5.1: an integer with a prefix of seven bits.
std::string HpackLength(size_t value) {
  constexpr size_t kInFirstByte = 127;
  std::string bytes;
  if (value < kInFirstByte) return std::string(1, static_cast<char>(value));
  bytes.push_back(static_cast<char>(kInFirstByte));
  for (value -= kInFirstByte; value >= 128; value >>= 7) {
    bytes.push_back(static_cast<char>(value % 128 + 128));
  }
  bytes.push_back(static_cast<char>(value));
  return bytes;
}

}  // namespace

RawConnection::RawConnection(const std::string& address)
    : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const size_t colon = address.rfind(':');
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  int port = 0;
  if (!absl::SimpleAtoi(address.substr(colon + 1), &port) ||
      inet_pton(AF_INET, address.substr(0, colon).c_str(), &peer.sin_addr) != 1) {
    port = 0;
  }
  peer.sin_port = htons(static_cast<uint16_t>(port));
  if (connect(socket_, reinterpret_cast<const sockaddr*>(&peer), sizeof(peer)) != 0) {
    close(std::exchange(socket_, -1));
  }
}

RawConnection::~RawConnection() {
  if (socket_ >= 0) close(socket_);
}

bool RawConnection::BeginHttp2() {
  constexpr uint8_t kAck = 1;
  return Send(absl::StrCat("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                           Frame(FrameType::kSettings, 0, 0, ""))) &&
         // The peer sends this after its own settings.
         ReadUntil(Frame(FrameType::kSettings, kAck, 0, "")) &&
         Send(Frame(FrameType::kSettings, kAck, 0, ""));
}

bool RawConnection::Send(absl::string_view bytes) { return SendAll(socket_, bytes); }

void RawConnection::EndSending() { shutdown(socket_, SHUT_WR); }

std::string RawConnection::ReadToEnd() {
  std::array<char, 4096> piece;
  for (;;) {
    const ssize_t size = recv(socket_, piece.data(), piece.size(), 0);
    if (size <= 0) return std::exchange(read_, {});
    read_.append(piece.data(), static_cast<size_t>(size));
  }
}

bool RawConnection::ReadUntil(absl::string_view part) {
  std::array<char, 4096> piece;
  for (;;) {
    if (const size_t found = read_.find(std::string(part)); found != std::string::npos) {
      read_.erase(0, found + part.size());
      return true;
    }
    const ssize_t size = recv(socket_, piece.data(), piece.size(), 0);
    if (size <= 0) return false;
    read_.append(piece.data(), static_cast<size_t>(size));
  }
}

RawListener::RawListener() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  address_ = absl::StrCat("127.0.0.1:", ListenOnLoopback(socket_));
}

RawListener::~RawListener() { close(socket_); }

RawConnection RawListener::Accept() {
  return RawConnection(accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC));
}

std::string Number(uint32_t number) {
  const uint32_t ordered = htonl(number);
  return {reinterpret_cast<const char*>(&ordered), sizeof(ordered)};
}

std::string Frame(FrameType type, uint8_t flags, uint32_t stream, absl::string_view payload) {
  std::string frame = Number(static_cast<uint32_t>(payload.size())).substr(1);
  frame.push_back(static_cast<char>(type));
  frame.push_back(static_cast<char>(flags));
  absl::StrAppend(&frame, Number(stream), payload);
  return frame;
}

std::string HeaderBlock(
    std::initializer_list<std::pair<absl::string_view, absl::string_view>> fields) {
  std::string block;
  for (const auto& [name, value] : fields) {
    // A literal without indexing, with a new name.
    absl::StrAppend(&block, absl::string_view("\0", 1), HpackLength(name.size()), name,
                    HpackLength(value.size()), value);
  }
  return block;
}

std::string CallHeaders(absl::string_view path) {
  return HeaderBlock({{":method", "POST"},
                      {":scheme", "http"},
                      {":path", path},
                      {":authority", "test"},
                      {"te", "trailers"},
                      {"content-type", "application/grpc"}});
}

std::string ListCallHeaders() {
  return CallHeaders("/rollcall.v1.ParticipantService/ListParticipants");
}

}  // namespace rollcall
