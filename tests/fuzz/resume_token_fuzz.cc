// Fuzzes resume tokens: the input is tried as a token, and then as a position whose token is
// damaged.
#include <cstddef>
#include <cstdint>
#include <string>

#include "service/resume/resume_token.h"
#include "tests/fuzz/require.h"

namespace rollcall::service {
namespace {

void Fuzz(absl::string_view input) {
  static ResumeTokens tokens(CurrentSecret(Secret("a credential")), "a list");
  Require(!tokens.Open(input), "only the service can make a token");
  if (input.size() < 2) return;

  const PageRecord first{7, 2};
  const ListPosition position{
      std::string(input.substr(2)), {static_cast<unsigned char>(input[1]), 1}, input.size()};
  const std::string token = tokens.Seal(position, {&first, 1});
  const auto opened = tokens.Open(token);
  Require(opened && opened->page == position.page && opened->record == position.record &&
              opened->ordinal == position.ordinal,
          "a token opens to the sealed position");
  const auto inside = tokens.Open(token + ":1");
  Require(inside && inside->page == position.page && inside->record == first &&
              inside->ordinal == position.ordinal - 1,
          "a token of a batch opens to a position inside the batch");
  std::string damaged = token;
  char& character = damaged[static_cast<unsigned char>(input[0]) * damaged.size() / 256];
  character = character == 'A' ? 'B' : 'A';
  const auto from_damaged = tokens.Open(damaged);
  // Base64's last character has unused bits; changing only those leaves the token valid.
  Require(!from_damaged || (&character == &damaged.back() && from_damaged->page == position.page),
          "a damaged token does not open");
}

}  // namespace
}  // namespace rollcall::service

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rollcall::service::Fuzz({reinterpret_cast<const char*>(data), size});
  return 0;
}
