#include "service/upstream/upstream_check.h"

#include <algorithm>
#include <future>
#include <iomanip>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "google/rpc/error_details.pb.h"
#include "nlohmann/json.hpp"
#include "service/error/error.h"
#include "service/http/curl_transport.h"
#include "service/http/event_loop.h"
#include "service/http/http_date.h"
#include "service/provider/participant_api.h"
#include "service/upstream/provider_answer.h"
#include "service/upstream/provider_request.h"

namespace rollcall::service {
namespace {

using std::chrono::milliseconds;

// A smaller difference between clocks is harmless.
constexpr absl::Duration kClockTolerance = absl::Minutes(1);

// One request to one API.
class Probe final : private HttpTransport::Receiver {
 public:
  struct Result {
    absl::Status status;  // OK if the API is in order
    int http_status = 0;  // 0 without a response
    milliseconds time{};
    absl::Duration clock_ahead;  // of the provider's; zero if unknown
  };

  Probe(const UpstreamOptions& upstream, const ParticipantApi& api, HttpTransport& transport)
      : upstream_(upstream),
        api_(api),
        transport_(transport),
        password_(upstream.account.password.get()),
        timer_(transport.scheduler()) {
    std::string target = api.ProbeTarget(upstream.account);
    AppendQuery(target, "PageSize", "1");
    url_ = api.base_url(upstream.account).Join(target);
  }

  const UpstreamOptions& upstream() const { return upstream_; }
  const ParticipantApi& api() const { return api_; }
  const BaseUrl& base_url() const { return api_.base_url(upstream_.account); }

  // Waits for the result. To be called once.
  Result Wait() { return result_.get_future().get(); }

  // The rest must be called on the loop's thread, as the destructor.

  void Start() {
    begin_ = EventLoop::Clock::now();
    HttpTransport::Receiver& receiver = *this;
    transfer_ = transport_.Get(MakeHttpRequest(upstream_, url_, password_, trace_), receiver);
    // A response that trickles in would not reach the idle timeout.
    timer_.Start(upstream_.transport.connect_timeout + upstream_.transport.idle_timeout, [this] {
      End(MakeError(v1::ERROR_REASON_UPSTREAM_TIMEOUT,
                    "the provider's response was not complete in time"));
    });
  }

 private:
  void OnHead(const HttpResponse& response) override {
    answer_.TakeHead(response);
    const absl::Time now = absl::Now();
    if (const auto date = ParseHttpDate(response.header("Date").value_or(""), now)) {
      clock_ahead_ = now - *date;
    }
  }

  bool OnBody(absl::string_view bytes) override {
    body_.append(bytes.data(), bytes.size());
    if (!answer_.TakeBody(bytes)) OnDone(absl::OkStatus());
    return true;
  }

  void OnDone(absl::Status status) override { End(Judge(status)); }

  absl::Status Judge(const absl::Status& end) const {
    if (!answer_.has_head()) return end;
    const nlohmann::json document = nlohmann::json::parse(body_, nullptr, false);
    if (answer_.ok()) {
      if (!end.ok()) return end;
      // A live list that does not exist may be an empty one.
      if (document.is_object() && document.contains(api_.page_layout().records_key)) {
        return absl::OkStatus();
      }
    } else {
      absl::Status status = answer_.ToStatus(upstream_.account, url_, absl::Now());
      if (ReasonOf(status) != v1::ERROR_REASON_UPSTREAM_NOT_FOUND) return status;
      // The forms of the providers' errors; the last is RFC 9457's.
      if (document.is_object() && (document.contains("code") || document.contains("errors") ||
                                   document.contains("title"))) {
        return absl::OkStatus();
      }
    }
    return MakeError(v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE,
                     absl::StrCat("the response is not from the provider's API (HTTP ",
                                  answer_.http_status(), "); check the base URL"));
  }

  void End(const absl::Status& status) {
    transfer_->Cancel();
    timer_.Stop();
    const auto time = EventLoop::Clock::now() - begin_;
    result_.set_value({status, answer_.http_status(),
                       std::chrono::duration_cast<milliseconds>(time), clock_ahead_});
  }

