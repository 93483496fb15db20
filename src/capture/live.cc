// SPDX-License-Identifier: Apache-2.0
#include "capture/live.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "capture/byte_ring.h"
#include "capture/file_source.h"
#include "capture/pcap_library.h"
#include "capture/pcap_link_type.h"

namespace slowpath::capture {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWaitMs = 100;
constexpr std::chrono::seconds kStatisticsInterval{1};
constexpr std::size_t kRingLen = kRetainedBytes + (1u << 20);

class LiveSource final : public Source {
 public:
  LiveSource(PcapHandle handle, ByteRing ring, SourceInfo info, std::uint16_t input,
             const LiveOptions& options, const std::atomic<bool>& stop)
      : handle_(std::move(handle)),
        ring_(std::move(ring)),
        info_(std::move(info)),
        input_(input),
        link_type_(info_.interfaces.front().link_type),
        ns_per_fraction_(
            libpcap().get_tstamp_precision(handle_.get()) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000),
        has_deadline_(options.duration > Duration::zero()),
        deadline_(Clock::now() + options.duration),
        stop_(stop) {}

  bool next(wire::Frame& frame) override {
    while (!ended_) {
      const Clock::time_point now = Clock::now();
      if (stop_.load() || (has_deadline_ && now >= deadline_)) break;
      if (now >= next_statistics_) {
        read_statistics();
        next_statistics_ = now + kStatisticsInterval;
      }
      pcap_pkthdr* header = nullptr;
      const u_char* data = nullptr;
      const int got = libpcap().next_ex(handle_.get(), &header, &data);
      if (got == 1) {
        fill(frame, *header, reinterpret_cast<const std::byte*>(data));
        return true;
      }
      if (got < 0) {
        info_.comments.push_back(fmt::format("capture ended: {}", libpcap().geterr(handle_.get())));
        break;
      }
      wait();
    }
    if (!ended_) read_statistics();
    ended_ = true;
    return false;
  }
  [[nodiscard]] const SourceInfo& info() const override { return info_; }
  [[nodiscard]] Bytes bytes_at(std::uint64_t byte_offset, std::size_t len) const override {
    return ring_.view(byte_offset, len);
  }
  [[nodiscard]] std::uint64_t position() const override { return ring_.written(); }

 private:
  // libpcap's own wait ends with a frame only: on a silent interface it would outlast both the
  // duration and a signal (TPACKET_V3: the timeout counts from the first frame of a block).
  void wait() const {
    pollfd descriptor{
        .fd = libpcap().get_selectable_fd(handle_.get()), .events = POLLIN, .revents = 0};
    poll(&descriptor, 1, kWaitMs);
  }

  // The kernel takes its buffer back at the next read, so the frame is copied to where it is
  // retained.
  void fill(wire::Frame& frame, const pcap_pkthdr& header, const std::byte* data) {
    const std::uint64_t offset = ring_.written();
    ring_.append({data, std::min<std::size_t>(header.caplen, kUsualMaxFrameLen)});
    set_lengths(frame, ring_.at(offset), static_cast<std::uint32_t>(ring_.written() - offset),
                header.len, 0);
    frame.link_type = link_type_;
    frame.direction = direction_in_header(link_type_, frame.bytes);
    frame.has_time = true;
    frame.input = input_;
    frame.interface = 0;
    frame.time = time_from_ns(std::int64_t{header.ts.tv_sec} * 1'000'000'000 +
                              std::int64_t{header.ts.tv_usec} * ns_per_fraction_);
    frame.number = ++info_.frames;
    frame.byte_offset = offset;
    info_.bytes_read = ring_.written();
  }
  void read_statistics() {
    pcap_stat statistics{};
    if (libpcap().stats(handle_.get(), &statistics) != 0) return;
    info_.reported_drops = std::uint64_t{statistics.ps_drop} + statistics.ps_ifdrop;
  }

