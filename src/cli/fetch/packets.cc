// SPDX-License-Identifier: Apache-2.0
#include "cli/fetch/packets.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <utility>

#include <fmt/core.h>

#include "capture/live.h"
#include "cli/pipeline.h"
#include "detect/synthesis.h"
#include "probe/http.h"
#include "probe/route.h"
#include "wire/frame.h"
#include "wire/packet.h"

namespace slowpath::cli {
namespace {

/// So many bytes tell the wrong version from the right one.
constexpr std::size_t kCompared = 16;
constexpr std::size_t kMostPackets = 64;

/// Finds the frames that carried the first byte of each difference.
class Carriers {
 public:
  explicit Carriers(FetchFacts& facts) : facts_(facts) {}

  void add(const wire::Frame& frame) {
    wire::decode(frame, packet_);
    if (packet_.kind != wire::PacketKind::tcp) return;
    for (std::size_t i = 0; i < facts_.copies.size(); ++i) {
      const FetchedCopy& copy = facts_.copies[i];
      if (packet_.source_port != copy.server_port || packet_.destination_port != copy.local_port) {
        continue;
      }
      if ((packet_.tcp_flags & wire::kSyn) != 0) first_[i] = packet_.sequence.value + 1;
      if (!packet_.payload.empty()) compare(i, frame.number);
    }
  }

 private:
  void compare(std::size_t copy, std::uint64_t number) {
    const auto first = first_.find(copy);
    const std::optional<std::uint64_t> body = facts_.copies[copy].body_begin();
    if (first == first_.end() || !body) return;
    for (std::size_t i = 0; i < facts_.differences.size(); ++i) {
      const FetchDifference& difference = facts_.differences[i];
      if (difference.copy != copy || facts_.packets.size() == kMostPackets) continue;
      const auto wanted = static_cast<std::uint32_t>(first->second + *body + difference.first);
      const std::uint32_t into = wanted - packet_.sequence.value;
      if (into < packet_.payload.size()) note(i, packet_.payload.subspan(into), number);
    }
  }

  void note(std::size_t index, Bytes carried, std::uint64_t number) {
    const FetchDifference& difference = facts_.differences[index];
    const auto at = static_cast<std::size_t>(difference.first - difference.offset);
    const std::size_t len = std::min({kCompared, carried.size(), difference.seen.size() - at});
    const Bytes piece = carried.first(len);
    const bool is_wrong = std::ranges::equal(piece, Bytes(difference.seen).subspan(at, len));
    const bool is_right = std::ranges::equal(piece, Bytes(difference.expected).subspan(at, len));
    if (is_wrong == is_right) return;
    const wire::ChecksumState checksum = wire::verify_checksum(packet_);
    facts_.packets.push_back({.difference = index,
                              .frame = number,
                              .checksum_good = checksum == wire::ChecksumState::good,
                              .checksum_known = checksum == wire::ChecksumState::good ||
                                                checksum == wire::ChecksumState::bad,
                              .carried_wrong = is_wrong});
  }

  FetchFacts& facts_;
  wire::Packet packet_;
  std::map<std::size_t, std::uint32_t> first_;  // sequence number of the answer's first byte
};

}  // namespace

Result<std::unique_ptr<FetchCapture>> FetchCapture::start(const std::string& url,
                                                          std::string interface,
                                                          const std::string& file) {
  const Result<probe::HttpAuthority> authority = probe::http_authority(url);
  if (!authority) return std::unexpected(authority.error());
  if (interface.empty()) {
    Result<std::string> found = probe::interface_towards(authority->host);
    if (!found) return std::unexpected(found.error());
    interface = std::move(*found);
  }
  std::unique_ptr<FetchCapture> self(new FetchCapture);
  capture::LiveOptions options;
  options.filter = fmt::format("tcp port {}", authority->port);
  auto source = capture::open_live(interface, 0, options, self->stopped_);
  if (!source) return std::unexpected(source.error());
  auto writer = capture::PcapngWriter::create(file, "slowpath fetch");
  if (!writer) return std::unexpected(writer.error());
  self->source_ = std::move(*source);
  self->writer_ = std::move(*writer);
  const std::vector<capture::InterfaceInfo>& interfaces = self->source_->info().interfaces;
  self->writer_->add_interface(
      interface, interfaces.empty() ? wire::LinkType::ethernet : interfaces.front().link_type,
      options.snap_len);
  self->thread_ = std::thread([capture = self.get()] { capture->run(); });
  return self;
}

FetchCapture::~FetchCapture() {
  stopped_ = true;
  if (thread_.joinable()) thread_.join();
}

void FetchCapture::run() {
  wire::Frame frame;
  while (source_->next(frame)) {
    writer_->packet(0, frame.time, frame.bytes, frame.original_len, frame.direction);
  }
}

Result<void> FetchCapture::stop() {
  // The kernel hands packets over in batches.
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  stopped_ = true;
  if (thread_.joinable()) thread_.join();
  return writer_->close();
}

void look_at_packets(FetchFacts& facts, const std::string& file) {
  facts.capture_file = file;
  auto source = capture::open_capture(file, 0);
  if (!source) {
    facts.capture_problem = source.error().message();
    return;
  }
  Carriers carriers(facts);
  wire::Frame frame;
  while ((*source)->next(frame)) carriers.add(frame);
  PipelineOptions options;
  options.inputs.push_back({file, {}});
  options.show_progress = false;
  const Result<Looked> looked = look(options);
  if (!looked) {
    facts.capture_problem = looked.error().message();
    return;
  }
  const Diagnosis diagnosis = detect::diagnose(looked->facts);
  facts.capture_verdict = diagnosis.verdict;
  facts.capture_summary = diagnosis.summary;
}

}  // namespace slowpath::cli