  const UpstreamOptions& upstream_;
  const ParticipantApi& api_;
  HttpTransport& transport_;
  const Secret password_;
  const TraceContext trace_;
  std::string url_;
  EventLoop::Clock::time_point begin_;
  ProviderAnswer answer_;
  std::string body_;  // as much of it as `answer_` keeps
  absl::Duration clock_ahead_;
  Timer timer_;
  std::unique_ptr<HttpTransport::Transfer> transfer_;
  std::promise<Result> result_;
};

// Host and port of a proxy's URL from the environment, which may contain a password.
std::string ProxyHost(absl::string_view url) {
  if (const size_t at = url.rfind('@'); at != absl::string_view::npos) {
    url.remove_prefix(at + 1);
  } else if (const size_t scheme = url.find("://"); scheme != absl::string_view::npos) {
    url.remove_prefix(scheme + 3);
  }
  const absl::string_view host = url.substr(0, url.find('/'));
  return BaseUrl::Parse(absl::StrCat("http://", host)).ok() ? std::string(host)
                                                            : "not a host and port";
}

// The first of these variables that is set.
std::optional<std::pair<const char*, std::string>> FirstSet(
    const Environment& env, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    std::optional<std::string> value = env(name);
    if (value && !value->empty()) return std::pair(name, *std::move(value));
  }
  return std::nullopt;
}

// The proxy of https URLs, as CurlTransport and libcurl choose it.
std::string DescribeProxy(const UpstreamOptions& upstream, const Environment& env) {
  if (upstream.transport.proxy) {
    return upstream.transport.proxy->empty() ? "none, as configured" : *upstream.transport.proxy;
  }
  const auto proxy = FirstSet(env, {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"});
  if (!proxy) return "none, neither configured nor by the environment";
  const auto exceptions = FirstSet(env, {"no_proxy", "NO_PROXY"});
  return absl::StrCat(
      ProxyHost(proxy->second), ", by ", proxy->first, " of the environment",
      exceptions ? absl::StrCat(", unless ", exceptions->first, " names the host") : "");
}

std::string ClockWarning(absl::Duration ahead) {
  return absl::StrCat("warning: this machine's clock is ",
                      absl::FormatDuration(absl::Trunc(absl::AbsDuration(ahead), absl::Seconds(1))),
                      ahead > absl::ZeroDuration() ? " ahead of" : " behind",
                      " the provider's; certificates are judged by it");
}

// Hints about the cause of a failure.
std::vector<std::string> Hints(const Probe& probe, const absl::Status& status,
                               const Environment& env) {
  std::vector<std::string> hints;
  const v1::ErrorReason reason = ReasonOf(status);
  const bool not_trusted = reason == v1::ERROR_REASON_UPSTREAM_NOT_TRUSTED;
  if (not_trusted) {
    const std::string& ca_file = probe.upstream().transport.ca_file;
    hints.push_back(absl::StrCat("ca_file: ", ca_file.empty() ? "the system's" : ca_file));
    // OpenSSL's error texts.
    if (absl::StrContains(status.message(), "expired") ||
        absl::StrContains(status.message(), "not yet valid")) {
      hints.push_back(
          absl::StrCat("or this machine's clock is wrong, which says ",
                       absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::Now(), absl::UTCTimeZone())));
    }
  }
  if (!probe.base_url().is_plaintext() &&
      (not_trusted || reason == v1::ERROR_REASON_UPSTREAM_UNREACHABLE ||
       reason == v1::ERROR_REASON_UPSTREAM_TIMEOUT ||
       reason == v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE)) {
    hints.push_back(absl::StrCat("proxy: ", DescribeProxy(probe.upstream(), env)));
  }
  if (const auto help = ErrorDetail<google::rpc::Help>(status)) {
    hints.push_back(absl::StrCat("see ", help->links(0).url()));
  }
  if (const auto info = ErrorDetail<google::rpc::ErrorInfo>(status)) {
    const auto id = info->metadata().find("provider_request_id");
    if (id != info->metadata().end() && !id->second.empty()) {
      hints.push_back(absl::StrCat("the provider's id of the request: ", id->second));
    }
  }
  return hints;
}

std::string Verdict(const Probe::Result& result) {
  if (!result.status.ok()) {
    return absl::StrCat("FAILED after ", result.time.count(), " ms: ", result.status.message());
  }
  return absl::StrCat("ok (HTTP ", result.http_status,
                      result.http_status == 200 ? "" : " for a list that does not exist", ", ",
                      result.time.count(), " ms)");
}

}  // namespace

absl::Status CheckUpstreams(const std::vector<UpstreamOptions>& upstreams, const Environment& env,
                            std::ostream& out) {
  std::vector<std::unique_ptr<Probe>> probes;
  std::unique_ptr<HttpTransport> transport;
  EventLoop loop;  // destroyed first, after all its tasks
  transport = std::make_unique<CurlTransport>(loop);
  size_t name_width = 0;
  size_t api_width = 0;
  size_t url_width = 0;
  for (const UpstreamOptions& upstream : upstreams) {
    for (const ParticipantApi* api : ApisOf(upstream.account.provider)) {
      const Probe& probe =
          *probes.emplace_back(std::make_unique<Probe>(upstream, *api, *transport));
      name_width = std::max(name_width, upstream.account.name.size());
      api_width = std::max(api_width, api->name().size());
      url_width = std::max(url_width, probe.base_url().ToString().size());
    }
  }
  loop.Post([&probes] {
    for (const auto& probe : probes) probe->Start();
  });
  int failed = 0;
  for (const auto& probe : probes) {
    const Probe::Result result = probe->Wait();
    const auto column = [&out](absl::string_view text, size_t width) {
      out << std::left << std::setw(static_cast<int>(width)) << std::string(text) << "  ";
    };
    column(probe->upstream().account.name, name_width);
    column(probe->api().name(), api_width);
    column(probe->base_url().ToString(), url_width);
    out << Verdict(result) << '\n';
    std::vector<std::string> notes;
    if (!result.status.ok()) {
      ++failed;
      notes = Hints(*probe, result.status, env);
    }
    if (absl::AbsDuration(result.clock_ahead) > kClockTolerance) {
      notes.push_back(ClockWarning(result.clock_ahead));
    }
    for (const std::string& note : notes) out << "  " << note << '\n';
    out.flush();
  }
  const size_t asked = probes.size();
  // Destroyed on the loop's thread.
  loop.Post([&probes, &transport] {
    probes.clear();
    transport.reset();
  });
  if (failed == 0) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat(failed, " of ", asked, " APIs of the upstreams would not serve"));
}

}  // namespace rollcall::service
