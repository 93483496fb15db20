// SPDX-License-Identifier: Apache-2.0
// What an iperf3 peer says in JSON, as parameters and as results, and the datagrams that it sends.
// Parameters that are taken must be within their bounds, and are the same once written and read.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/json.h"
#include "probe/iperf3/datagrams.h"
#include "probe/iperf3/parameters.h"
#include "probe/iperf3/protocol.h"
#include "probe/iperf3/results.h"
#include "require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace slowpath;
  using namespace slowpath::probe;
  using fuzz::require;
  const Bytes bytes = std::as_bytes(std::span(data, size));
  for (const bool wide : {false, true}) {
    iperf3::DatagramSink sink(wide);
    sink.take(bytes, 0);
    sink.take(bytes.first(size / 2), 0);
  }
  const auto json =
      iperf3::parse_object(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!json) return 0;
  if (const auto parameters = iperf3::parameters_from(*json, {})) {
    require(parameters->streams >= 1 && parameters->streams <= iperf3::kMostStreams);
    require(parameters->block_bytes >= 1 && parameters->block_bytes <= 1 << 20);
    const auto written = iperf3::to_json(*parameters);
    const auto again = iperf3::parameters_from(written, {});
    require(again && iperf3::to_json(*again) == written);
  }
  Iperf3Facts facts;
  for (const bool sends : {true, false}) {
    Iperf3Stream& stream = facts.streams.emplace_back();
    stream.id = sends ? 1 : 3;
    stream.sends = sends;
  }
  iperf3::take_results(facts, *json);
  require(facts.streams.size() == 2);
  return 0;
}
