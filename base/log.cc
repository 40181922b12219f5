// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>

namespace cordon::log {
namespace {

std::atomic<Format> g_format{Format::kText};

spdlog::level::level_enum ToSpdlog(Level level) {
  switch (level) {
    case Level::kDebug: return spdlog::level::debug;
    case Level::kInfo: return spdlog::level::info;
    case Level::kWarning: return spdlog::level::warn;
    case Level::kError: return spdlog::level::err;
    case Level::kCritical: return spdlog::level::critical;
  }
  return spdlog::level::critical;
}

void AppendJsonString(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<int>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

// Control characters of a hostile camera name must not forge a log line or move the terminal's cursor.
void AppendText(std::string& out, std::string_view text) {
  for (const char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
}

std::string Render(std::string_view sentence, Fields fields) {
  std::string line;
  if (g_format.load(std::memory_order_relaxed) == Format::kJson) {
    line += "\"message\":";
    AppendJsonString(line, sentence);
    for (const Field& field : fields) {
      line += ',';
      AppendJsonString(line, field.key);
      line += ':';
      if (field.bare) {
        line += field.value;
      } else {
        AppendJsonString(line, field.value);
      }
    }
    return line;
  }
  AppendText(line, sentence);
  for (const Field& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    AppendText(line, field.value);
  }
  return line;
}

}  // namespace

void Init(std::string_view role, Format format, Level least) {
  g_format = format;
  auto logger = std::make_shared<spdlog::logger>(
      std::string(role), std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  logger->set_level(ToSpdlog(least));
  if (format == Format::kJson) {
    logger->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","role":"%n","level":"%l",%v})",
                        spdlog::pattern_time_type::utc);
  } else {
    logger->set_pattern("%H:%M:%S.%e %^%-7l%$ %n: %v", spdlog::pattern_time_type::local);
  }
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

void Write(Level level, std::string_view sentence, Fields fields) {
  if (!spdlog::default_logger_raw()->should_log(ToSpdlog(level))) return;
  const std::string line = Render(sentence, fields);
  spdlog::default_logger_raw()->log(ToSpdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

void Flush() { spdlog::default_logger_raw()->flush(); }

void OncePerSecond::Note(std::string_view cause) {
  uint64_t count = 0;
  {
    absl::MutexLock lock(&mutex_);
    ++count_;
    const BootTime now = clock_.Boot();
    if (now - last_ < Seconds(1)) return;
    last_ = now;
    count = std::exchange(count_, 0);
  }
  Write(level_, sentence_, {{"subject", subject_}, {"count", count}, {"last_cause", cause}});
}

}  // namespace cordon::log
