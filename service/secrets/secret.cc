#include "service/secrets/secret.h"

#include <cstring>

namespace rollcall::service {

Secret::Secret(absl::string_view value) : text_(std::make_shared<const Text>(value)) {}

Secret::Text::~Text() {
  // Unlike memset, the compiler may not remove this as a dead store.
  explicit_bzero(value.data(), value.size());
}

}  // namespace rollcall::service
