// The declarations of the settings that are numbers or booleans, by the object of the configuration
// file that has them, in the file's order. Any thread may read them.
#pragma once

#include <array>
#include <chrono>

#include "service/config/config.h"
#include "service/config/setting.h"

namespace rollcall::service {

inline constexpr std::chrono::milliseconds kShortestTime{1};

// The document itself.
inline constexpr auto kAllowPlaintextCallers =
    setting::Boolean<&Config::allow_plaintext_callers>("allow_plaintext_callers");
inline constexpr auto kReflection = setting::Boolean<&Config::reflection>("reflection");
inline constexpr auto kLogCalls = setting::Boolean<&Config::log_calls>("log_calls");
inline constexpr auto kEventLoops = setting::Integer<&Config::event_loops>("event_loops", 1, 64);
inline constexpr auto kPrefetch = setting::Boolean<&ReadOptions::prefetch>("prefetch");
inline constexpr auto kDrainTimeout = setting::Seconds<&Config::drain_timeout>(
    "drain_timeout_seconds", std::chrono::milliseconds(0), std::chrono::hours(1));

// An upstream.
inline constexpr std::array kAccountSettings = {
    setting::Integer<&AccountOptions::default_page_size>("default_page_size", 1, 1000),
    setting::Boolean<&AccountOptions::strict>("strict"),
};
inline constexpr std::array kLimiterSettings = {
    setting::Integer<&LimiterOptions::max_in_flight>("max_requests_in_flight", 1, 1'000'000),
    setting::Integer<&LimiterOptions::max_connections>("max_connections", 1, 1'000'000),
    setting::Integer<&LimiterOptions::max_waiting>("max_requests_waiting", 1, 1'000'000),
};
inline constexpr std::array kTransportSettings = {
    setting::Seconds<&TransportOptions::connect_timeout>("connect_timeout_seconds", kShortestTime,
                                                         std::chrono::seconds(600)),
    setting::Seconds<&TransportOptions::idle_timeout>("idle_timeout_seconds", kShortestTime,
                                                      std::chrono::hours(1)),
    setting::Boolean<&TransportOptions::http2>("http2"),
};

// "limits"
inline constexpr std::array kResponseLimitSettings = {
    setting::Integer<&ResponseLimits::max_record_bytes>("max_record_bytes", 1024,
                                                        std::int64_t{64} << 20),
    setting::Integer<&ResponseLimits::max_page_bytes>("max_page_bytes", 1024,
                                                      std::int64_t{64} << 30),
    setting::Integer<&ResponseLimits::max_records_per_page>("max_records_per_page", 1, 10'000'000),
    setting::Integer<&ResponseLimits::max_pages_per_list>("max_pages_per_list", 1, 1'000'000'000),
    setting::Integer<&ResponseLimits::max_json_depth>("max_json_depth", 8, 1024),
};
inline constexpr std::array kCallLimitSettings = {
    setting::Integer<&CallLimits::send_queue_bytes>("send_queue_bytes", 1024,
                                                    std::int64_t{64} << 20),
    setting::Integer<&CallLimits::max_calls>("max_calls", 1, 1'000'000),
    setting::Integer<&CallLimits::max_calls_per_caller>("max_calls_per_caller", 1, 1'000'000),
    setting::Seconds<&CallLimits::caller_stall>("caller_stall_seconds", kShortestTime,
                                                std::chrono::hours(24)),
};

// "connections"
inline constexpr std::array kConnectionSettings = {
    setting::Integer<&ConnectionOptions::max_streams>("max_streams", 1, 1'000'000),
    setting::Seconds<&ConnectionOptions::max_age>("max_age_seconds", kShortestTime,
                                                  std::chrono::hours(24 * 20)),
    setting::Seconds<&ConnectionOptions::max_idle>("max_idle_seconds", kShortestTime,
                                                   std::chrono::hours(24 * 20)),
    setting::Integer<&ConnectionOptions::max_memory_bytes>(
        "max_memory_bytes", std::int64_t{1} << 20, std::int64_t{1} << 40),
};

// "retry"
inline constexpr std::array kRetrySettings = {
    setting::Integer<&RetryOptions::max_attempts>("max_attempts", 1, 100),
    setting::Integer<&RetryOptions::max_attempts_per_page>("max_attempts_per_page", 1, 10'000),
    setting::Seconds<&RetryOptions::initial_backoff>("initial_backoff_seconds", kShortestTime,
                                                     std::chrono::seconds(60)),
    setting::Seconds<&RetryOptions::max_backoff>("max_backoff_seconds", kShortestTime,
                                                 std::chrono::hours(1)),
};

// "circuit_breaker"
inline constexpr std::array kBreakerSettings = {
    setting::Integer<&BreakerOptions::failures>("failures", 1, 1'000'000),
    setting::Seconds<&BreakerOptions::open>("open_seconds", kShortestTime, std::chrono::hours(1)),
};

// "deadline"
inline constexpr std::array kDeadlineSettings = {
    setting::Seconds<&DeadlineOptions::otherwise>("default_seconds", kShortestTime,
                                                  std::chrono::hours(24 * 30)),
    setting::Seconds<&DeadlineOptions::max>("max_seconds", kShortestTime,
                                            std::chrono::hours(24 * 30)),
};

// "recording"
inline constexpr std::array kRecordingSettings = {
    setting::Integer<&RecordingOptions::max_bytes>("max_bytes", 1024, std::int64_t{1} << 40),
};

}  // namespace rollcall::service
