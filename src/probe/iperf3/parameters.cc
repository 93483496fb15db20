// SPDX-License-Identifier: Apache-2.0
#include "probe/iperf3/parameters.h"

#include <array>

#include <fmt/core.h>

#include "probe/iperf3/json_fields.h"

namespace slowpath::probe::iperf3 {
namespace {

// Limits of iperf_api.h: MAX_TIME, MAX_BLOCKSIZE, MAX_UDP_BLOCKSIZE, MAX_TCP_BUFFER, MAX_MSS,
// MAX_OMIT_TIME.
constexpr double kLongestTest = 86400;
constexpr double kLongestOmit = 60;
constexpr std::uint64_t kLargestBlock = 1 << 20;
constexpr std::uint64_t kLargestDatagram = 65507;
constexpr std::uint64_t kSmallestDatagram = 16;
constexpr std::uint64_t kLargestWindow = 512 << 20;
constexpr std::uint64_t kLargestMss = 9 * 1024;
constexpr std::size_t kLongestText = 4096;
constexpr std::size_t kLongestName = 64;
constexpr std::size_t kLongestToken = 8192;

/// A count within [least, most]; the default where it is absent.
struct Bounded {
  const char* key;
  std::uint64_t least, most, absent;
  std::int32_t iperf_error;
};
constexpr Bounded kParallel{"parallel", 1, kMostStreams, 1, 6};
constexpr Bounded kWindow{"window", 0, kLargestWindow, 0, 8};
constexpr Bounded kMss{"MSS", 0, kLargestMss, 0, 10};
constexpr Bounded kTos{"TOS", 0, 255, 0, 21};
constexpr Bounded kBurst{"burst", 0, 1000, 0, 15};
constexpr Bounded kFlowLabel{"flowlabel", 0, (1 << 20) - 1, 0, 114};
constexpr Bounded kAffinity{"server_affinity", 0, 1023, 0, 132};

/// Reads one field after the other; the first that does not serve is kept.
class Reader {
 public:
  explicit Reader(const Json& json) : json_(json) {}

  std::uint64_t count(const Bounded& field) {
    if (!json_.contains(field.key)) return field.absent;
    const std::optional<std::uint64_t> value = count_at(json_, field.key);
    if (value && *value >= field.least && *value <= field.most) return *value;
    refuse(field.iperf_error,
           fmt::format("{} is none between {} and {}", field.key, field.least, field.most));
    return field.absent;
  }

  double seconds(const char* key, double most, std::int32_t iperf_error) {
    if (!json_.contains(key)) return 0;
    const std::optional<double> value = number_at(json_, key);
    if (value && *value >= 0 && *value <= most) return *value;
    refuse(iperf_error, fmt::format("{} is none between 0 and {} s", key, most));
    return 0;
  }

  void refuse(std::int32_t iperf_error, std::string words) {
    if (!refusal_) refusal_ = Refusal{iperf_error, std::move(words)};
  }
  [[nodiscard]] const std::optional<Refusal>& refusal() const { return refusal_; }

