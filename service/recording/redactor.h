// Replaces what the body of a provider's answer says about people and accounts, as it passes, and
// keeps its form byte for byte: white space, order, duplicates, escapes, and whatever is wrong with
// it. What is kept is named here and in the provider's field tables; all else is replaced, so that
// a body which nobody expected gives nothing away.
//
//   values of fields in the table    kept where they have the field's type, but for ids and links
//   personal ones, and unknown ones  replaced, with all that is nested in them
//   the envelope                     numbers of pages and codes kept, links by their own rule
//   names                            kept in records and the envelope, if they look like names
//   behind a mistake in the JSON     all is replaced, up to where the page reader goes on
//
// The same bytes become the same, in whatever pieces they come. Holds one piece of a text at most.
// Used by the recording, on an event loop's thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "service/provider/participant_api.h"
#include "service/recording/text_redactor.h"

namespace rollcall {

class Redactor {
 public:
  // A text that is longer is replaced wherever it stands.
  static constexpr size_t kMaxText = size_t{16} << 10;

  // For one body of an answer of `api`; `is_document` says that it is one which was asked for,
  // rather than an error. `text` and `api` must outlive the redactor.
  Redactor(TextRedactor& text, const ParticipantApi& api, bool is_document);

  // Takes the next bytes, and appends to `out` what becomes of them and of those before.
  void Append(absl::string_view bytes, std::string& out);

  // Appends the rest, after the last bytes.
  void Finish(std::string& out);

 private:
  // What a value is.
  enum class Kind {
    kUnknown,  // replaced, whatever it is
    kText,
    kTexts,  // an array of them
    kNumber,
    kNumbers,
    kEvents,    // an object of arrays of numbers
    kRecord,    // an object with a table
    kPersonal,  // the same, of which nothing is kept but known names
    kRecords,   // the page's array
    kDocument,  // the page or the record that was asked for
    kEnvelope,  // an object beside the records, or an error
    kErrors,    // an array of errors
    kLink,
    kCode,  // a number, also as text
    kWord,  // what looks like a name
    kTime,
    kMilliseconds,  // a number as text
  };
  struct Value {
    Kind kind = Kind::kUnknown;
    const ObjectSchema* table = nullptr;
  };

  // What may come next.
  enum class Expect { kValue, kValueOrEnd, kName, kNameOrEnd, kColon, kCommaOrEnd, kNothing };

  struct Level {
    bool is_object = false;
    Value value;
  };

  // A text or a number, or whatever else stands in a value's place.
  enum class Token { kNone, kString, kScalar };

  static Value ValueOf(const FieldSchema& field);
  Value Member(absl::string_view name) const;
  Value Element() const;
  bool KeepsName(absl::string_view name) const;

  // Whether the members of the document itself come next.
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

  std::vector<Level> levels_;  // that are open
  Expect expect_ = Expect::kValue;
  Value next_;  // what the value that comes next is
  // Behind a mistake: the levels that are to be closed until reading goes on, or that it does not.
  size_t skipped_levels_ = 0;
  bool lost_ = false;

  // A name that is kept, and the white space behind it, until the colon says that it is one.
  std::string name_;
  std::string space_;

  Token token_ = Token::kNone;
  bool is_name_ = false;                      // of a string
  bool escaped_ = false;                      // by a backslash
  std::string bytes_;                         // of the token, so far
  std::optional<Fakes::Stream> fake_so_far_;  // of a token whose begin is replaced already
};

}  // namespace rollcall
