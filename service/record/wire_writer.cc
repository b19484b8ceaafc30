#include "service/record/wire_writer.h"

#include <algorithm>
#include <cstring>

namespace rollcall {

void WireWriter::Grow(size_t count) {
  constexpr size_t kLeast = 1024;  // what a record of usual size takes
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

void AppendBytes(uint32_t tag, absl::string_view value, std::string& message) {
  using Coded = google::protobuf::io::CodedOutputStream;
  uint8_t head[20];  // the longest numbers are 10 bytes each
  const uint8_t* const end =
      Coded::WriteVarint64ToArray(value.size(), Coded::WriteTagToArray(tag, head));
  message.append(reinterpret_cast<const char*>(head), static_cast<size_t>(end - head));
  message.append(value.data(), value.size());
}

}  // namespace rollcall
