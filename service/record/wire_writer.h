// Writes protobuf's wire format, field by field, into a buffer that is reused between messages. For
// records, filling generated messages and serializing them would cost as much as parsing the JSON.
// Not thread-safe.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/strings/string_view.h"
#include "google/protobuf/io/coded_stream.h"

namespace rollcall::service {

// The tag before a field's value: field number and wire type.
constexpr uint32_t VarintTag(int number) { return static_cast<uint32_t>(number) << 3; }
constexpr uint32_t Fixed64Tag(int number) { return VarintTag(number) | 1; }
// For strings, bytes and nested messages.
constexpr uint32_t LengthDelimitedTag(int number) { return VarintTag(number) | 2; }

class WireWriter {
 public:
  // The bytes written so far. Valid until the next write.
  absl::string_view bytes() const { return {buffer_.data(), size_}; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Returns the bytes together with their memory, and leaves the writer empty.
  std::string Release();

  // Discards all bytes after the first `size`.
  void Truncate(size_t size) { size_ = size; }

  // Writes an int64, bool or enum field. Negative values are sign-extended to 64 bits.
  void WriteVarint(uint32_t tag, int64_t value) {
    uint8_t* const at = Coded::WriteTagToArray(tag, Room(kMaxVarintBytes * 2));
    SetEnd(Coded::WriteVarint64ToArray(static_cast<uint64_t>(value), at));
  }

  void WriteDouble(uint32_t tag, double value) {
    uint8_t* const at = Coded::WriteTagToArray(tag, Room(kMaxVarintBytes + sizeof value));
    SetEnd(Coded::WriteLittleEndian64ToArray(std::bit_cast<uint64_t>(value), at));
  }

  // Writes a string field, which must be valid UTF-8, or a serialized message.
  void WriteBytes(uint32_t tag, std::string_view value) {
    uint8_t* at = Coded::WriteTagToArray(tag, Room(kMaxVarintBytes * 2 + value.size()));
    at = Coded::WriteVarint64ToArray(value.size(), at);
    SetEnd(at + value.copy(reinterpret_cast<char*>(at), value.size()));
  }

  // Begins a nested message, or a string written in parts with Append(). All writes up to Close()
  // go into it. Returns the argument for Close().
  size_t Open(uint32_t tag) {
    SetEnd(Coded::WriteTagToArray(tag, Room(kMaxVarintBytes + 1)) + 1);
    return size_;
  }

  // Open() reserves one byte for the length, which is usually enough. For a longer length, Close()
  // moves the content.
  void Close(size_t begin) {
    const size_t length = size_ - begin;
    if (length < 0x80) {
      buffer_[begin - 1] = static_cast<char>(length);
    } else {
      CloseLong(begin);
    }
  }

  // Appends to the string that Open() began.
  void Append(std::string_view part) {
    uint8_t* const at = Room(part.size());
    SetEnd(at + part.copy(reinterpret_cast<char*>(at), part.size()));
  }

 private:
  using Coded = google::protobuf::io::CodedOutputStream;
  static constexpr size_t kMaxVarintBytes = 10;

  // Ensures capacity for `count` more bytes and returns the write position.
  uint8_t* Room(size_t count) {
    if (buffer_.size() - size_ < count) Grow(count);
    return At(size_);
  }
  uint8_t* At(size_t position) { return reinterpret_cast<uint8_t*>(&buffer_[position]); }
  void SetEnd(const uint8_t* end) { size_ = static_cast<size_t>(end - At(0)); }
  void Grow(size_t count);
  void CloseLong(size_t begin);

  std::string buffer_;  // its size is the capacity
  size_t size_ = 0;     // bytes written
};

}  // namespace rollcall::service
