// Writes protobuf's wire format, field by field, into memory that is used again from message to
// message. Used by the record decoder, for which filling generated messages and serializing them
// would cost as much as reading the JSON does, and by list calls for the messages around records.
// Of one thread at a time.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/strings/string_view.h"
#include "google/protobuf/io/coded_stream.h"

namespace rollcall {

// What stands in front of a field's value: its number and the form of the value.
constexpr uint32_t VarintTag(int number) { return static_cast<uint32_t>(number) << 3; }
constexpr uint32_t Fixed64Tag(int number) { return VarintTag(number) | 1; }
// Of text, bytes and nested messages.
constexpr uint32_t LengthDelimitedTag(int number) { return VarintTag(number) | 2; }

class WireWriter {
 public:
  // What was written, until the next write.
  absl::string_view bytes() const { return {buffer_.data(), size_}; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Gives away what was written, with its memory, and begins anew.
  std::string Release();

  // Takes back what was written beyond the first `size` bytes.
  void Truncate(size_t size) { size_ = size; }

  // A field of type int64, bool or enum, the value as 64 bits with its sign.
  void WriteVarint(uint32_t tag, int64_t value) {
    uint8_t* const at = Coded::WriteTagToArray(tag, Room(kMaxVarintBytes * 2));
    SetEnd(Coded::WriteVarint64ToArray(static_cast<uint64_t>(value), at));
  }

  void WriteDouble(uint32_t tag, double value) {
    uint8_t* const at = Coded::WriteTagToArray(tag, Room(kMaxVarintBytes + sizeof value));
    SetEnd(Coded::WriteLittleEndian64ToArray(std::bit_cast<uint64_t>(value), at));
  }

  // A field of type string, which must be valid UTF-8, or a message that is serialized already.
  void WriteBytes(uint32_t tag, std::string_view value) {
    uint8_t* at = Coded::WriteTagToArray(tag, Room(kMaxVarintBytes * 2 + value.size()));
    at = Coded::WriteVarint64ToArray(value.size(), at);
    SetEnd(at + value.copy(reinterpret_cast<char*>(at), value.size()));
  }

  // Begins a field that is a nested message, or text in parts: what is written from here to Close()
  // is in it. Returns what Close() takes.
  size_t Open(uint32_t tag) {
    SetEnd(Coded::WriteTagToArray(tag, Room(kMaxVarintBytes + 1)) + 1);
    return size_;
  }

  // The length takes one byte most of the time, for which there is room; where it takes more, what
  // stands behind moves.
  void Close(size_t begin) {
    const size_t length = size_ - begin;
    if (length < 0x80) {
      buffer_[begin - 1] = static_cast<char>(length);
    } else {
      CloseLong(begin);
    }
  }

  // A part of an open text.
  void Append(std::string_view part) {
    uint8_t* const at = Room(part.size());
    SetEnd(at + part.copy(reinterpret_cast<char*>(at), part.size()));
  }

 private:
  using Coded = google::protobuf::io::CodedOutputStream;
  static constexpr size_t kMaxVarintBytes = 10;

  // Where `count` more bytes may be written.
  uint8_t* Room(size_t count) {
    if (buffer_.size() - size_ < count) Grow(count);
    return At(size_);
  }
  uint8_t* At(size_t position) { return reinterpret_cast<uint8_t*>(&buffer_[position]); }
  void SetEnd(const uint8_t* end) { size_ = static_cast<size_t>(end - At(0)); }
  void Grow(size_t count);
  void CloseLong(size_t begin);

  std::string buffer_;  // as long as there is memory
  size_t size_ = 0;     // of what was written
};

}  // namespace rollcall
