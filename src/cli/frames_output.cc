// SPDX-License-Identifier: Apache-2.0
#include "cli/frames_output.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include <fmt/core.h>

namespace slowpath::cli {
namespace {

struct FlagName {
  std::uint32_t flag;
  std::string_view name;
};
constexpr std::array<FlagName, 10> kFlagNames = {{{flow::kResend, "retransmission"},
                                                  {flow::kSpurious, "spurious"},
                                                  {flow::kOutOfOrder, "out-of-order"},
                                                  {flow::kDuplicateAck, "duplicate-ack"},
                                                  {flow::kZeroWindow, "zero-window"},
                                                  {flow::kLostSegment, "lost-segment"},
                                                  {flow::kKeepAlive, "keep-alive"},
                                                  {flow::kWindowProbe, "window-probe"},
                                                  {flow::kTapCopy, "tap-copy"},
                                                  {flow::kNetworkCopy, "network-copy"}}};

void append_flags(std::string& line, std::uint32_t flags) {
  const std::size_t begin = line.size();
  for (const FlagName& known : kFlagNames) {
    if ((flags & known.flag) == 0) continue;
    if (line.size() > begin) line += ',';
    line += known.name;
  }
}

void append_reasons(std::string& line, std::uint32_t reasons) {
  const std::size_t begin = line.size();
  for (std::size_t i = 0; i < flow::kLabelReasonCount; ++i) {
    if ((reasons >> i & 1u) == 0) continue;
    if (line.size() > begin) line += ',';
    line += flow::name(static_cast<flow::LabelReason>(i));
  }
}

}  // namespace

FramesOutput::FramesOutput(std::FILE* stream, std::string path)
    : stream_(stream), path_(std::move(path)) {
  constexpr std::string_view kHeader = "file\tframe\tslowpath\twireshark\treasons\tunexplained\n";
  std::fwrite(kHeader.data(), 1, kHeader.size(), stream_);
}

FramesOutput::~FramesOutput() {
  if (stream_ != stdout && stream_ != nullptr) std::fclose(stream_);
}

Result<std::unique_ptr<FramesOutput>> FramesOutput::create(const std::string& path) {
  std::FILE* const stream = path == "-" ? stdout : std::fopen(path.c_str(), "we");
  if (stream == nullptr) {
    return fail(ErrorKind::environment, fmt::format("cannot write the frames to {}", path),
                std::strerror(errno));
  }
  return std::unique_ptr<FramesOutput>(new FramesOutput(stream, path));
}

void FramesOutput::name_input(std::uint16_t input, std::string file) {
  if (files_.size() <= input) files_.resize(std::size_t{input} + 1);
  files_[input] = std::move(file);
}

void FramesOutput::write(const flow::FrameLabel& label) {
  line_.clear();
  if (label.frame.input() < files_.size()) line_ += files_[label.frame.input()];
  line_ += fmt::format("\t{}\t", label.frame.number());
  append_flags(line_, label.ours);
  line_ += '\t';
  append_flags(line_, label.wireshark);
  line_ += '\t';
  append_reasons(line_, label.reasons);
  line_ += '\t';
  append_flags(line_, label.unexplained);
  line_ += '\n';
  std::fwrite(line_.data(), 1, line_.size(), stream_);
}

Result<void> FramesOutput::finish() {
  const bool written = std::fflush(stream_) == 0 && std::ferror(stream_) == 0;
  if (written || errno == EPIPE) return {};
  return fail(ErrorKind::environment, fmt::format("cannot write the frames to {}", path_),
              std::strerror(errno));
}

}  // namespace slowpath::cli
