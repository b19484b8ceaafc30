// Lists the current participants of a conference with SignalWire's library for Node.js.

"use strict";

const { RestClient } = require("@signalwire/compatibility-api");
const { CheckedList } = require("../checked_list.js");

const project = "b3877c40-da60-4998-90ad-b792e98472af";

// The library closes the connection after each request unless the request sets `forever`, which
// only a custom HTTP client can do.
class HttpClient extends RestClient.RequestClient {
  request(options) {
    return super.request({ ...options, forever: true });
  }
}

async function main() {
  const checked = new CheckedList();
  const client = RestClient(project, "simulator", {
    signalwireSpaceUrl: new URL(checked.baseUrl).host,
    httpClient: new HttpClient(),
  });
  // The library makes its base URL an HTTPS one, and omits the prefix under which the simulator
  // serves the compatibility API. Links have the prefix.
  client.api.baseUrl = checked.baseUrl;
  client.api.v2010._version = "api/laml/2010-04-01";

  const { participants } = client.conferences(checked.sid);
  await checked.measure(
    (add) =>
      new Promise((resolve, reject) => {
        const done = (error) => (error ? reject(error) : resolve());
        participants.each({ pageSize: checked.pageSize, done }, (participant) =>
          add(participant.callSid),
        );
      }),
  );
}

main().catch((error) => {
  console.error(`signalwire: ${error.stack}`);
  process.exitCode = 1;
});
