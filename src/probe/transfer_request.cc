// SPDX-License-Identifier: Apache-2.0
#include "probe/transfer_request.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace slowpath::probe {
namespace {

constexpr std::array<std::string_view, 3> kWays{"to-server", "to-client", "both"};
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 50U;
constexpr double kMostRate = 1e13;
// After the senders have finished: what waits in buffers must still pass.
constexpr Duration kGrace = std::chrono::seconds{20};

Duration ns(std::uint64_t count) { return Duration{static_cast<std::int64_t>(count)}; }

Result<ContentKind> parse_content(const std::string& name) {
  for (const ContentKind kind :
       {ContentKind::random, ContentKind::text, ContentKind::zeros, ContentKind::memory}) {
    if (name == to_string(kind)) return kind;
  }
  return fail(ErrorKind::network, "cannot understand the client",
              fmt::format("it asks for content \"{}\"", name));
}

Result<TransferWay> parse_way(const std::string& name) {
  const auto found = std::ranges::find(kWays, name);
  if (found != kWays.end()) return static_cast<TransferWay>(found - kWays.begin());
  return fail(ErrorKind::network, "cannot understand the client",
              fmt::format("it asks for a transfer \"{}\"", name));
}

}  // namespace

std::string_view to_string(TransferWay way) { return kWays[static_cast<std::size_t>(way)]; }

Content TransferRequest::content_of(std::uint32_t number) const {
  switch (content) {
    case ContentKind::random:
      return Content::random(key + number, zero_copy ? kZeroCopyPeriod : 0);
    case ContentKind::text:
      return Content::text(number * (std::uint64_t{1} << 40U));
    case ContentKind::memory:
      if (bytes) return Content::memory(bytes);
      break;
    case ContentKind::zeros:
      break;
  }
  return Content::zeros();
}

Json to_json(const TransferRequest& request) {
  Json message{{"type", "transfer"},
               {"way", to_string(request.way)},
               {"streams", request.streams},
               {"block_bytes", request.plan.block_bytes},
               {"duration_ns", request.plan.duration.count()},
               {"bytes", request.plan.bytes},
               {"blocks", request.plan.blocks},
               {"omit_ns", request.plan.omit.count()},
               {"interval_ns", request.plan.interval.count()},
               {"rate_bps", request.plan.rate_bps},
               {"content", to_string(request.content)},
               {"key", request.key},
               {"verify", request.verify},
               {"zero_copy", request.zero_copy},
               {"no_delay", request.socket.no_delay}};
  if (request.socket.buffer_bytes) message["buffer_bytes"] = *request.socket.buffer_bytes;
  if (request.socket.mss_bytes) message["mss_bytes"] = *request.socket.mss_bytes;
  if (!request.socket.congestion_control.empty())
    message["congestion_control"] = request.socket.congestion_control;
  if (request.socket.pacing_rate_bps) message["pacing_rate_bps"] = *request.socket.pacing_rate_bps;
  return message;
}

Result<TransferRequest> parse_transfer_request(const Json& message, const ServerLimits& limits,
                                               const SharedBytes& held) {
  Fields fields{message};
  TransferRequest request;
  const auto most_ns = static_cast<std::uint64_t>(limits.transfer.count());
  const std::string way = fields.text("way", 20);
  const std::string content = fields.text_or("content", "random", 20);
  request.streams = static_cast<std::uint32_t>(fields.number("streams", 1, limits.streams));
  TransferPlan& plan = request.plan;
  plan.block_bytes = fields.number("block_bytes", 1, limits.block_bytes);
  plan.duration = ns(fields.number_or("duration_ns", 0, most_ns));
  plan.bytes = fields.number_or("bytes", 0, kMostBytes);
  plan.blocks = fields.number_or("blocks", 0, kMostBytes);
  plan.omit = ns(fields.number_or("omit_ns", 0, most_ns));
  plan.interval = ns(std::max<std::uint64_t>(
      fields.number_or("interval_ns", 1'000'000'000, most_ns), 100'000'000));
  plan.rate_bps = fields.real_or("rate_bps", 0, 0, kMostRate);
  request.key = fields.number_or("key", 0, ~std::uint64_t{0});
  request.verify = fields.flag_or("verify", true);
  request.zero_copy = fields.flag_or("zero_copy", false);
  request.socket.no_delay = fields.flag_or("no_delay", false);
  request.socket.buffer_bytes = fields.optional_number("buffer_bytes", std::uint64_t{1} << 30U);
  if (const auto mss = fields.optional_number("mss_bytes", 65'535))
    request.socket.mss_bytes = static_cast<std::uint32_t>(*mss);
  request.socket.congestion_control = fields.text_or("congestion_control", "", 15);
  request.socket.pacing_rate_bps = fields.optional_number("pacing_rate_bps", 10'000'000'000'000);
  if (auto read = fields.verdict(); !read) return std::unexpected(read.error());
  auto parsed_way = parse_way(way);
  if (!parsed_way) return std::unexpected(parsed_way.error());
  auto parsed_content = parse_content(content);
  if (!parsed_content) return std::unexpected(parsed_content.error());
  if (*parsed_content == ContentKind::memory && !held)
    return fail(ErrorKind::network, "cannot understand the client",
                "it asks for content that it has not given");
  request.way = *parsed_way;
  request.content = *parsed_content;
  if (request.content == ContentKind::memory) request.bytes = held;
  plan.most = std::min(limits.transfer,
                       plan.duration.count() > 0 ? plan.omit + plan.duration : limits.transfer) +
              kGrace;
  return request;
}

}  // namespace slowpath::probe
