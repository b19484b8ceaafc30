#include "tests/record/decode_record.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

namespace rollcall::service {

absl::StatusOr<v1::Participant> DecodeRecord(const RecordSchema& schema, absl::string_view json,
                                             const std::vector<std::string>& mask, bool strict) {
  google::protobuf::FieldMask paths;
  for (const std::string& path : mask) paths.add_paths(path);
  std::vector<std::string> unknown_paths;
  FieldSelection selection = FieldSelection::FromMask(paths, schema.object, unknown_paths);
  EXPECT_TRUE(unknown_paths.empty()) << unknown_paths.front();

  // In the service, the bytes after the text are not always zero.
  const size_t size = json.size() + RecordDecoder::kPadding;
  const auto buffer = std::make_unique<char[]>(size);
  std::copy(json.begin(), json.end(), buffer.get());
  std::fill(buffer.get() + json.size(), buffer.get() + size, '"');
  DecoderScratch scratch;
  RecordDecoder decoder(scratch, schema, std::move(selection), strict);
  absl::Status status = decoder.Decode(absl::string_view(buffer.get(), json.size()));
  if (!status.ok()) return status;
  return ParseDecoded(decoder);
}

v1::Participant ParseDecoded(const RecordDecoder& decoder) {
  v1::Participant participant;
  EXPECT_TRUE(participant.ParseFromString(std::string(decoder.bytes())))
      << "decoded bytes are not a Participant";
  EXPECT_EQ(participant.record_case(), decoder.record());
  EXPECT_EQ(participant.unrecognized_size(), decoder.unrecognized().size());

  // Protobuf's own serialization is equal and as long. So there is no unknown or duplicate field,
  // and no number takes more bytes than necessary.
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream output(&stream);
    output.SetSerializationDeterministic(true);
    v1::Participant known = participant;
    known.DiscardUnknownFields();
    EXPECT_TRUE(known.SerializeToCodedStream(&output));
  }
  EXPECT_EQ(bytes.size(), decoder.bytes().size());
  v1::Participant again;
  EXPECT_TRUE(again.ParseFromString(bytes));
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(participant, again));
  return participant;
}

}  // namespace rollcall::service
