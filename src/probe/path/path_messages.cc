// SPDX-License-Identifier: Apache-2.0
#include "probe/path/path_messages.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace slowpath::probe {
namespace {

constexpr std::uint64_t kMost32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t kMost53 = std::uint64_t{1} << 53U;  // JSON's exact integers
constexpr double kMostSeconds = 1e6;

std::uint32_t number32(Fields& fields, const char* key) {
  return static_cast<std::uint32_t>(fields.number_or(key, 0, kMost32));
}

void put(Json& message, const char* key, const auto& optional) {
  if (optional) message[key] = *optional;
}

}  // namespace

Json to_json(const TallyResult& tally) {
  Json sizes = Json::array();
  for (const auto& [size, count] : tally.by_size) sizes.push_back({size, count});
  Json course = Json::array();
  for (const auto& [at_s, delay_s] : tally.course) course.push_back({at_s, delay_s});
  Json message{{"received", tally.received},
               {"duplicates", tally.duplicates},
               {"reordered", tally.reordered},
               {"loss_runs", tally.loss_runs},
               {"longest_loss_run", tally.longest_loss_run},
               {"jitter_s", tally.jitter_s},
               {"delay_growth_s", tally.delay_growth_s},
               {"seconds", tally.seconds},
               {"bytes", tally.bytes},
               {"sizes", sizes},
               {"late_bps", tally.late_bps},
               {"course", std::move(course)}};
  put(message, "first_lost", tally.first_lost);
  return message;
}

/// Pairs of seconds; what is none is passed over.
void read_course(const Json& message, TallyResult& tally) {
  const auto course = message.find("course");
  if (course == message.end() || !course->is_array()) return;
  for (const Json& point : *course) {
    if (tally.course.size() >= kCourse) return;
    if (!point.is_array() || point.size() != 2 || !point[0].is_number() || !point[1].is_number())
      continue;
    const double at_s = point[0].get<double>(), delay_s = point[1].get<double>();
    if (std::abs(at_s) < kMostSeconds && delay_s >= 0 && delay_s < kMostSeconds)
      tally.course.emplace_back(at_s, delay_s);
  }
}

TallyResult tally_from(const Json& message) {
  Fields fields(message);
  TallyResult tally;
  tally.received = fields.number_or("received", 0, kMost53);
  tally.duplicates = fields.number_or("duplicates", 0, kMost53);
  tally.reordered = fields.number_or("reordered", 0, kMost53);
  tally.loss_runs = fields.number_or("loss_runs", 0, kMost53);
  tally.longest_loss_run = fields.number_or("longest_loss_run", 0, kMost53);
  tally.jitter_s = fields.real_or("jitter_s", 0, 0, kMostSeconds);
  tally.delay_growth_s = fields.real_or("delay_growth_s", 0, 0, kMostSeconds);
  tally.seconds = fields.real_or("seconds", 0, 0, kMostSeconds);
  tally.bytes = fields.number_or("bytes", 0, kMost53);
  tally.first_lost = fields.optional_number("first_lost", kMost53);
  constexpr double kMostBps = 1e15;
  tally.late_bps = fields.real_or("late_bps", 0, 0, kMostBps);
  read_course(message, tally);
  const auto sizes = message.find("sizes");
  if (sizes == message.end() || !sizes->is_array()) return tally;
  for (const Json& size : *sizes) {
    if (tally.by_size.size() >= DatagramTally::kMostSizes) break;
    if (!size.is_array() || size.size() != 2 || !size[0].is_number_unsigned() ||
        !size[1].is_number_unsigned()) {
      continue;
    }
    tally.by_size[static_cast<std::uint32_t>(size[0].get<std::uint64_t>() & kMost32)] =
        size[1].get<std::uint64_t>();
  }
  return tally;
}

Json to_json(const SegmentTest& test) {
  Json message{{"mss_bytes", test.mss_bytes},
               {"singles_sent", test.singles_sent},
               {"singles_resent", test.singles_resent},
               {"singles_s", test.singles_s},
               {"singles_done", test.singles_done},
               {"burst_bytes", test.burst_bytes},
               {"burst_acked_bytes", test.burst_acked_bytes},
               {"bursts", test.bursts},
               {"bursts_resent", test.bursts_resent},
               {"bursts_s", test.bursts_s},
               {"bursts_done", test.bursts_done},
               {"resent_segments", test.resent_segments},
               {"timeouts", test.timeouts},
               {"rtt_s", test.rtt_s},
               {"unable", test.unable}};
  put(message, "too_big_in_singles", test.too_big_in_singles);
  put(message, "too_big_in_bursts", test.too_big_in_bursts);
  put(message, "kernel_pmtu_before", test.kernel_pmtu_before);
  put(message, "kernel_pmtu_after", test.kernel_pmtu_after);
  return message;
}

