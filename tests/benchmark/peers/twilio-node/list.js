// Lists a conference's participant summaries with Twilio's library for Node.js.

"use strict";

const twilio = require("twilio");
const { CheckedList } = require("../checked_list.js");

async function main() {
  const checked = new CheckedList();
  const client = twilio("ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "simulator");
  client.insights.baseUrl = checked.baseUrl;
  const { conferenceParticipants } = client.insights.v1.conferences(checked.sid);
  await checked.measure((add) =>
    conferenceParticipants.each({ pageSize: checked.pageSize }, (participant) =>
      add(participant.participantSid),
    ),
  );
}

main().catch((error) => {
  console.error(`twilio-node: ${error.stack}`);
  process.exitCode = 1;
});
