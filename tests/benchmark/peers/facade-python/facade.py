"""A minimal facade: serves the lists of Twilio's Python library through
rollcall.v1.ParticipantService, for conference participant summaries only.

Its messages contain the same record as rollcalld's. It does not distinguish null from absent, drops
unknown fields, does not retry and cannot resume.
"""

import argparse
import datetime
import signal
from concurrent import futures

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from rollcall.v1 import conference_participant_summary_pb2 as summaries
from rollcall.v1 import participant_pb2
from rollcall.v1 import participant_service_pb2 as service
from rollcall.v1 import participant_service_pb2_grpc as service_grpc
from twilio.base.exceptions import TwilioException
from twilio.rest import Client


def enum_values(enum, prefix):
    """The enum's numbers by the provider's texts."""
    return {name[len(prefix) :].lower(): number for name, number in enum.items()}


CALL_DIRECTIONS = enum_values(summaries.CallDirection, "CALL_DIRECTION_")
CALL_STATUSES = enum_values(summaries.CallStatus, "CALL_STATUS_")
CALL_TYPES = enum_values(summaries.CallType, "CALL_TYPE_")
JITTER_BUFFER_SIZES = enum_values(summaries.JitterBufferSize, "JITTER_BUFFER_SIZE_")
PROCESSING_STATES = enum_values(summaries.ProcessingState, "PROCESSING_STATE_")

PROPERTIES = frozenset(summaries.ConferenceParticipantProperties.DESCRIPTOR.fields_by_name)
MEDIA_METRICS = frozenset(summaries.MediaMetrics.DESCRIPTOR.fields_by_name)


def timestamp(value):
    """The library parses some times, but returns those with a fraction or an offset as text."""
    if value is None:
        return None
    result = Timestamp()
    if isinstance(value, datetime.datetime):
        result.FromDatetime(value)
    else:
        result.FromJsonString(value)
    return result


def duration(seconds):
    return None if seconds is None else datetime.timedelta(seconds=seconds)


def properties(values):
    if values is None:
        return None
    known = {name: value for name, value in values.items() if name in PROPERTIES}
    if "early_media" in values:
        known["play_early_media"] = values["early_media"]
    return summaries.ConferenceParticipantProperties(**known)


def media_metrics(values):
    if values is None:
        return None
    return summaries.MediaMetrics(
        **{name: value for name, value in values.items() if name in MEDIA_METRICS}
    )


def metrics(values):
    if values is None:
        return None
    return summaries.ConferenceParticipantMetrics(
        inbound=media_metrics(values.get("inbound")),
        outbound=media_metrics(values.get("outbound")),
    )


def event_times(milliseconds):
    times = [Timestamp(seconds=t // 1000, nanos=t % 1000 * 1000000) for t in milliseconds]
    return summaries.EventTimes(times=times)


def events(values):
    if values is None:
        return None
    return {name: event_times(times) for name, times in values.items()}


def summary(participant):
    return summaries.ConferenceParticipantSummary(
        participant_sid=participant.participant_sid,
        label=participant.label,
        conference_sid=participant.conference_sid,
        call_sid=participant.call_sid,
        account_sid=participant.account_sid,
        call_direction=CALL_DIRECTIONS.get(participant.call_direction),
        from_address=participant._from,
        to_address=participant.to,
        call_status=CALL_STATUSES.get(participant.call_status),
        country_code=participant.country_code,
        is_moderator=participant.is_moderator,
        join_time=timestamp(participant.join_time),
        leave_time=timestamp(participant.leave_time),
        duration=duration(participant.duration_seconds),
        outbound_queue_length=participant.outbound_queue_length,
        outbound_time_in_queue=participant.outbound_time_in_queue,
        jitter_buffer_size=JITTER_BUFFER_SIZES.get(participant.jitter_buffer_size),
        is_coach=participant.is_coach,
        coached_participants=participant.coached_participants,
        participant_region=participant.participant_region,
        conference_region=participant.conference_region,
        call_type=CALL_TYPES.get(participant.call_type),
        processing_state=PROCESSING_STATES.get(participant.processing_state),
        properties=properties(participant.properties),
        events=events(participant.events),
        metrics=metrics(participant.metrics),
        url=participant.url,
    )


class Facade(service_grpc.ParticipantServiceServicer):
    def __init__(self, client):
        self._client = client

    def ListParticipants(self, request, context):
        if request.WhichOneof("query") != "conference_participant_summaries":
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "only conference_participant_summaries")
        conference = request.conference_participant_summaries.conference_sid
        participants = self._client.insights.v1.conferences(conference).conference_participants
        try:
            for participant in participants.stream(
                limit=request.limit or None, page_size=request.page_size or 1000
            ):
                yield service.ListParticipantsResponse(
                    participant=participant_pb2.Participant(
                        conference_participant_summary=summary(participant)
                    )
                )
        except TwilioException as error:
            context.abort(grpc.StatusCode.UNAVAILABLE, f"Twilio: {error.args[0]}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", default="127.0.0.1:0")
    parser.add_argument("--base-url", required=True)
    arguments = parser.parse_args()

    client = Client("ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "simulator")
    client.insights.base_url = arguments.base_url
    server = grpc.server(futures.ThreadPoolExecutor())
    service_grpc.add_ParticipantServiceServicer_to_server(Facade(client), server)
    port = server.add_insecure_port(arguments.listen)
    server.start()
    signal.signal(signal.SIGTERM, lambda *_: server.stop(None))
    print(f"listening on {arguments.listen.rpartition(':')[0]}:{port}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