 private:
  const Json& json_;
  std::optional<Refusal> refusal_;
};

void read_amounts(const Json& json, const ServerLimits& limits, Reader& reader,
                  Parameters& parameters) {
  const double longest =
      limits.longest_s > 0 ? std::min(limits.longest_s, kLongestTest) : kLongestTest;
  parameters.duration_s = reader.seconds("time", longest, 5);
  parameters.omit_s = reader.seconds("omit", kLongestOmit, 12);
  constexpr std::uint64_t kMostAmount = std::uint64_t{1} << 62;
  parameters.bytes = reader.count({"num", 0, kMostAmount, 0, 114});
  parameters.blocks = reader.count({"blockcount", 0, kMostAmount, 0, 114});
  parameters.rate_bps =
      static_cast<double>(reader.count({"bandwidth", 0, 1'000'000'000'000'000, 0, 114}));
  parameters.pacing_bps = reader.count({"fqrate", 0, 1'000'000'000'000'000, 0, 140});
  const double directions = flag_at(json, "bidirectional") ? 2 : 1;
  const double asked_bps = parameters.rate_bps * parameters.streams * directions;
  if ((limits.highest_bps > 0 && (asked_bps == 0 || asked_bps > limits.highest_bps)) ||
      (limits.most_average_bps > 0 && asked_bps > limits.most_average_bps)) {
    reader.refuse(27, "the rate is above the server's limit");
  }
}

}  // namespace

Json to_json(const Parameters& parameters) {
  Json json{{parameters.is_udp ? "udp" : "tcp", true},
            {"omit", static_cast<int>(parameters.omit_s)},
            {"time", parameters.duration_s},
            {"num", parameters.bytes},
            {"blockcount", parameters.blocks},
            {"parallel", parameters.streams},
            {"len", parameters.block_bytes},
            {"bandwidth", static_cast<std::uint64_t>(parameters.rate_bps)},
            {"pacing_timer", 1000},
            {"client_version", "3.12"}};
  if (parameters.duration_s == static_cast<int>(parameters.duration_s)) {
    json["time"] = static_cast<int>(parameters.duration_s);
  }
  if (parameters.reverse) json["reverse"] = true;
  if (parameters.bidirectional) json["bidirectional"] = true;
  if (parameters.window_bytes > 0) json["window"] = parameters.window_bytes;
  if (parameters.mss_bytes > 0) json["MSS"] = parameters.mss_bytes;
  if (parameters.pacing_bps > 0) json["fqrate"] = parameters.pacing_bps;
  if (parameters.type_of_service > 0) json["TOS"] = parameters.type_of_service;
  if (parameters.burst_blocks > 0) json["burst"] = parameters.burst_blocks;
  if (parameters.flow_label > 0) json["flowlabel"] = parameters.flow_label;
  if (parameters.server_affinity) json["server_affinity"] = *parameters.server_affinity;
  if (parameters.repeating_payload) json["repeating_payload"] = 1;
  if (!parameters.auth_token.empty()) json["authtoken"] = parameters.auth_token;
  if (parameters.no_delay) json["nodelay"] = true;
  if (parameters.zero_copy) json["zerocopy"] = 1;
  if (parameters.dont_fragment) json["dont_fragment"] = 1;
  if (parameters.wide_counters) json["udp_counters_64bit"] = 1;
  if (parameters.get_server_output) json["get_server_output"] = 1;
  if (!parameters.congestion_control.empty()) json["congestion"] = parameters.congestion_control;
  if (!parameters.title.empty()) json["title"] = parameters.title;
  if (!parameters.extra_data.empty()) json["extra_data"] = parameters.extra_data;
  return json;
}

std::expected<Parameters, Refusal> parameters_from(const Json& json, const ServerLimits& limits) {
  Reader reader(json);
  Parameters parameters;
  parameters.is_udp = flag_at(json, "udp");
  parameters.reverse = flag_at(json, "reverse");
  parameters.bidirectional = flag_at(json, "bidirectional");
  parameters.streams = static_cast<std::uint32_t>(reader.count(kParallel));
  parameters.window_bytes = static_cast<std::uint32_t>(reader.count(kWindow));
  parameters.mss_bytes = static_cast<std::uint32_t>(reader.count(kMss));
  parameters.type_of_service = static_cast<std::uint32_t>(reader.count(kTos));
  parameters.block_bytes = static_cast<std::uint32_t>(
      parameters.is_udp ? reader.count({"len", kSmallestDatagram, kLargestDatagram, 1460, 20})
                        : reader.count({"len", 1, kLargestBlock, 128 << 10, 7}));
  read_amounts(json, limits, reader, parameters);
  parameters.no_delay = flag_at(json, "nodelay");
  parameters.zero_copy = flag_at(json, "zerocopy");
  parameters.dont_fragment = flag_at(json, "dont_fragment");
  parameters.wide_counters = flag_at(json, "udp_counters_64bit");
  parameters.get_server_output = flag_at(json, "get_server_output");
  parameters.congestion_control = text_at(json, "congestion", kLongestName);
  parameters.burst_blocks = static_cast<std::uint32_t>(reader.count(kBurst));
  parameters.flow_label = static_cast<std::uint32_t>(reader.count(kFlowLabel));
  if (json.contains("server_affinity")) {
    parameters.server_affinity = static_cast<std::uint32_t>(reader.count(kAffinity));
  }
  parameters.repeating_payload = flag_at(json, "repeating_payload");
  parameters.auth_token = text_at(json, "authtoken", kLongestToken);
  parameters.title = text_at(json, "title", kLongestText);
  parameters.extra_data = text_at(json, "extra_data", kLongestText);
  parameters.client_version = text_at(json, "client_version", kLongestName);
  if (flag_at(json, "sctp")) reader.refuse(131, "SCTP is not spoken here");
  if (parameters.reverse && parameters.bidirectional) {
    reader.refuse(25, "reverse and both ways at once");
  }
  if (reader.refusal()) return std::unexpected(*reader.refusal());
  return parameters;
}

}  // namespace slowpath::probe::iperf3
