// The field table of a conference's present participants, which SignalWire's API shares with
// Twilio's: the one is made to be compatible with the other.
#pragma once

#include "service/record/record_schema.h"

namespace rollcall {

const RecordSchema& LiveParticipantSchema();

}  // namespace rollcall
