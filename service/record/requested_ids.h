// The ids that a request names: of the conference or room, and of the participant or call. A record
// that carries another id of the same kind is not one that was asked for. Made by provider/ from a
// request, checked by the record decoder; constant.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace rollcall {

struct RequestedId {
  absl::string_view field;  // the record's, in the provider's name
  std::string id;
  // Whether a text is such an id at all. Providers' records hold other text, too.
  bool (*is_well_formed)(absl::string_view text);

  // Whether `text` is another id. What is no id does not contradict.
  bool IsContradictedBy(absl::string_view text) const;
};

using RequestedIds = std::vector<RequestedId>;

}  // namespace rollcall
