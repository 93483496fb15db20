// SPDX-License-Identifier: Apache-2.0
#include "capture/filter.h"

#include <optional>
#include <utility>
#include <vector>

#include "capture/file_source.h"
#include "capture/pcap_library.h"
#include "capture/pcap_link_type.h"

namespace slowpath::capture {
namespace {

// A compiled filter.
class Program {
 public:
  static Result<Program> compile(wire::LinkType link_type, const std::string& expression);
  Program(Program&& other) noexcept : code_(std::exchange(other.code_, {})) {}
  Program& operator=(Program&&) = delete;
  ~Program() { libpcap().freecode(&code_); }

  [[nodiscard]] bool matches(const wire::Frame& frame) const {
    pcap_pkthdr header{};
    header.caplen = static_cast<bpf_u_int32>(frame.bytes.size());
    header.len = frame.original_len;
    const auto* const data = reinterpret_cast<const u_char*>(frame.bytes.data());
    return libpcap().offline_filter(&code_, &header, data) != 0;
  }

 private:
  Program() = default;
  bpf_program code_{};
};

Result<Program> Program::compile(wire::LinkType link_type, const std::string& expression) {
  const std::string attempt = "cannot use the filter '" + expression + "'";
  if (const Result<void> loaded = load_libpcap(); !loaded) return std::unexpected(loaded.error());
  const PcapHandle dead(libpcap().open_dead(to_dlt(link_type), static_cast<int>(kMaxFrameLen)));
  if (!dead) return fail(ErrorKind::environment, attempt, "no memory for libpcap");
  Program program;
  constexpr int kOptimise = 1;
  if (libpcap().compile(dead.get(), &program.code_, expression.c_str(), kOptimise,
                        PCAP_NETMASK_UNKNOWN) != 0) {
    program.code_ = {};
    return fail(ErrorKind::usage, attempt, libpcap().geterr(dead.get()),
                "the language is tcpdump's: man pcap-filter");
  }
  return program;
}

class BpfFilteredSource final : public FilteredSource {
 public:
  BpfFilteredSource(std::unique_ptr<Source> source, std::string expression)
      : source_(std::move(source)), expression_(std::move(expression)) {}

  bool next(wire::Frame& frame) override {
    while (source_->next(frame)) {
      if (matches(frame)) return true;
      ++left_out_;
    }
    return false;
  }
  std::size_t next_batch(std::span<wire::Frame> frames) override {
    while (const std::size_t count = source_->next_batch(frames)) {
      std::size_t kept = 0;
      for (std::size_t i = 0; i < count; ++i) {
        if (matches(frames[i])) frames[kept++] = frames[i];
      }
      left_out_ += count - kept;
      if (kept != 0) return kept;
    }
    return 0;
  }
  [[nodiscard]] const SourceInfo& info() const override { return source_->info(); }
  [[nodiscard]] Bytes bytes_at(std::uint64_t byte_offset, std::size_t len) const override {
    return source_->bytes_at(byte_offset, len);
  }
  [[nodiscard]] std::uint64_t position() const override { return source_->position(); }
  [[nodiscard]] bool stable_bytes() const override { return source_->stable_bytes(); }
  [[nodiscard]] std::uint64_t left_out() const override { return left_out_; }
  [[nodiscard]] std::string problem() const override { return problem_; }

  Result<void> compile_for(wire::LinkType link_type) {
    Result<Program> program = Program::compile(link_type, expression_);
    if (!program) {
      if (problem_.empty()) problem_ = program.error().message();
      programs_.push_back({link_type, std::nullopt});
      return std::unexpected(program.error());
    }
    programs_.push_back({link_type, std::move(*program)});
    return {};
  }

 private:
  struct Compiled {
    wire::LinkType link_type;
    std::optional<Program> program;  // nothing: the filter makes no sense for this link type
  };

  // A capture has one link type, or a few: the list is searched from the one used last.
  bool matches(const wire::Frame& frame) {
    if (last_ >= programs_.size() || programs_[last_].link_type != frame.link_type) select(frame);
    const std::optional<Program>& program = programs_[last_].program;
    return program && program->matches(frame);
  }
  void select(const wire::Frame& frame) {
    for (last_ = 0; last_ < programs_.size(); ++last_) {
      if (programs_[last_].link_type == frame.link_type) return;
    }
    (void)compile_for(frame.link_type);  // its failure is kept in problem_
  }

  std::unique_ptr<Source> source_;
  std::string expression_;
  std::vector<Compiled> programs_;
  std::size_t last_ = 0;
  std::uint64_t left_out_ = 0;
  std::string problem_;
};

}  // namespace

Result<std::unique_ptr<FilteredSource>> with_filter(std::unique_ptr<Source> source,
                                                    const std::string& expression) {
  const std::vector<InterfaceInfo>& interfaces = source->info().interfaces;
  // A pcapng file names its interfaces while it is read: until then Ethernet is as good a guess as
  // any.
  const wire::LinkType first =
      interfaces.empty() ? wire::LinkType::ethernet : interfaces.front().link_type;
  if (interfaces.empty()) {
    const Result<void> valid = check_filter(expression);
    if (!valid) return std::unexpected(valid.error());
    return std::make_unique<BpfFilteredSource>(std::move(source), expression);
  }
  auto filtered = std::make_unique<BpfFilteredSource>(std::move(source), expression);
  const Result<void> compiled = filtered->compile_for(first);
  if (!compiled) return std::unexpected(compiled.error());
  return filtered;
}

Result<void> check_filter(const std::string& expression) {
  const Result<Program> program = Program::compile(wire::LinkType::ethernet, expression);
  if (!program) return std::unexpected(program.error());
  return {};
}

}  // namespace slowpath::capture
