// The values that the log may contain: numbers, enum values, string literals of this program, and
// the text types below. There is no conversion from an arbitrary string: each text type is
// constructed explicitly, for one kind of text that is neither a credential nor provider data.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "rollcall/v1/error_reason.pb.h"

namespace rollcall::service {

// A string literal of this program; anything else does not compile.
class Word {
 public:
  consteval Word(const char* text) : text_(text) {}  // NOLINT(google-explicit-constructor)
  const char* text() const { return text_; }

 private:
  const char* text_;
};

// A name from the configuration, a caller's address, or a request's id. Ids can come from outside,
// so the text is cut to 128 characters, and any character but letters, digits and -_.:[]%/ is
// replaced with '?'.
class Identifier {
 public:
  Identifier() = default;
  explicit Identifier(absl::string_view text);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// The path of a value in a provider's record: field names, never values.
class FieldPath {
 public:
  explicit FieldPath(absl::string_view path) : text_(path) {}
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// A problem in the configuration or one of its files, as config/ reports it: keys and expected
// forms, never values.
class ConfigProblem {
 public:
  explicit ConfigProblem(absl::string_view problem) : text_(problem) {}
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// "UPSTREAM_TIMEOUT"; empty for ERROR_REASON_UNSPECIFIED.
std::string NameOf(v1::ErrorReason reason);

// "DEADLINE_EXCEEDED", as gRPC's documentation spells it.
std::string NameOf(absl::StatusCode code);

class LogValue {
 public:
  // NOLINTBEGIN(google-explicit-constructor)
  LogValue(Word word) : json_(word.text()) {}
  LogValue(int number) : json_(number) {}
  LogValue(int64_t number) : json_(number) {}
  LogValue(const Identifier& identifier) : json_(identifier.text()) {}
  LogValue(const FieldPath& path) : json_(path.text()) {}
  LogValue(const ConfigProblem& problem) : json_(problem.text()) {}
  LogValue(v1::ErrorReason reason) : json_(NameOf(reason)) {}
  LogValue(absl::StatusCode code) : json_(NameOf(code)) {}
  // NOLINTEND(google-explicit-constructor)

  const nlohmann::ordered_json& json() const { return json_; }

 private:
  nlohmann::ordered_json json_;
};

// The current time in the log's format: "2026-01-31T12:00:00.000Z".
std::string LogTime();

// A field of a log line.
// NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): a Word has no default constructor.
struct LogField {
  Word name;
  LogValue value;
};

}  // namespace rollcall::service
