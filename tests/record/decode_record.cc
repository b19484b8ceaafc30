#include "tests/record/decode_record.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "gtest/gtest.h"
#include "service/record/record_decoder.h"

namespace rollcall {

absl::StatusOr<v1::Participant> DecodeRecord(const RecordSchema& schema, absl::string_view json,
                                             const std::vector<std::string>& mask, bool strict) {
  google::protobuf::FieldMask paths;
  for (const std::string& path : mask) paths.add_paths(path);
  std::vector<std::string> unknown_paths;
  FieldSelection selection = FieldSelection::FromMask(paths, schema.object, unknown_paths);
  EXPECT_TRUE(unknown_paths.empty()) << unknown_paths.front();

  // What lies behind the text is not always zero in the service.
  const size_t size = json.size() + RecordDecoder::kPadding;
  const auto buffer = std::make_unique<char[]>(size);
  std::copy(json.begin(), json.end(), buffer.get());
  std::fill(buffer.get() + json.size(), buffer.get() + size, '"');
  // As in the service, a message that other records were decoded into before.
  static thread_local v1::Participant participant;
  RecordDecoder decoder(schema, std::move(selection), strict);
  absl::Status status = decoder.Decode(absl::string_view(buffer.get(), json.size()), participant);
  if (!status.ok()) return status;
  return participant;
}

}  // namespace rollcall
