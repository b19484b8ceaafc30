// A password or token that cannot be printed by accident.
//
// Wrap a secret as soon as it is read. Reveal it only where it is used: in the header of a request
// to a provider, as a key, or in a comparison. Copies share one immutable text, which is
// overwritten with the last copy. Copies made by a parser or by the environment are not
// overwritten. Any thread may use a secret.
#pragma once

#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace rollcall::service {

class Secret {
 public:
  explicit Secret(absl::string_view value);

  // The text itself: never for logs, errors or metrics.
  const std::string& reveal() const { return text_->value; }

  bool operator==(const Secret& other) const { return reveal() == other.reveal(); }

 private:
  struct Text {
    explicit Text(absl::string_view text) : value(text) {}
    Text(const Text&) = delete;
    Text& operator=(const Text&) = delete;
    ~Text();

    std::string value;
  };

  std::shared_ptr<const Text> text_;
};

}  // namespace rollcall::service
