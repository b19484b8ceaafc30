# Lists the participants of a conference: each one's sid and outbound queue length.
#
# ROLLCALL_SERVER is the service's address (localhost:50051). If it uses TLS, ROLLCALL_CA_FILE names
# the certificates to trust, and ROLLCALL_TOKEN_FILE a file with the caller's token.

$LOAD_PATH.unshift("#{__dir__}/lib")

require "google/protobuf/well_known_types"
require "google/rpc/error_details_pb"
require "grpc"
require "optparse"
require "rollcall/v1/participant_service_services_pb"

def connect
  server = ENV.fetch("ROLLCALL_SERVER", "localhost:50051")
  ca_file, token_file = ENV.values_at("ROLLCALL_CA_FILE", "ROLLCALL_TOKEN_FILE")
  credentials = :this_channel_is_insecure
  if ca_file
    credentials = GRPC::Core::ChannelCredentials.new(File.read(ca_file))
    if token_file
      token = { authorization: "Bearer #{File.read(token_file).strip}" }
      credentials = credentials.compose(GRPC::Core::CallCredentials.new(->(_) { token }))
    end
  end
  Rollcall::V1::ParticipantService::Stub.new(server, credentials)
end

# The number, or what the provider sent instead of one.
def queue_length(participant)
  field = "outbound_queue_length"
  summary = participant.conference_participant_summary
  return summary.outbound_queue_length if summary.has_outbound_queue_length?
  return "null" if participant.null_fields&.paths&.include?(field)

  value = participant.unrecognized.find { |unrecognized| unrecognized.path == field }
  value ? "unrecognized #{value.json}" : "absent"
end

# The status, and from its details the reason, which programs can act on.
def describe(error)
  codes = GRPC::Core::StatusCodes
  name = codes.constants.find { |constant| codes.const_get(constant) == error.code }
  lines = ["#{name}: #{error.details}"]
  error.to_rpc_status&.details&.each do |detail|
    next unless detail.is(Google::Rpc::ErrorInfo)

    info = detail.unpack(Google::Rpc::ErrorInfo)
    # For a reason that this program does not know, `retry` says whether to call again.
    retry_advice, request = info.metadata.to_h.values_at("retry", "request_id")
    lines << "reason #{info.reason}, retry #{retry_advice}, request #{request}"
  end
  lines.join("\n")
end

timeout = 300
stop_after = nil
token = nil
arguments = OptionParser.new("Usage: list_participants.rb [options] CONFERENCE") do |options|
  options.on("--timeout SECONDS", Float) { |value| timeout = value }
  options.on("--stop-after N", Integer, "Cancel after N participants") { |value| stop_after = value }
  options.on("--resume-token TOKEN", "Resume after its participant") { |value| token = value }
end
conference, = arguments.parse!
abort(arguments.help) unless conference

request = Rollcall::V1::ListParticipantsRequest.new(
  conference_participant_summaries: { conference_sid: conference }
)
request.resume_token = token if token
count = 0
begin
  call = connect.list_participants(request, deadline: Time.now + timeout, return_op: true)
  call.execute.each do |response|
    summary = response.participant.conference_participant_summary
    puts "#{summary.participant_sid}\t#{queue_length(response.participant)}"
    count += 1
    token = response.resume_token
    call.cancel if count == stop_after
  end
  warn "complete: #{count} participants"
rescue GRPC::BadStatus => error
  stopped = error.is_a?(GRPC::Cancelled) && count == stop_after
  warn describe(error) unless stopped
  warn "after #{count} participants, resume with --resume-token #{token}" if token
  exit 1 unless stopped
end
