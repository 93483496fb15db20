// SPDX-License-Identifier: Apache-2.0
// A NAT gateway that lends source ports out of a range, for each destination anew, as Linux and the
// clouds do: where the range is used up, new connections to that destination do not begin. An
// ARP question for the gateway's address is the host's to answer. ICMP errors are left as they are.
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include <fmt/core.h>

#include "lab/box_pair.h"
#include "lab/connection_end.h"
#include "lab/four_tuple.h"
#include "lab/nat.h"
#include "lab/packet_edit.h"
#include "lab/rule_stage.h"

namespace slowpath::lab::stages {
namespace {

struct PortRange {
  std::uint16_t low = 0, high = 0;  // inclusive
};

class Masquerade {
 public:
  Masquerade(NatEnd address, PortRange range, Duration timeout, FlowFilter filter)
      : address_(address), range_(range), timeout_(timeout), filter_(filter) {}

  void take_forward(FramePtr frame, StageContext& context) {
    if (was_asked_ && rewrite_arp_answer(*frame, lender_, address_.address)) {
      was_asked_ = false;
      context.touched(*frame, "ARP answer translated");
    }
    const PacketView packet = view(*frame);
    const auto tuple = four_tuple(*frame, packet);
    if (!tuple || !filter_.holds(packet)) {
      context.pass(std::move(frame));
      return;
    }
    Loan* loan = find_or_lend(*tuple, packet, context.now());
    if (!loan) {
      refuse(std::move(frame), *tuple, packet, context);
      return;
    }
    loan->end.see(packet, true, context.now());
    loan->last = context.now();
    lender_ = tuple->source.address;
    rewrite_end(*frame, packet, true, loan->source);
    context.touched(*frame, "source translated");
    context.pass(std::move(frame));
  }

  void take_backward(FramePtr frame, StageContext& context) {
    if (rewrite_arp_question(*frame, address_.address, lender_)) {
      was_asked_ = true;
      context.touched(*frame, "ARP question translated back");
    }
    const PacketView packet = view(*frame);
    const auto tuple = four_tuple(*frame, packet);
    const auto original = tuple ? originals_.find(*tuple) : originals_.end();
    if (original != originals_.end()) {
      Loan& loan = loans_.at(original->second);
      loan.end.see(packet, false, context.now());
      loan.last = context.now();
      rewrite_end(*frame, packet, false, original->second.source);
      context.touched(*frame, "destination translated back");
    }
    context.pass(std::move(frame));
  }

 private:
  struct Loan {
    Endpoint source;  // as the far side sees it
    ConnectionEnd end;
    Time last;
  };

  /// Null where there is no port left, or where a connection goes on that never began here.
  Loan* find_or_lend(const FourTuple& tuple, const PacketView& packet, Time now) {
    if (const auto known = loans_.find(tuple); known != loans_.end()) {
      if (is_opening_syn(packet)) known->second.end = {};
      return &known->second;
    }
    if (packet.is_tcp && !is_opening_syn(packet)) return nullptr;
    auto source = find_free(tuple);
    if (!source) {
      take_back_ended(now);
      source = find_free(tuple);
    }
    if (!source) return nullptr;
    originals_.emplace(answer_to(tuple, *source), tuple);
    return &loans_.emplace(tuple, Loan{*source, {}, now}).first->second;
  }

  static FourTuple answer_to(FourTuple tuple, const Endpoint& source) {
    tuple.source = source;
    return tuple.reversed();
  }

  /// The port that the host chose where it is in the range and free, else the lowest.
  [[nodiscard]] std::optional<Endpoint> find_free(const FourTuple& tuple) const {
    Endpoint source = address_.apply(tuple.source);
    const auto is_free = [&] { return !originals_.contains(answer_to(tuple, source)); };
    if (source.port >= range_.low && source.port <= range_.high && is_free()) return source;
    for (std::uint32_t port = range_.low; port <= range_.high; ++port) {
      source.port = static_cast<std::uint16_t>(port);
      if (is_free()) return source;
    }
    return std::nullopt;
  }

  void take_back_ended(Time now) {
    std::erase_if(loans_, [&](const auto& entry) {
      const auto& [tuple, loan] = entry;
      const bool is_over = tuple.protocol == kTcp ? loan.end.is_older_than(timeout_, now)
                                                  : now - loan.last >= timeout_;
      if (is_over) originals_.erase(answer_to(tuple, loan.source));
      return is_over;
    });
  }

  void refuse(FramePtr frame, const FourTuple& tuple, const PacketView& packet,
              StageContext& context) const {
    if (packet.is_tcp && !is_opening_syn(packet)) {
      context.drop(std::move(frame), "no translation of this connection");
      return;
    }
    context.drop(std::move(frame), fmt::format("no port of {} to {} left for {}", range_.low,
                                               range_.high, to_string(tuple.destination)));
  }

  NatEnd address_;
  PortRange range_;
  Duration timeout_;
  FlowFilter filter_;
  std::map<FourTuple, Loan> loans_;  // by what the host sends
  IpAddress lender_;                 // a host behind the box: answers ARP for it
  bool was_asked_ = false;
  std::map<FourTuple, FourTuple> originals_;  // by what the far side answers
};

Result<StagePair> make(Settings& settings) {
  if (auto given = require(settings, {"low", "high"}); !given) {
    return std::unexpected(given.error());
  }
  NatEnd address;
  if (settings.has("address")) {
    const auto read = read_nat_end(settings, "address");
    if (!read) return std::unexpected(read.error());
    address = {.address = read->address, .port = 0};
  } else {
    (void)settings.text("address");
  }
  const auto low = static_cast<std::uint16_t>(settings.number("low", 1, 1, 65535));
  const PortRange range{low, static_cast<std::uint16_t>(settings.number("high", low, low, 65535))};
  const Duration timeout = settings.duration("timeout", std::chrono::seconds{120});
  return make_box_pair(settings, Masquerade{address, range, timeout, FlowFilter::read(settings)});
}

}  // namespace

extern const StageKind snat;
const StageKind snat{
    .name = "snat",
    .level = Level::middlebox,
    .summary =
        "rewrites source ports into a range, drops new flows where it is used up; keys: low, "
        "high, address (default: the host's own), timeout (of an ended one, 120s), port",
    .make = make};

}  // namespace slowpath::lab::stages
