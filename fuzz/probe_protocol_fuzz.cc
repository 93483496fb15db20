// SPDX-License-Identifier: Apache-2.0
// Any bytes as what a peer of a test sends: preamble, messages in pieces of any size, requests and
// reports made of them. What is accepted stays within its bounds, and passes unchanged.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "probe/base64.h"
#include "probe/message.h"
#include "probe/path/path_messages.h"
#include "probe/preamble.h"
#include "probe/transfer_end.h"
#include "probe/transfer_request.h"
#include "require.h"

namespace {

using namespace slowpath;
using namespace slowpath::probe;

void read_as_request(const Json& message) {
  const ServerLimits limits;
  const auto request = parse_transfer_request(message, limits);
  if (!request) return;
  fuzz::require(request->streams >= 1 && request->streams <= limits.streams);
  fuzz::require(request->plan.block_bytes >= 1 && request->plan.block_bytes <= limits.block_bytes);
  fuzz::require(request->plan.duration <= limits.transfer && request->plan.omit <= limits.transfer);
  const auto again = parse_transfer_request(Json::parse(to_json(*request).dump()), limits);
  fuzz::require(again.has_value() && again->plan.bytes == request->plan.bytes);
}

void read_as_report(const Json& message) {
  const auto report = parse_end_report(message);
  if (!report) return;
  fuzz::require(report->integrity.differences.size() <= IntegrityFacts::kKept);
  fuzz::require(parse_end_report(Json::parse(to_json(*report).dump())).has_value());
}

void read_as_path(const Json& message) {
  const TallyResult tally = tally_from(message);
  fuzz::require(tally.course.size() <= kCourse);
  fuzz::require(tally_from(Json::parse(to_json(tally).dump())).course.size() ==
                tally.course.size());
  if (const auto plan = plan_from(message)) {
    fuzz::require(plan->count <= kMostDatagramsAsked && plan->ip_bytes.size() <= kMostSizesAsked);
  }
}

void read_as_content(const Json& message) {
  const auto data = message.find("data");
  if (data == message.end() || !data->is_string()) return;
  const auto bytes = from_base64(data->get_ref<const std::string&>());
  if (!bytes || bytes->empty()) return;
  const auto again = from_base64(to_base64(*bytes));
  fuzz::require(again && *again == *bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input = std::as_bytes(std::span{data, size});
  if (const auto preamble = decode_preamble(input)) {
    const auto again = decode_preamble(encode(*preamble));
    fuzz::require(again && again->session == preamble->session);
  }
  if (input.empty()) return 0;
  // The first byte says in what pieces the rest arrives.
  const std::size_t piece = 1 + std::to_integer<std::size_t>(input[0]);
  FrameReader reader{kMostMessageBytes};
  for (std::size_t at = 1; at < input.size(); at += piece) {
    reader.feed(input.subspan(at, std::min(piece, input.size() - at)));
    while (true) {
      auto message = reader.next();
      if (!message) return 0;
      if (!message->has_value()) break;
      fuzz::require(type_of(**message).size() <= 40);
      read_as_request(**message);
      read_as_report(**message);
      read_as_path(**message);
      read_as_content(**message);
    }
  }
  return 0;
}
