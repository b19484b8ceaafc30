#include "service/record/wire_writer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace rollcall::service {

std::string WireWriter::Release() {
  buffer_.resize(size_);
  size_ = 0;
  // Not `buffer_ = {}`: assigning an empty string could keep the memory here.
  return std::exchange(buffer_, std::string());
}

void WireWriter::Grow(size_t count) {
  constexpr size_t kLeast = 1024;  // fits a typical record
  buffer_.resize(std::max({kLeast, buffer_.size() * 2, size_ + count}));
}

void WireWriter::CloseLong(size_t begin) {
  const size_t length = size_ - begin;
  const size_t more = Coded::VarintSize64(length) - 1;
  Room(more);
  std::memmove(At(begin + more), At(begin), length);
  Coded::WriteVarint64ToArray(length, At(begin - 1));
  size_ += more;
}

}  // namespace rollcall::service
