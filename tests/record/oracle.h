// What a record ought to be decoded to, worked out a second time from the comments of the API
// alone: by another JSON parser, another reader of times and protobuf reflection, with nothing of
// the record decoder's. Slow and plain on purpose. Used by tests.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/timestamp.pb.h"
#include "gtest/gtest.h"
#include "rollcall/v1/participant.pb.h"

namespace rollcall {

// The participant that the record `json` ought to become, with the fields that `mask` names; all
// where it is empty. Nothing where `json` is no JSON object in valid Unicode, or holds a number
// beyond the doubles, which the oracle's parser does not read; `beyond_doubles` tells that apart.
//
// The `json` of unrecognized values is in a normal form: compare by SameParticipant.
std::optional<v1::Participant> DecodeByOracle(absl::string_view json,
                                              v1::Participant::RecordCase kind,
                                              const std::vector<std::string>& mask = {},
                                              bool* beyond_doubles = nullptr);

// The moment that a provider's text names.
std::optional<google::protobuf::Timestamp> ParseTimeByOracle(const std::string& text);

// All names that the provider has for fields of the message.
std::vector<std::string> ProviderNames(const google::protobuf::Descriptor& message);

// The provider's text of a value of an enum.
std::string ProviderText(const google::protobuf::EnumValueDescriptor& value);

// Whether the decoder's answer is the oracle's: equal messages, where each unrecognized value's
// text is the same JSON and stands like that in the record.
testing::AssertionResult SameParticipant(const v1::Participant& oracle,
                                         const v1::Participant& decoded, absl::string_view json);

}  // namespace rollcall
