#include "service/config/secret.h"

#include <cstring>

namespace rollcall {

Secret::Secret(absl::string_view value) : text_(std::make_shared<const Text>(value)) {}

Secret::Text::~Text() {
  // Unlike memset, this is not dropped as a write that nobody reads.
  explicit_bzero(value.data(), value.size());
}

}  // namespace rollcall
