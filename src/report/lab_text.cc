// SPDX-License-Identifier: Apache-2.0
// The text of `lab run`. Its JSON is in lab_json.cc.
#include "report/lab_text.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/format.h"
#include "report/table.h"

namespace slowpath::report {
namespace {

constexpr std::size_t kHashLetters = 12;

void add_lines(Page& page, std::string label, const std::vector<std::string>& lines,
               Tone tone = Tone::plain) {
  for (const std::string& line : lines) {
    page.entry(label, line, tone);
    label.clear();
  }
}

std::string bytes_sentence(const LabStream& stream) {
  const std::string received = stream.received_sha256.substr(0, kHashLetters);
  if (stream.bytes_right) {
    if (stream.bytes == 0) return "no byte arrived";
    return received.empty() ? "every byte right"
                            : fmt::format("every byte right (sha256 {}…)", received);
  }
  std::string text =
      fmt::format("WRONG: {} bytes are not what was sent", format_count(stream.bad_bytes));
  if (stream.first_bad_offset) {
    text += fmt::format(", the first at offset {}", format_count(*stream.first_bad_offset));
  }
  if (received.empty()) return text;
  return text + fmt::format(" (sha256 {}… sent, {}… received)",
                            stream.sent_sha256.substr(0, kHashLetters), received);
}

std::string kernel_sentence(const LabKernel& kernel) {
  return fmt::format(
      "{} retransmissions, {} timeouts; busy {}, of it limited by the receive window {}, by the "
      "send buffer {}; RTT at least {}",
      format_count(kernel.retransmissions), format_count(kernel.timeouts),
      format_duration(kernel.busy_s), format_percent(kernel.rwnd_limited_share),
      format_percent(kernel.sndbuf_limited_share), format_duration(kernel.min_rtt_s));
}

void add_stream(Page& page, const LabStream& stream) {
  page.entry("moved", fmt::format("{}, {} → {}: {} in {} = {}{}", stream.transfer, stream.from,
                                  stream.to, format_bytes(static_cast<double>(stream.bytes)),
                                  format_duration(stream.seconds), format_rate(stream.goodput_bps),
                                  stream.complete ? "" : " (not complete)"));
  page.entry("bytes", bytes_sentence(stream), stream.bytes_right ? Tone::plain : Tone::bad);
  if (stream.kernel) page.entry("kernel", kernel_sentence(*stream.kernel));
}

void add_transfer(Page& page, const LabTransfer& transfer) {
  if (!transfer.error.empty()) {
    page.entry("error", fmt::format("{}: {}", transfer.name, transfer.error), Tone::bad);
  }
  if (transfer.attempts < 2) return;
  std::string text = fmt::format("{}: {} of {} succeeded", transfer.name,
                                 format_count(transfer.successes), format_count(transfer.attempts));
  if (transfer.response_median_s > 0) {
    text +=
        fmt::format("; {} in the median, {} at worst", format_duration(transfer.response_median_s),
                    format_duration(transfer.response_worst_s));
  }
  page.entry("answers", text);
}

void add_capture(Page& page, const LabCapture& capture) {
  const Tone tone = !capture.is_right ? Tone::plain : *capture.is_right ? Tone::good : Tone::bad;
  page.entry("diagnose",
             fmt::format("at {}: {} ({:.2f}){}{}", capture.point, capture.verdict,
                         capture.confidence, capture.judged.empty() ? "" : ": ", capture.judged),
             tone);
  if (!capture.summary.empty()) page.entry("", capture.summary, Tone::faint);
  if (!capture.file.empty()) page.entry("", capture.file, Tone::faint);
}

}  // namespace

bool LabRun::targets_met() const {
  return std::ranges::all_of(targets, [](const LabTarget& target) { return target.is_met; });
}

bool LabRun::verdicts_right() const {
  return std::ranges::all_of(
      captures, [](const LabCapture& capture) { return capture.is_right.value_or(true); });
}

std::string lab_story_text(const LabStory& story, const Style& style) {
  Page page(style);
  page.heading(story.story.empty() ? story.name : story.story + " " + story.name, story.title);
  if (!story.about.empty()) page.entry("about", story.about);
  page.gap();
  add_lines(page, "hosts", story.hosts);
  add_lines(page, "path", story.stages);
  add_lines(page, "broken", story.faulty, Tone::bold);
  add_lines(page, "traffic", story.transfers);
  std::string settings;
  for (const auto& [name, value] : story.parameters) settings += fmt::format("{}={} ", name, value);
  page.entry("set", fmt::format("{}seed={}", settings, story.seed));
  page.gap();
  return std::move(page).take();
}

std::string lab_run_text(const LabRun& run, const Style& style) {
  Page page(style);
  page.heading(run.label,
               fmt::format("{}{}", run.summary, run.hides ? " - this only HIDES the fault" : ""));
  add_lines(page, "do", run.commands);
  for (const std::string& why : run.void_because) {
    page.entry("VOID", fmt::format("this run proves nothing: {}", why), Tone::bad);
  }
  for (const LabTransfer& transfer : run.transfers) add_transfer(page, transfer);
  for (const LabStream& stream : run.streams) add_stream(page, stream);
  for (const LabCapture& capture : run.captures) add_capture(page, capture);
  for (const LabTarget& target : run.targets) {
    page.entry(target.is_met ? "met" : "NOT MET", target.text,
               target.is_met ? Tone::good : Tone::bad);
  }
  page.gap();
  return std::move(page).take();
}

std::string lab_comparison_text(std::span<const LabRun> runs, const Style& style) {
  Table table({{"run"},
               {"goodput", Align::right},
               {"retransmissions", Align::right},
               {"timeouts", Align::right},
               {"bytes"},
               {"as promised"},
               {"verdicts"}});
  bool all_met = true;
  bool verdicts_right = true;
  for (const LabRun& run : runs) {
    std::vector<std::string> verdicts;
    for (const LabCapture& capture : run.captures) {
      verdicts.push_back(fmt::format("{}{}{}", capture.point, kNoBreak, capture.verdict));
    }
    const bool right = std::ranges::all_of(run.streams, &LabStream::bytes_right);
    const LabStream* main = run.streams.empty() ? nullptr : &run.streams.front();
    const bool known = main != nullptr && main->kernel;
    table.row({run.hides ? run.label + " (hides)" : run.label,
               main == nullptr ? "." : printable(format_rate(main->goodput_bps), style.utf8),
               known ? format_count(main->kernel->retransmissions) : ".",
               known ? format_count(main->kernel->timeouts) : ".", right ? "right" : "WRONG",
               !run.void_because.empty() ? "void"
               : run.targets_met()       ? "yes"
                                         : "NO",
               fmt::format("{}", fmt::join(verdicts, ", "))});
    verdicts_right = verdicts_right && run.verdicts_right();
    all_met = all_met && run.targets_met() && run.void_because.empty();
  }
  const std::string rates = all_met ? "Rates and bytes came as the scenario says"
                                    : "Not everything came as the scenario says: see NOT MET above";
  return fmt::format("{}\n{}; {}.\n", table.text(style.width), rates,
                     verdicts_right ? "no verdict is wrong" : "NOT every verdict is right");
}

}  // namespace slowpath::report
