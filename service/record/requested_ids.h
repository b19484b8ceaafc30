// The ids in a request: of the conference or room, and of the participant or call. A record with a
// different id of the same kind was not requested. Constant once decoding starts.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace rollcall::service {

struct RequestedId {
  absl::string_view field;  // the provider's name of the record's field
  std::string id;
  // Whether `text` has the form of such an id. Records may have other text in the field.
  bool (*is_well_formed)(absl::string_view text);

  // Whether `text` is a different id. Text that is not an id does not contradict.
  bool IsContradictedBy(absl::string_view text) const;
};

using RequestedIds = std::vector<RequestedId>;

}  // namespace rollcall::service
