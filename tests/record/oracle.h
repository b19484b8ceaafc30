// A second, independent implementation of decoding, derived only from the API's comments. It uses
// another JSON parser, another time parser and protobuf reflection, and shares no code with the
// record decoder. Slow and simple on purpose.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/timestamp.pb.h"
#include "gtest/gtest.h"
#include "rollcall/v1/participant.pb.h"

namespace rollcall::service {

// The expected participant for the record `json`, with the fields that `mask` names, or all fields
// if it is empty. Returns nullopt if the oracle's parser rejects `json`: text that is not a JSON
// object in valid Unicode, or a number beyond the range of double.
//
// The `json` of unrecognized values is normalized, so compare with SameParticipant.
std::optional<v1::Participant> DecodeByOracle(absl::string_view json,
                                              v1::Participant::RecordCase kind,
                                              const std::vector<std::string>& mask = {});

// Parses a time in any of the providers' formats.
std::optional<google::protobuf::Timestamp> ParseTimeByOracle(const std::string& text);

// All of the provider's names for fields of the message.
std::vector<std::string> ProviderNames(const google::protobuf::Descriptor& message);

// The provider's text for an enum value.
std::string ProviderText(const google::protobuf::EnumValueDescriptor& value);

// Whether the decoder agrees with the oracle: the messages are equal, and the text of each
// unrecognized value is the same JSON and occurs verbatim in the record.
testing::AssertionResult SameParticipant(const v1::Participant& oracle,
                                         const v1::Participant& decoded, absl::string_view json);

}  // namespace rollcall::service
