#include "tests/end_to_end/hostile_server.h"

#include <sys/socket.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace rollcall {

bool HostileServer::Peer::Send(absl::string_view bytes) const { return SendAll(socket_, bytes); }

std::size_t HostileServer::Peer::SendOver(absl::string_view piece, std::size_t total) const {
  std::size_t sent = 0;
  while (sent < total) {
    const std::size_t at = sent % piece.size();
    const ssize_t size =
        send(socket_, piece.data() + at, std::min(piece.size() - at, total - sent), MSG_NOSIGNAL);
    if (size <= 0) break;
    sent += static_cast<std::size_t>(size);
  }
  return sent;
}

HostileServer::HostileServer(Answer answer)
    : answer_(std::move(answer)), server_([this](int socket) { Serve(socket); }) {}

void HostileServer::SetAnswer(Answer answer) {
  const std::lock_guard lock(mutex_);
  answer_ = std::move(answer);
}

std::vector<std::string> HostileServer::heads() const {
  const std::lock_guard lock(mutex_);
  return heads_;
}

void HostileServer::Serve(int socket) {
  const std::optional<std::string> head = ReadHead(socket);
  if (!head) return;
  Answer answer;
  {
    const std::lock_guard lock(mutex_);
    heads_.push_back(*head);
    answer = answer_;
  }
  answer(Peer(socket));
  shutdown(socket, SHUT_RDWR);
}

}  // namespace rollcall
