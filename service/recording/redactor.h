// Replaces personal and account data in a response's body as it passes, and keeps the body's form
// byte for byte: white space, order, duplicates, escapes, and syntax errors. Only what is named
// here and in the provider's field table is kept; everything else is replaced, so that an
// unexpected body reveals nothing.
//
//   fields in the table          kept if the value has the field's type, except ids and links
//   personal and unknown fields  replaced, with everything nested in them
//   the envelope                 page numbers and codes are kept; links have their own rule
//   names                        kept in records and the envelope, if they look like names
//   after a syntax error         all is replaced, up to where the page reader would continue
//
// The output does not depend on how the input is split into pieces. Buffers at most one piece of a
// string. On an event loop's thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "service/provider/participant_api.h"
#include "service/recording/text_redactor.h"

namespace rollcall::service {

class Redactor {
 public:
  // Longer strings are always replaced.
  static constexpr size_t kMaxText = size_t{16} << 10;

  // For one body of a response of `api`: the requested document, or, if not `is_document`, an
  // error. `text` and `api` must outlive the redactor.
  Redactor(TextRedactor& text, const ParticipantApi& api, bool is_document);

  // Takes the next bytes, and appends the redacted bytes to `out`, which may lag behind.
  void Append(absl::string_view bytes, std::string& out);

  // Appends the rest. Call after the last bytes.
  void Finish(std::string& out);

 private:
  // How a value is treated.
  enum class Kind {
    kUnknown,  // replaced, whatever its type
    kText,
    kTexts,  // an array of strings
    kNumber,
    kNumbers,
    kEvents,    // an object of arrays of numbers
    kRecord,    // an object with a table
    kPersonal,  // the same, but only known names are kept
    kRecords,   // the page's array
    kDocument,  // the requested page or record
    kEnvelope,  // an object beside the records, or an error
    kErrors,    // an array of errors
    kLink,
    kCode,  // a number, also as a string
    kWord,  // a string that looks like a name
    kTime,
    kMilliseconds,  // a number as a string
  };
  struct Value {
    Kind kind = Kind::kUnknown;
    const ObjectSchema* table = nullptr;
  };

  // Which tokens may follow.
  enum class Expect { kValue, kValueOrEnd, kName, kNameOrEnd, kColon, kCommaOrEnd, kNothing };

  struct Level {
    bool is_object = false;
    Value value;
  };

  // A string, or any other token in the place of a value.
  enum class Token { kNone, kString, kScalar };

  static Value ValueOf(const FieldSchema& field);
  Value Member(absl::string_view name) const;
  Value Element() const;
  bool KeepsName(absl::string_view name) const;

  // Whether the reader is between the document's own members.
  bool IsInOutline() const { return levels_.size() == 1 && !IsBroken(); }
  bool EndsScalar(char c) const;
  void TakeByte(char c, std::string& out);
  void TakeStructure(char c);
  void Open(bool is_object);
  void Close(bool is_object);
  void EndValue();
  void Break();
  bool IsBroken() const { return lost_ || skipped_levels_ > 0; }
  bool ExpectsValue() const { return expect_ == Expect::kValue || expect_ == Expect::kValueOrEnd; }
  void FlushToken(std::string& out);
  void SettleName(bool is_name, std::string& out);
  void EndString(bool complete, std::string& out);
  void EndScalar(std::string& out);
  void FakeToken(std::string& out);
  void EndToken();

  TextRedactor& text_;
  const ParticipantApi& api_;

  std::vector<Level> levels_;  // open objects and arrays
  Expect expect_ = Expect::kValue;
  Value next_;  // of the next value
  // After a syntax error: how many levels must close before reading continues, or that it does not.
  size_t skipped_levels_ = 0;
  bool lost_ = false;

  // A name, and the white space after it, until the colon confirms that it is a name.
  std::string name_;
  std::string space_;

  Token token_ = Token::kNone;
  bool is_name_ = false;                      // of a string token
  bool escaped_ = false;                      // by a backslash
  std::string bytes_;                         // of the token so far
  std::optional<Fakes::Stream> fake_so_far_;  // of a token whose beginning is replaced already
};

}  // namespace rollcall::service