SegmentTest segments_from(const Json& message) {
  Fields fields(message);
  SegmentTest test;
  test.direction = Direction::to_client;
  test.mss_bytes = number32(fields, "mss_bytes");
  test.singles_sent = number32(fields, "singles_sent");
  test.singles_resent = number32(fields, "singles_resent");
  test.singles_s = fields.real_or("singles_s", 0, 0, kMostSeconds);
  test.singles_done = fields.flag_or("singles_done", false);
  test.burst_bytes = fields.number_or("burst_bytes", 0, kMost53);
  test.burst_acked_bytes = fields.number_or("burst_acked_bytes", 0, kMost53);
  test.bursts = number32(fields, "bursts");
  test.bursts_resent = number32(fields, "bursts_resent");
  test.bursts_s = fields.real_or("bursts_s", 0, 0, kMostSeconds);
  test.bursts_done = fields.flag_or("bursts_done", false);
  test.resent_segments = fields.number_or("resent_segments", 0, kMost53);
  test.timeouts = fields.number_or("timeouts", 0, kMost53);
  test.rtt_s = fields.real_or("rtt_s", 0, 0, kMostSeconds);
  test.unable = fields.text_or("unable", "", 400);
  test.too_big_in_singles = fields.optional_number("too_big_in_singles", kMost53);
  test.too_big_in_bursts = fields.optional_number("too_big_in_bursts", kMost53);
  const auto pmtu = [&](const char* key) -> std::optional<std::uint32_t> {
    const auto value = fields.optional_number(key, kMost32);
    if (!value) return std::nullopt;
    return static_cast<std::uint32_t>(*value);
  };
  test.kernel_pmtu_before = pmtu("kernel_pmtu_before");
  test.kernel_pmtu_after = pmtu("kernel_pmtu_after");
  if (!fields.ok()) test.unable = "the far end's answer was not understood";
  return test;
}

Json to_json(const DatagramPlan& plan) {
  return {{"run", plan.run},
          {"sizes", plan.ip_bytes},
          {"count", plan.count},
          {"rate_bps", plan.rate_bps},
          {"dont_fragment", plan.dont_fragment},
          {"last_first_mtu", plan.last_first_mtu}};
}

Result<DatagramPlan> plan_from(const Json& message) {
  Fields fields(message);
  DatagramPlan plan;
  plan.run = static_cast<std::uint16_t>(fields.number("run", 0, 65535));
  plan.count = fields.number("count", 0, kMostDatagramsAsked);
  plan.rate_bps = fields.real_or("rate_bps", 0, 0, kMostDatagramRate_bps);
  plan.dont_fragment = fields.flag_or("dont_fragment", true);
  plan.last_first_mtu = static_cast<std::uint32_t>(fields.number_or("last_first_mtu", 0, 65535));
  if (auto sound = fields.verdict(); !sound) return std::unexpected(sound.error());
  const auto sizes = message.find("sizes");
  const bool listed = sizes != message.end() && sizes->is_array() && !sizes->empty() &&
                      sizes->size() <= kMostSizesAsked;
  if (!listed) return fail(ErrorKind::network, "the peer named no sizes, or too many");
  for (const Json& size : *sizes) {
    if (!size.is_number_unsigned() || size.get<std::uint64_t>() > 65535) {
      return fail(ErrorKind::network, "the peer named a size that no packet has");
    }
    plan.ip_bytes.push_back(size.get<std::uint32_t>());
  }
  constexpr std::uint32_t kLeastMtu = 68;  // RFC 791
  if (plan.last_first_mtu > 0 && plan.last_first_mtu < kLeastMtu) {
    return fail(ErrorKind::network, "the peer named an MTU that no link has");
  }
  // Without a rate at most a volley, lest it be a flood.
  if (plan.rate_bps <= 0) plan.count = std::min<std::uint64_t>(plan.count, kMostSizesAsked);
  return plan;
}

Json to_json(const DatagramSent& sent) {
  return {{"sent", sent.sent},
          {"too_large_here", sent.too_large_here},
          {"failed", sent.failed},
          {"seconds", sent.seconds},
          {"bytes", sent.bytes},
          {"refused_here", sent.refused_here},
          {"last_first", sent.last_first},
          {"unable", sent.unable}};
}

DatagramSent sent_from(const Json& message) {
  Fields fields(message);
  DatagramSent sent;
  sent.sent = fields.number_or("sent", 0, kMost53);
  sent.too_large_here = fields.number_or("too_large_here", 0, kMost53);
  sent.failed = fields.number_or("failed", 0, kMost53);
  sent.seconds = fields.real_or("seconds", 0, 0, kMostSeconds);
  sent.bytes = fields.number_or("bytes", 0, kMost53);
  sent.last_first = fields.flag_or("last_first", false);
  sent.unable = fields.text_or("unable", "", 400);
  const auto refused = message.find("refused_here");
  if (refused != message.end() && refused->is_array() && refused->size() <= 256) {
    for (const Json& one : *refused)
      sent.refused_here.push_back(one.is_boolean() && one.get<bool>());
  }
  return sent;
}

Json to_json(const std::vector<SocketError>& errors, std::uint64_t token) {
  constexpr std::size_t kMost = 128;
  Json list = Json::array();
  for (const SocketError& error : errors) {
    if (error.says != IcmpSays::too_big || error.local || list.size() >= kMost) continue;
    Json entry{{"mtu_bytes", error.mtu}, {"from", to_string(error.from)}};
    if (const auto sequence = sequence_of_quote(error.quote, token)) entry["sequence"] = *sequence;
    list.push_back(std::move(entry));
  }
  return list;
}

}  // namespace slowpath::probe
