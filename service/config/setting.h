// A setting that is a number or a boolean, declared once: its key, its bounds, and the member of an
// options struct that holds it. The default is the member's initial value. The reader and the
// summary work on these declarations (settings.h), and a test compares them with the tables of
// docs/configuration.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <type_traits>

#include "absl/strings/string_view.h"

namespace rollcall::service {

enum class SettingType {
  kBoolean,
  kInteger,
  kSeconds,  // a number of seconds, held in milliseconds
};

// A setting of the struct Options. Values and bounds are 0 or 1, integers, or milliseconds.
template <class Options>
struct Setting {
  absl::string_view key;
  SettingType type = SettingType::kInteger;
  std::int64_t min = 0;
  std::int64_t max = 0;
  // nullopt if the member is optional and absent.
  std::optional<std::int64_t> (*get)(const Options& options) = nullptr;
  void (*set)(Options& options, std::int64_t value) = nullptr;
};

namespace setting {

template <class Member>
struct MemberTraits;
template <class Options, class Value>
struct MemberTraits<Value Options::*> {
  using Struct = Options;
  using Type = Value;
};

template <auto kMember>
using StructOf = typename MemberTraits<decltype(kMember)>::Struct;
template <auto kMember>
using TypeOf = typename MemberTraits<decltype(kMember)>::Type;

template <auto kMember>
constexpr Setting<StructOf<kMember>> Number(absl::string_view key, SettingType type,
                                            std::int64_t min, std::int64_t max) {
  using Options = StructOf<kMember>;
  using Type = TypeOf<kMember>;
  return {
      key,
      type,
      min,
      max,
      [](const Options& options) -> std::optional<std::int64_t> {
        return static_cast<std::int64_t>(options.*kMember);
      },
      [](Options& options, std::int64_t value) { options.*kMember = static_cast<Type>(value); }};
}

template <auto kMember>
constexpr Setting<StructOf<kMember>> Boolean(absl::string_view key) {
  static_assert(std::is_same_v<TypeOf<kMember>, bool>);
  return Number<kMember>(key, SettingType::kBoolean, 0, 1);
}

template <auto kMember>
constexpr Setting<StructOf<kMember>> Integer(absl::string_view key, std::int64_t min,
                                             std::int64_t max) {
  static_assert(std::is_integral_v<TypeOf<kMember>>);
  return Number<kMember>(key, SettingType::kInteger, min, max);
}

// The member is a std::chrono::milliseconds, or an optional one.
template <auto kMember>
constexpr Setting<StructOf<kMember>> Seconds(absl::string_view key, std::chrono::milliseconds min,
                                             std::chrono::milliseconds max) {
  using Options = StructOf<kMember>;
  using std::chrono::milliseconds;
  return {key,
          SettingType::kSeconds,
          min.count(),
          max.count(),
          [](const Options& options) -> std::optional<std::int64_t> {
            const std::optional<milliseconds> value = options.*kMember;
            if (!value) return std::nullopt;
            return value->count();
          },
          [](Options& options, std::int64_t value) { options.*kMember = milliseconds(value); }};
}

}  // namespace setting
}  // namespace rollcall::service
