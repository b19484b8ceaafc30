#include "service/metrics/error_facts.h"

#include "absl/strings/numbers.h"
#include "google/rpc/error_details.pb.h"
#include "service/error/error.h"

namespace rollcall::service {

ErrorFacts FactsOf(const absl::Status& status) {
  ErrorFacts facts;
  facts.code = status.code();
  if (status.ok()) return facts;
  facts.reason = ReasonOf(status);
  const auto info = ErrorDetail<google::rpc::ErrorInfo>(status);
  if (!info) return facts;
  const auto text = [&info](const char* key) -> std::string {
    const auto found = info->metadata().find(key);
    return found == info->metadata().end() ? std::string() : found->second;
  };
  if (!absl::SimpleAtoi(text("http_status"), &facts.http_status)) facts.http_status = 0;
  facts.provider_code = Identifier(text("provider_code"));
  facts.provider_request_id = Identifier(text("provider_request_id"));
  return facts;
}

void AddFacts(const ErrorFacts& facts, EventLog::Fields& fields) {
  if (facts.reason != v1::ERROR_REASON_UNSPECIFIED) fields.push_back({"reason", facts.reason});
  if (facts.http_status != 0) fields.push_back({"http_status", facts.http_status});
  if (!facts.provider_code.text().empty()) {
    fields.push_back({"provider_code", facts.provider_code});
  }
  if (!facts.provider_request_id.text().empty()) {
    fields.push_back({"provider_request_id", facts.provider_request_id});
  }
}

}  // namespace rollcall::service
