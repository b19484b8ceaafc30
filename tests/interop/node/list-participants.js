// Lists the participants of a conference: each one's sid and outbound queue length.
//
// ROLLCALL_SERVER is the service's address (localhost:50051). If it uses TLS, ROLLCALL_CA_FILE
// names the certificates to trust, and ROLLCALL_TOKEN_FILE a file with the caller's token.

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const files = loadSync(
  [
    "rollcall/v1/participant_service.proto",
    "google/rpc/status.proto",
    "google/rpc/error_details.proto",
  ],
  { includeDirs: [new URL("../../../proto", import.meta.url).pathname], longs: String },
);
const { ParticipantService } = grpc.loadPackageDefinition(files).rollcall.v1;

function connect() {
  const server = process.env.ROLLCALL_SERVER ?? "localhost:50051";
  const caFile = process.env.ROLLCALL_CA_FILE;
  const tokenFile = process.env.ROLLCALL_TOKEN_FILE;
  if (!caFile) return new ParticipantService(server, grpc.credentials.createInsecure());
  let credentials = grpc.credentials.createSsl(readFileSync(caFile));
  if (tokenFile) {
    const metadata = new grpc.Metadata();
    metadata.set("authorization", `Bearer ${readFileSync(tokenFile, "utf8").trim()}`);
    const token = (_, callback) => callback(null, metadata);
    credentials = grpc.credentials.combineChannelCredentials(
      credentials,
      grpc.credentials.createFromMetadataGenerator(token),
    );
  }
  return new ParticipantService(server, credentials);
}

// The number, or what the provider sent instead of one.
function queueLength({ conferenceParticipantSummary: summary, nullFields, unrecognized = [] }) {
  const field = "outbound_queue_length";
  if (summary.outboundQueueLength !== undefined) return summary.outboundQueueLength;
  if (nullFields?.paths.includes(field)) return "null";
  const value = unrecognized.find(({ path }) => path === field);
  return value ? `unrecognized ${value.json}` : "absent";
}

// The status, and from its details the reason, which programs can act on.
function describe(error) {
  const lines = [`${grpc.status[error.code]}: ${error.details}`];
  for (const bytes of error.metadata.get("grpc-status-details-bin")) {
    for (const { type_url: type, value } of files["google.rpc.Status"].deserialize(bytes).details ?? []) {
      if (!type.endsWith("/google.rpc.ErrorInfo")) continue;
      const { reason, metadata } = files["google.rpc.ErrorInfo"].deserialize(value);
      // For a reason that this program does not know, `retry` says whether to call again.
      lines.push(`reason ${reason}, retry ${metadata.retry}, request ${metadata.request_id}`);
    }
  }
  return lines.join("\n");
}

const { positionals, values: options } = parseArgs({
  allowPositionals: true,
  options: {
    timeout: { type: "string", default: "300" }, // Seconds.
    "stop-after": { type: "string" }, // Cancel the call after this many participants.
    "resume-token": { type: "string" }, // Resume after the participant that came with it.
  },
});
if (positionals.length !== 1) {
  console.error("usage: list-participants.js [options] CONFERENCE");
  process.exit(2);
}

const request = {
  conferenceParticipantSummaries: { conferenceSid: positionals[0] },
  resumeToken: options["resume-token"],
};
const stopAfter = Number(options["stop-after"]);
let count = 0;
let token = options["resume-token"];
let complete = false;
const client = connect();
const call = client.listParticipants(request, { deadline: Date.now() + options.timeout * 1000 });
try {
  for await (const { participant, resumeToken } of call) {
    const { participantSid } = participant.conferenceParticipantSummary;
    console.log(`${participantSid}\t${queueLength(participant)}`);
    token = resumeToken;
    if (++count === stopAfter) break;
  }
  complete = count !== stopAfter;
} catch (error) {
  console.error(describe(error));
  process.exitCode = 1;
}
call.cancel(); // Also ends the call if we left the loop early.
if (complete) {
  console.error(`complete: ${count} participants`);
} else if (token) {
  console.error(`after ${count} participants, resume with --resume-token ${token}`);
}
client.close();
