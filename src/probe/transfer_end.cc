// SPDX-License-Identifier: Apache-2.0
#include "probe/transfer_end.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "probe/content_stream.h"
#include "probe/path/host_counters.h"
#include "probe/transfer_rtt.h"

namespace slowpath::probe {
namespace {

/// What the streams of an end hold while they run.
struct Contents {
  std::vector<std::unique_ptr<ContentSource>> sources;
  std::vector<std::unique_ptr<CheckingSink>> sinks;
  std::vector<Descriptor> files;
};

bool carries_to_server(const TransferRequest& request, std::uint32_t number) {
  return request.to_server() && number < request.streams;
}

Result<void> give_content(const TransferRequest& request, StreamPlan& stream, Contents& contents) {
  const Content content = request.content_of(stream.number);
  if (!stream.sends) {
    if (!request.verify) return {};
    contents.sinks.push_back(std::make_unique<CheckingSink>(content));
    stream.sink = contents.sinks.back().get();
    return {};
  }
  if (request.zero_copy) {
    auto file = make_content_file(content, request.period_bytes());
    if (!file) return std::unexpected(file.error());
    contents.files.push_back(*std::move(file));
    stream.file = contents.files.back().get();
    stream.file_bytes = request.period_bytes();
    return {};
  }
  // Unverified random bytes need not be made anew; text and zeros must be what was asked for.
  if (!request.verify && request.content == ContentKind::random) return {};
  contents.sources.push_back(std::make_unique<ContentSource>(content));
  stream.source = contents.sources.back().get();
  return {};
}

std::vector<TestInterval> intervals_of(const TransferOutcome& outcome, bool sends) {
  std::vector<TestInterval> sum;
  for (const StreamOutcome& stream : outcome.streams) {
    if (stream.sends != sends) continue;
    if (sum.size() < stream.intervals.size()) sum.resize(stream.intervals.size());
    for (std::size_t i = 0; i < stream.intervals.size(); ++i) {
      sum[i].begin_s = stream.intervals[i].begin_s;
      sum[i].end_s = stream.intervals[i].end_s;
      sum[i].bytes += stream.intervals[i].bytes;
    }
  }
  return sum;
}

/// Those of all streams together; what is told of places is bounded as for one.
IntegrityFacts integrity_of(const Contents& contents) {
  IntegrityFacts sum;
  for (const auto& sink : contents.sinks) {
    const IntegrityFacts& one = sink->facts();
    sum.checked_bytes += one.checked_bytes;
    sum.differing_bytes += one.differing_bytes;
    sum.places += one.places;
    if (one.displaced_by != 0) sum.displaced_by = one.displaced_by;
    for (const ContentDifference& each : one.differences) {
      if (sum.differences.size() < IntegrityFacts::kKept) sum.differences.push_back(each);
    }
  }
  return sum;
}

/// TCP segments with a wrong checksum that came to this host since; nothing where it does not
/// count.
std::optional<std::uint64_t> bad_checksums_since(const HostCounters& before) {
  return rise(before, read_host_counters(), "TcpInCsumErrors");
}

EndReport report_of(TransferOutcome&& outcome, const Contents& contents) {
  EndReport report;
  report.counted_s = outcome.counted_s;
  report.timed_out = outcome.timed_out;
  report.host = {.elapsed_s = outcome.cpu.elapsed_s,
                 .own_user_s = outcome.cpu.own_user_s,
                 .own_system_s = outcome.cpu.own_system_s,
                 .cpus = outcome.cpu.cpus};
  report.rtt = rtt_of(outcome);
  report.sent = intervals_of(outcome, true);
  report.received = intervals_of(outcome, false);
  report.integrity = integrity_of(contents);
  for (StreamOutcome& each : outcome.streams)
    report.streams.push_back({.number = each.number,
                              .sent = each.sends,
                              .bytes = each.bytes,
                              .seconds = each.end_s - each.begin_s,
                              .finished = each.finished,
                              .error = std::move(each.error),
                              .socket = std::move(each.socket)});
  return report;
}

}  // namespace

Result<EndReport> run_transfer_end(const TransferRequest& request,
                                   const std::vector<Descriptor>& sockets, bool at_server,
                                   const TransferHooks& hooks) {
  Contents contents;
  std::vector<StreamPlan> streams;
  for (std::uint32_t number = 0; number < sockets.size(); ++number) {
    StreamPlan stream{.socket = sockets[number].get(),
                      .number = number,
                      .sends = carries_to_server(request, number) != at_server};
    if (auto given = give_content(request, stream, contents); !given)
      return std::unexpected(given.error());
    streams.push_back(stream);
  }
  const HostCounters before = read_host_counters();
  auto outcome = run_transfer(request.plan, streams, hooks);
  if (!outcome) return std::unexpected(outcome.error());
  EndReport report = report_of(*std::move(outcome), contents);
  report.host.bad_checksums = bad_checksums_since(before);
  return report;
}

}  // namespace slowpath::probe
