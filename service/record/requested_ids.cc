#include "service/record/requested_ids.h"

#include "absl/strings/match.h"

namespace rollcall::service {

bool RequestedId::IsContradictedBy(absl::string_view text) const {
  if (text == id) return false;
  // A request can also name a participant by label, which is not an id.
  return is_well_formed(text) && is_well_formed(id) && !absl::EqualsIgnoreCase(text, id);
}

}  // namespace rollcall::service
