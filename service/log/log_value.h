// What may stand in the log: a number, a value of an enum, a word that was written into this
// program, or a text of one of the types below. None of these is made of a text by itself; each is
// named where it is made, for one kind of text that is neither a credential nor a provider's data.
// Values of any thread.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "rollcall/v1/error_reason.pb.h"

namespace rollcall {

// A text of the program's own: the compiler takes nothing else.
class Word {
 public:
  consteval Word(const char* text) : text_(text) {}  // NOLINT(google-explicit-constructor)
  const char* text() const { return text_; }

 private:
  const char* text_;
};

// A name that the operator chose, an address of a caller, or an id that somebody made up for a
// request. It keeps at most 128 characters, and of these letters, digits and -_.:[]%/, with a '?'
// in place of any other, since an id can come from outside.
class Identifier {
 public:
  Identifier() = default;
  explicit Identifier(absl::string_view text);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// Where a value stands in a provider's record: the names of fields, and never what they hold.
class FieldPath {
 public:
  explicit FieldPath(absl::string_view path) : text_(path) {}
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// What is wrong with the configuration or a file of it, as config/ says it: by keys and forms, and
// never a value.
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

// Now, as the lines have it: "2026-01-31T12:00:00.000Z".
std::string LogTime();

// A field of a line.
// NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): there is no Word without its text.
struct LogField {
  Word name;
  LogValue value;
};

}  // namespace rollcall
