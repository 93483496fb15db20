// SPDX-License-Identifier: Apache-2.0
// path-outage: the path loses everything for seconds, then works again.
// The user sees a transfer that freezes and comes back by itself. Recognised by several
// transmissions of the same range without any answer, while packets of that length pass before and
// after (RFC 6298 for the schedule of the resends). Look-alikes: the peer never comes back
// (peer-gone), only long packets fail (pmtud-blackhole), the receiver answers with a window of
// zero, a path whose ordinary loss makes such a row by chance.
#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/loss_pattern.h"
#include "detect/policy.h"
#include "detect/silence_chance.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "path-outage";
// A length that passes otherwise stands for the second length that the catalogue asks for, with one
// more transmission.
constexpr std::uint32_t kTransmissionsOfOneLength = 4;
// Silences of so many transmissions that plain loss would bring about by chance.
constexpr double kByChance = 0.1;

/// Silences that several connections of a path shared, by the connections of that path.
class SharedOutages {
 public:
  explicit SharedOutages(const Case& facts);
  /// Silence of all connections between the two hosts that lies over this one, or nullptr.
  [[nodiscard]] const PathFacts::Outage* over(const Transfer& transfer, const Stall& stall) const;

 private:
  struct Member {
    std::uint32_t id;
    const PathFacts* path;
  };
  std::vector<Member> members_;  // by id, then in the order of the case
};

SharedOutages::SharedOutages(const Case& facts) {
  for (const PathFacts& path : facts.paths) {
    const bool shared = std::ranges::any_of(
        path.outages, [](const PathFacts::Outage& outage) { return outage.connections >= 2; });
    if (!shared) continue;
    for (const std::uint32_t id : path.connections) members_.push_back({id, &path});
  }
  std::ranges::stable_sort(members_, {}, &Member::id);
}

const PathFacts::Outage* SharedOutages::over(const Transfer& transfer, const Stall& stall) const {
  const Time end = stall.begin + from_seconds(stall.seconds);
  for (const Member& member :
       std::ranges::equal_range(members_, transfer.connection.id, {}, &Member::id)) {
    for (const PathFacts::Outage& outage : member.path->outages) {
      const Time outage_end = outage.begin + from_seconds(outage.seconds);
      if (outage.connections >= 2 && outage.begin < end && stall.begin < outage_end) {
        return &outage;
      }
    }
  }
  return nullptr;
}

/// Not one length alone: two lengths failed, or what failed is no longer than what passes, or the
/// acknowledgements of the other direction, the shortest packets there are, failed too.
bool every_length_failed(const DirectionFacts& data, const Stall& stall) {
  if (stall.replies_lost) return true;
  if (stall.largest_unanswered_ip_len == 0) return false;
  if (stall.smallest_unanswered_ip_len < stall.largest_unanswered_ip_len) return true;
  return stall.largest_unanswered_ip_len <= data.largest_delivered_ip_len &&
         stall.unanswered_sends >= kTransmissionsOfOneLength;
}

/// The transmissions passed a tap beside the receiver: the path up to there lost nothing, and
/// whether the last stretch failed or the receiver threw them away does not show.
bool arrived_here(const Transfer& transfer, const Stall& stall) {
  return transfer.data().vantage == Vantage::receiver && !stall.replies_lost;
}

struct Outages {
  std::uint64_t count = 0;
  double seconds = 0;
  std::uint32_t transmissions = 0;
  bool proved = false;  // at least one shows that no length passed, or hit several connections
  std::uint32_t shared = 0;
  const Stall* longest = nullptr;
  double by_chance = 0;  // silences like the longest that the path's other losses make
};

Outages outages_of(const Transfer& transfer, const SharedOutages& shared_outages) {
  Outages outages;
  for (const Stall& stall : transfer.data().stalls) {
    if (!stall.ended || !is_long_silence(stall)) continue;
    const PathFacts::Outage* shared = shared_outages.over(transfer, stall);
    ++outages.count;
    outages.seconds += stall.seconds;
    outages.transmissions += stall.unanswered_sends;
    outages.proved |= !arrived_here(transfer, stall) &&
                      (shared != nullptr || every_length_failed(transfer.data(), stall));
    if (shared != nullptr) outages.shared = std::max(outages.shared, shared->connections);
    if (outages.longest == nullptr || stall.seconds > outages.longest->seconds) {
      outages.longest = &stall;
    }
  }
  if (outages.longest != nullptr)
    outages.by_chance = silences_by_chance(transfer.data(), *outages.longest);
  return outages;
}

