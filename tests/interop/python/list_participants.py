"""Lists the participants of a conference: each one's sid and outbound queue length.

Where the service is: ROLLCALL_SERVER (localhost:50051). Where it serves TLS, ROLLCALL_CA_FILE names
the certificates to trust, and ROLLCALL_TOKEN_FILE a token to show.
"""

import argparse
import os
import sys
from pathlib import Path

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from rollcall.v1 import participant_service_pb2 as api
from rollcall.v1 import participant_service_pb2_grpc as service


def open_channel():
    server = os.environ.get("ROLLCALL_SERVER", "localhost:50051")
    ca_file = os.environ.get("ROLLCALL_CA_FILE")
    token_file = os.environ.get("ROLLCALL_TOKEN_FILE")
    if not ca_file:
        return grpc.insecure_channel(server)
    credentials = grpc.ssl_channel_credentials(Path(ca_file).read_bytes())
    if token_file:
        token = grpc.access_token_call_credentials(Path(token_file).read_text().strip())
        credentials = grpc.composite_channel_credentials(credentials, token)
    return grpc.secure_channel(server, credentials)


def queue_length(participant):
    """The number, or what the provider sent instead of one."""
    field = "outbound_queue_length"
    if participant.conference_participant_summary.HasField(field):
        return participant.conference_participant_summary.outbound_queue_length
    if field in participant.null_fields.paths:
        return "null"
    for value in participant.unrecognized:
        if value.path == field:
            return f"unrecognized {value.json}"
    return "absent"


def describe(error):
    """The status, and from its details the reason, which programs can act on."""
    lines = [f"{error.code().name}: {error.details()}"]
    status = rpc_status.from_call(error)
    for detail in status.details if status else []:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            # For a reason that this program does not know, `retry` says whether to call again.
            retry, request = info.metadata["retry"], info.metadata["request_id"]
            lines.append(f"reason {info.reason}, retry {retry}, request {request}")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("conference", help="CF and 32 hexadecimal digits")
    parser.add_argument("--timeout", type=float, default=300, help="seconds")
    parser.add_argument("--stop-after", type=int, help="cancel the call after this many")
    parser.add_argument("--resume-token", help="resume after the participant that came with it")
    options = parser.parse_args()

    request = api.ListParticipantsRequest(
        conference_participant_summaries=api.ConferenceParticipantSummariesQuery(
            conference_sid=options.conference
        ),
        resume_token=options.resume_token,
    )
    count, token, failure = 0, options.resume_token, None
    with open_channel() as channel:
        stub = service.ParticipantServiceStub(channel)
        call = stub.ListParticipants(request, timeout=options.timeout)
        try:
            for response in call:
                summary = response.participant.conference_participant_summary
                print(summary.participant_sid, queue_length(response.participant), sep="\t")
                count, token = count + 1, response.resume_token
                if count == options.stop_after:
                    call.cancel()
                    break
            else:
                print(f"complete: {count} participants", file=sys.stderr)
                return 0
        except grpc.RpcError as error:
            failure = error
            print(describe(error), file=sys.stderr)
    if token:
        print(f"after {count} participants, resume with --resume-token {token}", file=sys.stderr)
    return 1 if failure else 0


if __name__ == "__main__":
    sys.exit(main())
