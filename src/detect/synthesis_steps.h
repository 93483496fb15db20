// SPDX-License-Identifier: Apache-2.0
// The steps of the synthesis, in the order in which synthesis.cc takes them. Internal to detect/;
// apart so that each can be read and tested alone.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "detect/finding_index.h"
#include "detect/support.h"
#include "facts/case.h"
#include "facts/finding.h"

namespace slowpath::detect {

/// Whether two findings speak of the same data: a common connection (or none at all, on both), and
/// directions that do not contradict.
bool is_beside(const Finding& a, const Finding& b);

/// Folds a general finding into the special one beside it (`specialises` in the catalogue, over
/// any number of steps), if that one claims no less. Its first evidence is kept. Where the special
/// cause explains less than half of what the general one cost, both stay and the seconds are
/// parted.
void fold(std::vector<Finding>& findings);

/// Keeps the seconds of each connection's findings within its active time: the stronger claim is
/// served first. What is left of a fault below the material share becomes a note.
void divide_overlaps(const Case& facts, std::vector<Finding>& findings);

/// Makes suspects of faults that are told packet by packet, where the clock of the capture, or the
/// two clocks of its directions, did not measure that, or much of the packets is missing.
void distrust_capture(const Case& facts, std::vector<Finding>& findings);

/// Fills in `ruled_out`: the catalogue's look-alikes against which the facts speak.
void rule_out(const Case& facts, std::vector<Finding>& findings);

/// The direction that carried more.
Direction main_direction(const ConnectionFacts& connection);

/// The transfer that a finding is about: its direction, or the one that carried more. Nothing for
/// findings about several connections or none. Valid while the case lives.
std::optional<Transfer> transfer_of(const Case& facts, const Finding& finding);

/// Adds suspects for limits that a fault hides, or losses on a connection that is unclear: the
/// receive window that would bind next. `verdicts` by position in Case::connections.
void name_hidden_limits(const Case& facts, std::span<const std::string> verdicts,
                        std::vector<Finding>& findings);

/// Whether it is one of these: a limit that cost nothing yet.
bool is_hidden_limit(const Finding& finding);

/// Fills in `after_fix` of the findings whose repair's effect on the rate is known (prediction.h).
void predict_each(const Case& facts, std::vector<Finding>& findings);

/// In which order to turn the switches of the verdict's transfer, with what is to be expected after
/// each; empty where it has but one cause. `findings` ranked.
std::vector<FixStep> order_steps(const Case& facts, const std::vector<Finding>& findings);

/// What a finding weighs: seconds lost; for silently altered data, all the time of its connection,
/// because the transfer has to be made again.
double weight_s(const Case& facts, const Finding& finding);

/// Faults that the capture as a whole would not miss become notes; see rank.cc for the measure.
void demote_trivial(const Case& facts, std::vector<Finding>& findings);

/// Makes one finding of many with one cause between the same hosts (Finding::spread), so that a
/// capture of thousands of connections is answered about hosts and paths. `connections` of such a
/// one lists them all, the worst first, until bound_lists(). Whether it found any.
bool merge_many(const Case& facts, std::vector<Finding>& findings);

/// Of a merged finding's connections so many are listed.
inline constexpr std::size_t kListedConnections = 32;
void bound_lists(std::vector<Finding>& findings);

/// Brings the confidence of what is called a fault to the scale of the lab: so sure, so often right
/// (DESIGN, "Say how sure"). Monotone, so that it orders nothing anew.
void calibrate(std::vector<Finding>& findings);

/// The same of what is only suspected: as likely as such suspicions of this fault were right in the
/// lab. Before hosts are heard, which make it more or less likely.
void calibrate_suspects(std::span<Finding> findings);

/// The costliest first: severity, standing in the capture, the fault's seconds over all its
/// connections, the finding's own.
void rank(const Case& facts, std::vector<Finding>& findings);

/// Why neither a fault nor `healthy` can be said, and what to capture instead.
struct Doubt {
  std::string why;
  std::vector<std::string> look_next;
  double seconds = 0;  // unexplained
};

/// About one connection on which no fault was found.
std::optional<Doubt> doubt_about(const Case& facts, const ConnectionFacts& connection,
                                 std::span<const Finding> findings, const FindingIndex& index);

/// About the whole input, in which no fault was found.
std::optional<Doubt> doubt_about_all(const Case& facts, std::span<const Finding> findings);

/// The sentences of a diagnosis whose verdict and findings are settled.
std::string summary_of_fault(const Case& facts, const Finding& worst, std::size_t others);
std::string summary_of_doubt(const Case& facts, const Doubt& doubt);
/// `unclear`: so many connections are not known to be well.
std::string summary_of_health(const Case& facts, std::size_t unclear);

}  // namespace slowpath::detect