  PcapHandle handle_;
  ByteRing ring_;
  SourceInfo info_;
  std::uint16_t input_;
  wire::LinkType link_type_;
  std::int64_t ns_per_fraction_;
  bool has_deadline_;
  Clock::time_point deadline_;
  Clock::time_point next_statistics_ = Clock::now() + kStatisticsInterval;
  const std::atomic<bool>& stop_;
  bool ended_ = false;
};

std::unexpected<Error> refused(const std::string& interface, int status, pcap_t* handle) {
  const std::string attempt = "cannot capture on " + interface;
  const std::string detail = libpcap().geterr(handle);
  switch (status) {
    case PCAP_ERROR_NO_SUCH_DEVICE:
      return fail(ErrorKind::usage, attempt, "there is no such interface", "see: ip link");
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
      return fail(ErrorKind::environment, attempt, "no permission",
                  "run as root, or once: setcap cap_net_raw+ep on the slowpath program");
    case PCAP_ERROR_IFACE_NOT_UP:
      return fail(ErrorKind::environment, attempt, "the interface is down",
                  "ip link set " + interface + " up");
    default:
      return fail(ErrorKind::environment, attempt,
                  detail.empty() ? libpcap().statustostr(status) : detail);
  }
}

Result<void> set_filter(pcap_t* handle, const std::string& expression) {
  if (expression.empty()) return {};
  const std::string attempt = "cannot use the filter '" + expression + "'";
  bpf_program program{};
  if (libpcap().compile(handle, &program, expression.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) {
    return fail(ErrorKind::usage, attempt, libpcap().geterr(handle),
                "the language is tcpdump's: man pcap-filter");
  }
  const int status = libpcap().setfilter(handle, &program);
  libpcap().freecode(&program);
  if (status != 0) return fail(ErrorKind::environment, attempt, libpcap().geterr(handle));
  return {};
}

Result<PcapHandle> activate(const std::string& interface, const LiveOptions& options) {
  char text[PCAP_ERRBUF_SIZE] = "";
  if (const Result<void> loaded = load_libpcap(); !loaded) return std::unexpected(loaded.error());
  PcapHandle handle(libpcap().create(interface.c_str(), text));
  if (!handle) return fail(ErrorKind::environment, "cannot capture on " + interface, text);
  // These fail only on a handle that is active already.
  libpcap().set_snaplen(handle.get(), static_cast<int>(options.snap_len));
  libpcap().set_promisc(handle.get(), options.promiscuous ? 1 : 0);
  libpcap().set_timeout(handle.get(), kWaitMs);
  libpcap().set_buffer_size(handle.get(), options.buffer_bytes);
  libpcap().set_tstamp_precision(handle.get(), PCAP_TSTAMP_PRECISION_NANO);  // else microseconds
  const int status = libpcap().activate(handle.get());
  if (status < 0) return refused(interface, status, handle.get());
  // On "any" the second cooked header names the interface of each packet. Not offered elsewhere.
  if (libpcap().datalink(handle.get()) == DLT_LINUX_SLL) {
    (void)libpcap().set_datalink(handle.get(), DLT_LINUX_SLL2);
  }
  if (libpcap().setnonblock(handle.get(), 1, text) != 0) {
    return fail(ErrorKind::environment, "cannot capture on " + interface, text);
  }
  const Result<void> filtered = set_filter(handle.get(), options.filter);
  if (!filtered) return std::unexpected(filtered.error());
  return handle;
}

}  // namespace

Result<std::unique_ptr<Source>> open_live(const std::string& interface, std::uint16_t input,
                                          const LiveOptions& options,
                                          const std::atomic<bool>& stop) {
  Result<PcapHandle> handle = activate(interface, options);
  if (!handle) return std::unexpected(handle.error());
  Result<ByteRing> ring = ByteRing::make(kRingLen);
  if (!ring) return std::unexpected(ring.error());
  SourceInfo info;
  info.name = interface;
  info.format = "live";
  InterfaceInfo described;
  described.name = interface;
  described.link_type = from_dlt(libpcap().datalink(handle->get()));
  described.snap_len = static_cast<std::uint32_t>(libpcap().snapshot(handle->get()));
  described.filter = options.filter;
  info.interfaces.push_back(std::move(described));
  return std::make_unique<LiveSource>(std::move(*handle), std::move(*ring), std::move(info), input,
                                      options, stop);
}

}  // namespace slowpath::capture
