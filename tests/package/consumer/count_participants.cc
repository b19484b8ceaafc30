// Prints how many participants a conference had, or the reason of the failure.
#include <cstdint>
#include <iostream>

#include <rollcall/call_status.h>
#include <rollcall/channel.h>
#include <rollcall/participant_client.h>
#include "google/rpc/error_details.pb.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: count_participants SERVER CONFERENCE\n";
    return 2;
  }
  const rollcall::ParticipantClient client(rollcall::MakeChannel(argv[1]));
  rollcall::v1::ListParticipantsRequest request;
  request.mutable_conference_participant_summaries()->set_conference_sid(argv[2]);
  std::int64_t count = 0;
  for (const auto& participant : client.List(request)) {
    if (!participant.ok()) {
      const auto info = rollcall::StatusDetail<google::rpc::ErrorInfo>(participant.status());
      std::cout << (info ? info->reason() : participant.status().ToString()) << "\n";
      return 1;
    }
    ++count;
  }
  std::cout << count << "\n";
}
