"""Lists a conference's participant summaries with Twilio's library for Python."""

import argparse
import hashlib
import json
import sys
import time

from twilio.rest import Client


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--list", required=True)
    parser.add_argument("--page-size", type=int, required=True)
    parser.add_argument("--records", type=int, required=True)
    arguments = parser.parse_args()

    client = Client("ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "simulator")
    client.insights.base_url = arguments.base_url
    participants = client.insights.v1.conferences(arguments.list).conference_participants

    sids = []
    cpu_at_begin = time.process_time()
    begin = time.monotonic()
    first_at = begin
    for participant in participants.stream(page_size=arguments.page_size):
        if not sids:
            first_at = time.monotonic()
        sids.append(participant.participant_sid)
    seconds = time.monotonic() - begin
    cpu_seconds = time.process_time() - cpu_at_begin

    if len(sids) != arguments.records:
        sys.exit(f"twilio-python: {len(sids)} records, not {arguments.records}")
    for i, sid in enumerate(sids):
        # The last 16 digits of a simulated sid are the record's index in its list.
        if int(sid[-16:], 16) != i:
            sys.exit(f"twilio-python: record {i} is {sid}")
    lines = "".join(f"{sid}\n" for sid in sids)
    print(
        json.dumps(
            {
                "records": len(sids),
                "seconds": seconds,
                "first_record_ms": (first_at - begin) * 1e3,
                "cpu_seconds": cpu_seconds,
                "sids_sha256": hashlib.sha256(lines.encode()).hexdigest(),
            }
        )
    )


if __name__ == "__main__":
    main()
