#include "tests/client/raw_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace rollcall {
namespace {

constexpr uint8_t kData = 0;
constexpr uint8_t kHeaders = 1;
constexpr uint8_t kRstStream = 3;
constexpr uint8_t kSettings = 4;
constexpr uint8_t kPing = 6;

constexpr uint8_t kAck = 1;
constexpr uint8_t kEndStream = 1;
constexpr uint8_t kEndHeaders = 4;

std::string BigEndian(uint32_t number) {
  const uint32_t bytes = htonl(number);
  return std::string(reinterpret_cast<const char*>(&bytes), sizeof(bytes));
}

// A header in HPACK's simplest form: a literal, without Huffman coding, that is not indexed. Its
// name and value must be shorter than 127 bytes.
std::string Header(const std::string& name, const std::string& value) {
  return std::string(1, '\0') + static_cast<char>(name.size()) + name +
         static_cast<char>(value.size()) + value;
}

std::string ResponseHeaders(int http_status = 200) {
  return Header(":status", std::to_string(http_status)) +
         Header("content-type", "application/grpc");
}

}  // namespace

RawServer::RawServer(std::vector<RawReply> replies) : replies_(std::move(replies)) {
  listener_ = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(listener_, reinterpret_cast<const sockaddr*>(&address), size), 0);
  EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
  EXPECT_EQ(listen(listener_, 8), 0);
  address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  thread_ = std::thread([this] { Run(); });
}

RawServer::~RawServer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    shutdown(listener_, SHUT_RDWR);
    if (connection_ != -1) shutdown(connection_, SHUT_RDWR);
  }
  thread_.join();
  close(listener_);
}

int RawServer::lists() const {
  const std::lock_guard lock(mutex_);
  return lists_;
}

void RawServer::Run() {
  while (true) {
    const int connection = accept(listener_, nullptr, nullptr);
    if (connection == -1) return;
    {
      const std::lock_guard lock(mutex_);
      connection_ = connection;
      if (stopping_) shutdown(connection, SHUT_RDWR);
    }
    ServeConnection();
    const std::lock_guard lock(mutex_);
    connection_ = -1;
    close(connection);
  }
}

void RawServer::ServeConnection() {
  silent_ = false;
  char preface[24];
  if (!ReadAll(preface, sizeof(preface))) return;
  SendFrame(kSettings, 0, 0, "");
  unsigned char header[9];
  while (ReadAll(reinterpret_cast<char*>(header), sizeof(header))) {
    std::string payload(static_cast<size_t>(header[0] << 16 | header[1] << 8 | header[2]), '\0');
    if (!ReadAll(payload.data(), payload.size())) return;
    if (silent_) continue;
    const uint8_t type = header[3];
    const bool ack = (header[4] & kAck) != 0;
    const auto stream = static_cast<uint32_t>((header[5] & 0x7f) << 24 | header[6] << 16 |
                                              header[7] << 8 | header[8]);
    if (type == kSettings && !ack) SendFrame(kSettings, kAck, 0, "");
    if (type == kPing && !ack) SendFrame(kPing, kAck, 0, payload);
    if (type != kHeaders) continue;
    // gRPC does not Huffman-code paths, and checks the health of a connection once.
    if (payload.find("grpc.health") != std::string::npos) {
      SendFrame(kHeaders, kEndHeaders | kEndStream, stream,
                ResponseHeaders() + Header("grpc-status", "12"));
    } else {
      Reply(stream);
    }
  }
}

void RawServer::Reply(uint32_t stream) {
  RawReply reply;
  {
    const std::lock_guard lock(mutex_);
    reply = replies_[std::min(static_cast<size_t>(lists_), replies_.size() - 1)];
    ++lists_;
  }
  if (reply.end == RawReply::End::kHttpStatus) {
    SendFrame(kHeaders, kEndHeaders | kEndStream, stream,
              Header(":status", std::to_string(reply.http_status)));
    return;
  }
  SendFrame(kHeaders, kEndHeaders, stream, ResponseHeaders());
  for (const v1::ListParticipantsResponse& message : reply.messages) {
    const std::string bytes = message.SerializeAsString();
    SendFrame(kData, 0, stream,
              std::string(1, '\0') + BigEndian(static_cast<uint32_t>(bytes.size())) + bytes);
  }
  switch (reply.end) {
    case RawReply::End::kOk:
      SendFrame(kHeaders, kEndHeaders | kEndStream, stream, Header("grpc-status", "0"));
      break;
    case RawReply::End::kReset:
      SendFrame(kRstStream, 0, stream, BigEndian(reply.reset_code));
      break;
    case RawReply::End::kNoStatus:
      SendFrame(kData, kEndStream, stream, "");
      break;
    case RawReply::End::kFallsSilent:
      silent_ = true;
      break;
    case RawReply::End::kHttpStatus:
      break;
  }
}

bool RawServer::ReadAll(char* data, size_t size) const {
  while (size > 0) {
    const ssize_t received = recv(connection_, data, size, 0);
    if (received <= 0) return false;
    data += received;
    size -= static_cast<size_t>(received);
  }
  return true;
}

void RawServer::SendFrame(uint8_t type, uint8_t flags, uint32_t stream,
                          const std::string& payload) const {
  std::string frame = BigEndian(static_cast<uint32_t>(payload.size())).substr(1);
  frame += static_cast<char>(type);
  frame += static_cast<char>(flags);
  frame += BigEndian(stream) + payload;
  // A peer that has gone is noticed by reading.
  send(connection_, frame.data(), frame.size(), MSG_NOSIGNAL);
}

}  // namespace rollcall
