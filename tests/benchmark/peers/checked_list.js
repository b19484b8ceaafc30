// Shared by the two Node.js programs: their arguments, and the measured list, which is checked
// record by record once it is complete.

"use strict";

const crypto = require("node:crypto");
const http = require("node:http");
const { parseArgs } = require("node:util");

// Collect the sids while the list is read, and check them only after the clock has stopped.
class CheckedList {
  constructor() {
    const text = { type: "string" };
    const { values } = parseArgs({
      options: { "base-url": text, list: text, "page-size": text, records: text },
    });
    this.baseUrl = values["base-url"];
    this.sid = values.list;
    this.pageSize = Number(values["page-size"]);
    this.records = Number(values.records);
    if (!this.baseUrl || !this.sid || !(this.pageSize > 0) || !(this.records >= 0)) {
      throw new Error("needed: --base-url URL --list SID --page-size N --records N");
    }
    this.sids = [];
    // The libraries enable keep-alive connections, but only for HTTPS. This does the same for the
    // simulator's HTTP, independent of Node.js's default.
    http.globalAgent = new http.Agent({ keepAlive: true });
  }

  // Runs `list`, which calls its argument with the sid of each record and resolves at the end.
  async measure(list) {
    const { sids } = this;
    const cpuAtBegin = process.cpuUsage();
    const begin = performance.now();
    let firstAt = begin;
    await list((sid) => {
      if (sids.push(sid) === 1) firstAt = performance.now();
    });
    const milliseconds = performance.now() - begin;
    const { user, system } = process.cpuUsage(cpuAtBegin);

    this.check();
    const lines = sids.map((sid) => `${sid}\n`).join("");
    console.log(
      JSON.stringify({
        records: sids.length,
        seconds: milliseconds / 1e3,
        first_record_ms: firstAt - begin,
        cpu_seconds: (user + system) / 1e6,
        sids_sha256: crypto.createHash("sha256").update(lines).digest("hex"),
      }),
    );
  }

  // The last 16 digits of a simulated sid are the record's index in its list.
  check() {
    if (this.sids.length !== this.records) {
      throw new Error(`${this.sids.length} records, not ${this.records}`);
    }
    this.sids.forEach((sid, i) => {
      if (parseInt(sid.replaceAll("-", "").slice(-16), 16) !== i) {
        throw new Error(`record ${i} is ${sid}`);
      }
    });
  }
}

module.exports = { CheckedList };
