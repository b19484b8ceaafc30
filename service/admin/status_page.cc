#include "service/admin/status_page.h"

#include <algorithm>
#include <chrono>
#include <initializer_list>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace rollcall::service {
namespace {

constexpr size_t kMaxCalls = 100;

constexpr absl::string_view kHead =
    "<!doctype html>\n"
    "<html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
    "<title>Rollcall</title><style>"
    ":root{color-scheme:light dark}"
    "body{font:15px/1.5 system-ui,sans-serif;margin:1rem auto;max-width:70rem;padding:0 1rem}"
    "h2{margin:1.5rem 0 .3rem;font-size:1.1rem}"
    "div{overflow-x:auto}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    "th,td{text-align:left;padding:.2rem .9rem .2rem 0;border-bottom:1px solid #8884;"
    "white-space:nowrap}"
    ".bad{color:#c22;font-weight:600}"
    "</style></head><body>\n";

std::string Escaped(absl::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string Time(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", time, absl::UTCTimeZone());
}

std::string Since(absl::Duration time) {
  return absl::FormatDuration(absl::Trunc(time, absl::Seconds(1)));
}

// Writes a table with a heading, row by row.
class Table {
 public:
  // `id` is for programs that read the page.
  Table(std::string& html, absl::string_view heading, absl::string_view id,
        std::initializer_list<absl::string_view> columns)
      : html_(html) {
    absl::StrAppend(&html_, "<h2>", Escaped(heading), "</h2>\n<div><table id=\"", id,
                    "\"><thead><tr>");
    for (const absl::string_view column : columns) {
      absl::StrAppend(&html_, "<th>", Escaped(column), "</th>");
    }
    html_ += "</tr></thead><tbody>\n";
  }
  ~Table() { html_ += "</tbody></table></div>\n"; }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  void Row(std::initializer_list<std::string> cells, bool is_bad = false) {
    html_ += is_bad ? "<tr class=\"bad\">" : "<tr>";
    for (const std::string& cell : cells) absl::StrAppend(&html_, "<td>", Escaped(cell), "</td>");
    html_ += "</tr>\n";
  }

 private:
  std::string& html_;
};

std::string Text(const ErrorFacts& error) {
  std::string text =
      error.reason == v1::ERROR_REASON_UNSPECIFIED ? NameOf(error.code) : NameOf(error.reason);
  if (error.http_status != 0) absl::StrAppend(&text, ", HTTP ", error.http_status);
  if (!error.provider_code.text().empty()) {
    absl::StrAppend(&text, ", code ", error.provider_code.text());
  }
  return text;
}

std::string StateOf(const UpstreamHealth& health, bool circuit_open) {
  std::vector<std::string> states;
  if (circuit_open) {
    states.push_back(health.down_since ? absl::StrCat("down since ", Time(*health.down_since))
                                       : "down");
  }
  if (health.credentials_rejected) states.emplace_back("rejects the credentials");
  if (health.not_trusted) states.emplace_back("certificate not trusted");
  return states.empty() ? "up" : absl::StrJoin(states, ", ");
}

void AddUpstreams(std::string& html, const StatusPage& page) {
  Table table(html, "Upstreams", "upstreams",
              {"name", "provider", "origin", "state", "in flight", "limit", "waiting", "stalled",
               "last failure"});
  for (const UpstreamStatus& upstream : page.upstreams) {
    const auto found = std::find_if(
        page.state.upstreams.begin(), page.state.upstreams.end(),
        [&upstream](const auto& requests) { return requests.upstream == upstream.name; });
    const UpstreamRequests requests =
        found == page.state.upstreams.end() ? UpstreamRequests() : *found;
    const UpstreamHealth& health = upstream.health;
    const std::string state = StateOf(health, requests.circuit_open);
    table.Row({upstream.name, upstream.provider, upstream.origin, state,
               absl::StrCat(requests.in_flight), absl::StrCat(requests.limit),
               absl::StrCat(requests.waiting), absl::StrCat(requests.stalled),
               health.failed_at ? absl::StrCat(Time(*health.failed_at), ": ", Text(health.failure))
                                : "none"},
              state != "up");
  }
}

void AddCalls(std::string& html, const StatusPage& page) {
  std::vector<RunningCall> calls = page.state.calls;
  std::sort(calls.begin(), calls.end(),
            [](const auto& a, const auto& b) { return a.began < b.began; });
  const auto now = std::chrono::steady_clock::now();
  std::string heading = absl::StrCat("Running calls: ", calls.size());
  if (calls.size() > kMaxCalls) {
    absl::StrAppend(&heading, ", the oldest ", kMaxCalls, " of them");
    calls.resize(kMaxCalls);
  }
  Table table(
      html, heading, "calls",
      {"method", "caller", "upstream", "query", "records", "queued bytes", "age", "request id"});
  for (const RunningCall& call : calls) {
    table.Row({NameOf(call.method), call.caller.text(), call.upstream.text(), call.query.text(),
               absl::StrCat(call.records), absl::StrCat(call.queued_bytes),
               Since(absl::FromChrono(now - call.began)), call.request_id.text()});
  }
}

void AddErrors(std::string& html, const StatusPage& page) {
  Table table(html, "Recent errors", "errors",
              {"time", "method", "caller", "upstream", "code", "reason", "request id"});
  for (const FailedCall& failed : page.errors) {
    table.Row({Time(failed.time), NameOf(failed.call.method), failed.call.caller.text(),
               failed.call.upstream.text(), NameOf(failed.error.code), Text(failed.error),
               failed.call.request_id.text()});
  }
}

}  // namespace

std::string ToHtml(const StatusPage& page) {
  std::string html(kHead);
  absl::StrAppend(
      &html, "<h1>Rollcall ", Escaped(page.version), "</h1>\n<p>",
      page.state.draining ? "<span class=\"bad\">Draining: no new calls are accepted.</span> " : "",
      "Up for ", Since(page.now - page.started), ", since ", Time(page.started), ". As of ",
      Time(page.now), ". <a href=\"/metrics\">Metrics</a></p>\n");
  AddUpstreams(html, page);
  AddCalls(html, page);
  AddErrors(html, page);
  {
    Table table(html, "Process", "process", {"what", "value"});
    table.Row({"resident memory", absl::StrCat(page.resident_bytes >> 20, " MiB")});
    for (size_t i = 0; i < page.state.calls_of_loops.size(); ++i) {
      table.Row({absl::StrCat("calls of event loop ", i + 1),
                 absl::StrCat(page.state.calls_of_loops[i])});
    }
  }
  {
    Table table(html, "Configuration", "configuration", {"key", "value"});
    for (const auto& [key, value] : page.configuration) table.Row({key, value});
  }
  html += "</body></html>\n";
  return html;
}

}  // namespace rollcall::service