void report(const Transfer& transfer, const Outages& outages, Findings& findings) {
  const Stall& longest = *outages.longest;
  Finding finding = about(kId, transfer);
  finding.seconds_lost = std::min(outages.seconds, duration_s(transfer.connection));
  const bool chance = outages.by_chance >= kHardlyByChance && outages.shared < 2;
  finding.severity = severity_of(outages.proved && transfer.data().acks_seen && !chance,
                                 finding.seconds_lost, transfer);
  const double certainty = how_far(outages.transmissions, kLongSilenceTransmissions, 8);
  finding.confidence =
      confidence_of(0.7 + 0.15 * certainty + (outages.shared >= 2 ? 0.1 : 0), transfer);
  const bool arrived = arrived_here(transfer, longest);
  finding.claim = fmt::format(
      "{} {}, for {} in all{}",
      arrived ? "what arrived here found no answer" : "the path lost everything",
      counted(outages.count, "time"), format_duration(finding.seconds_lost),
      arrived ? ": the last stretch failed, or the receiver" : ", and then worked again");
  finding.evidence.push_back(
      shown_by(fmt::format("{} transmissions of the same range before an answer came, after {}",
                           longest.unanswered_sends, format_duration(longest.seconds)),
               {longest.before, longest.after},
               {{"unanswered_sends", static_cast<double>(longest.unanswered_sends)},
                {"silence_s", longest.seconds}}));
  if (longest.replies_lost) {
    finding.evidence.push_back(shown_by(
        "what ended the silence had long been acknowledged here: the acknowledgements were lost as "
        "well, and the sender's IP identifications leave room for the resends before it",
        {longest.after}));
  }
  if (longest.largest_unanswered_ip_len > 0) {
    finding.evidence.push_back(shown_by(
        fmt::format("packets of {} to {} bytes failed in it; up to {} bytes pass otherwise",
                    longest.smallest_unanswered_ip_len, longest.largest_unanswered_ip_len,
                    transfer.data().largest_delivered_ip_len),
        {transfer.data().largest_delivered_frame},
        {{"largest_failed_ip_len", static_cast<double>(longest.largest_unanswered_ip_len)}}));
  }
  if (outages.shared >= 2) {
    finding.evidence.push_back(shown_by(
        fmt::format("{} connections between the two hosts fell silent together", outages.shared),
        {}, {{"connections_silent", static_cast<double>(outages.shared)}}));
  }
  if (chance) {
    finding.evidence.push_back(shown_by(
        fmt::format("{} packets were lost at other times: such a loss alone makes {:.2g} of these "
                    "silences",
                    losses_elsewhere(transfer.data()), outages.by_chance),
        {}, {{"silences_by_chance", outages.by_chance}}));
  }
  finding.refuted_by = "any packet that was answered on this path during the silence";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.analysis.rto");
  if (finding.severity == Severity::suspect) {
    finding.next_capture = capture_command(transfer.connection, "other_end.pcap");
  }
  findings.list.push_back(std::move(finding));
}

void inspect_transfer(const Transfer& transfer, const SharedOutages& shared, Findings& findings) {
  const Outages outages = outages_of(transfer, shared);
  if (outages.count == 0) {
    if (transfer.data().timeouts > 0) {
      silent(findings, kId, transfer,
             fmt::format("no silence of {} with {} transmissions that ended",
                         format_duration(kLongSilence_s), kLongSilenceTransmissions));
    }
    return;
  }
  if (std::string why = other_cause_of_loss(transfer); !why.empty()) {
    return silent(findings, kId, transfer, std::move(why));
  }
  if (outages.by_chance >= kByChance) {
    const DirectionFacts& data = transfer.data();
    return silent(findings, kId, transfer,
                  fmt::format("{} losses and {} lost resends make {:.1f} such silences by chance",
                              data.lost_packets, data.lost_resends, outages.by_chance));
  }
  report(transfer, outages, findings);
}

void inspect(const Case& facts, Findings& findings) {
  const SharedOutages shared(facts);
  for (const Transfer& transfer : transfers_with_data(facts)) {
    inspect_transfer(transfer, shared, findings);
  }
}

}  // namespace

extern const Detector path_outage;
const Detector path_outage{.id = kId,
                           .scope = Scope::direction,
                           .needs = "the resends during the silence and the answers after it",
                           .inspect = inspect};

}  // namespace slowpath::detect::detectors
