// The field table of a live conference's participants. SignalWire's API is designed to be
// compatible with Twilio's, so they share the table.
#pragma once

#include "service/record/record_schema.h"

namespace rollcall::service {

const RecordSchema& LiveParticipantSchema();

}  // namespace rollcall::service
