// A password or token that cannot be printed by accident.
//
// Made where a secret comes in, and revealed only where it is used: in the header of a request to a
// provider, as a key, and where it is compared with what somebody shows. Copies share one immutable
// text, which is overwritten when the last of them goes; what a parser or the environment held
// before that is beyond its reach. Any thread may use one.
#pragma once

#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace rollcall {

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

}  // namespace rollcall
