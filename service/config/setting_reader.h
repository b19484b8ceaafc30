// Reads declared settings from an object of the configuration file.
#pragma once

#include <chrono>
#include <optional>

#include "service/config/setting.h"
#include "service/json/json_object_reader.h"

namespace rollcall::service {

// Sets the member to the value of the key. If the key is absent, the member keeps its value. A
// wrong value adds a problem, with which the configuration is refused.
template <class Options>
void ReadSetting(JsonObjectReader& reader, const Setting<Options>& setting, Options& options) {
  using std::chrono::milliseconds;
  if (!reader.Has(setting.key)) return reader.Ignore({setting.key});
  const std::int64_t otherwise = setting.get(options).value_or(setting.min);
  std::int64_t value = 0;
  switch (setting.type) {
    case SettingType::kBoolean:
      value = reader.Bool(setting.key, otherwise != 0) ? 1 : 0;
      break;
    case SettingType::kInteger:
      value = reader.Integer(setting.key, otherwise, setting.min, setting.max);
      break;
    case SettingType::kSeconds:
      value = reader
                  .Seconds(setting.key, milliseconds(otherwise), milliseconds(setting.min),
                           milliseconds(setting.max))
                  .count();
      break;
  }
  setting.set(options, value);
}

template <class Options, class Settings>
void ReadSettings(JsonObjectReader& reader, const Settings& settings, Options& options) {
  for (const Setting<Options>& setting : settings) ReadSetting(reader, setting, options);
}

}  // namespace rollcall::service
