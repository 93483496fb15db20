// SPDX-License-Identifier: Apache-2.0
#include "capture/foreign_format.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace slowpath::capture {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kEditcap = "convert it: editcap -F pcapng IN OUT.pcapng (Wireshark)";
constexpr std::string_view kUnpack = "unpack it and give the capture inside";

struct Signature {
  std::size_t offset;
  std::string_view bytes;
  std::string_view what;
  std::string_view hint;
};

// Signatures as in Wireshark's wiretap/*.c and file(1)'s magic.
constexpr std::array kSignatures = {
    Signature{0, "GMBU"sv, "a Microsoft Network Monitor 2.x capture", kEditcap},
    Signature{0, "RTSS"sv, "a Microsoft Network Monitor 1.x capture", kEditcap},
    Signature{0, "TRSNIFF data"sv, "a Network General Sniffer capture", kEditcap},
    Signature{0, "XCP\0"sv, "a Sniffer for Windows (NetXRay) capture", kEditcap},
    Signature{0, "VL\0\0"sv, "a NetXRay capture", kEditcap},
    Signature{0, "EyeSDN"sv, "an EyeSDN trace", kEditcap},
    Signature{0, "+---------+---------------+----------+"sv, "a K12 text trace", kEditcap},
    Signature{0, "\0\0\2\0\x12\5\0\x10"sv, "a Tektronix K12xx capture", kEditcap},
    Signature{0, "\1\x10\x4c\0"sv, "a Novell LANalyzer capture", kEditcap},
    Signature{0, "\7\x10\x4c\0"sv, "a Novell LANalyzer capture", kEditcap},
    Signature{0, "\xaa\xaa\xaa\xaa"sv, "an Accellent 5Views capture", kEditcap},
    Signature{0, "iptrace 1.0"sv, "an AIX iptrace capture", kEditcap},
    Signature{0, "iptrace 2.0"sv, "an AIX iptrace capture", kEditcap},
    Signature{0, "TR\0d\0"sv, "an HP-UX nettl trace", kEditcap},
    Signature{0, "\0\0\0\1\0\0\0\0\0\7\xd0\0"sv, "an HP-UX nettl trace", kEditcap},
    Signature{0, "btsnoop\0"sv, "a Bluetooth HCI log (btsnoop), which holds no TCP", ""},
    Signature{0, "\x05VNF"sv, "a Visual Networks capture", kEditcap},
    Signature{0, "\x7fver"sv, "a WildPackets (Omnipeek) capture", kEditcap},
    Signature{0, "ObserverPktBuf"sv, "a Network Instruments Observer capture", kEditcap},
    Signature{0, "\x42\xd2\0\x34\x12\x66\x22\x88"sv, "a RADCOM capture", kEditcap},
    Signature{0, "\xac\1\0\x1c"sv, "an IXIA capture", kEditcap},
    Signature{0, "\xab\1\0\x1c"sv, "an IXIA capture", kEditcap},
    Signature{0, "NetS"sv, "a NetScaler trace", kEditcap},
    Signature{0, "PK\3\4"sv, "a ZIP archive", "unpack it (unzip) and give the capture inside"},
    Signature{0, "7z\xbc\xaf\x27\x1c"sv, "a 7-Zip archive",
              "unpack it (7z x) and give the capture inside"},
    Signature{0, "Rar!\x1a\7"sv, "a RAR archive", kUnpack},
    Signature{0, "MSCF"sv, "a Windows cabinet, as netsh trace writes",
              "unpack it (cabextract), then: etl2pcapng IN.etl OUT.pcapng"},
    Signature{0, "BZh"sv, "a bzip2 file", "decompress it first: bunzip2 FILE"},
    Signature{0, "\x1f\x9d"sv, "a compress (.Z) file", "decompress it first: uncompress FILE"},
    Signature{0, "LZIP"sv, "an lzip file", "decompress it first: lzip -d FILE"},
    Signature{0, "\x5d\0\0"sv, "an LZMA file", "decompress it first: xz -d FILE"},
    Signature{0, "\2\x21\x4c\x18"sv, "an old lz4 file", "decompress it first: lz4 -d FILE OUT"},
    Signature{257, "ustar"sv, "a tar archive", "unpack it (tar xf) and give the captures inside"},
    Signature{0,
              "\x7f"
              "ELF"sv,
              "a program", ""},
    Signature{0, "MZ"sv, "a Windows program", ""},
    Signature{0, "%PDF"sv, "a PDF document", ""},
    Signature{0, "\x89PNG"sv, "a picture",
              "a screenshot cannot be analysed: give the capture itself"},
    Signature{0, "\xff\xd8\xff"sv, "a picture",
              "a screenshot cannot be analysed: give the capture itself"},
};

std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool has_signature(Bytes head, const Signature& signature) {
  const std::string_view text = as_text(head);
  return text.size() >= signature.offset &&
         text.substr(signature.offset).starts_with(signature.bytes);
}

// An event trace has no magic. It begins with a WMI_BUFFER_HEADER of 72 bytes (buffer size, and
// twice how far it is filled), then a system trace header with 0xc0 in its fourth byte.
bool is_event_trace(Bytes head) {
  constexpr std::size_t kBufferHeaderLen = 72;
  if (head.size() < kBufferHeaderLen + 4) return false;
  const std::uint32_t buffer_len = load_le32(head.data());
  const std::uint32_t marker = load_le32(head.data() + kBufferHeaderLen);
  const std::uint32_t header_type = (marker >> 16) & 0xff;
  return buffer_len >= 1024 && buffer_len <= (64u << 20) && buffer_len % 1024 == 0 &&
         load_le32(head.data() + 4) <= buffer_len && load_le32(head.data() + 8) <= buffer_len &&
         marker >> 24 == 0xc0 && (header_type == 1 || header_type == 2);
}

// ERF records follow one another without a file header: 8 bytes of time, type, flags, record
// length, losses, wire length. Three in a row with lengths that fit are no accident.
bool is_erf(Bytes head) {
  constexpr std::size_t kHeaderLen = 16;
  constexpr std::uint8_t kLastType = 48;
  std::size_t at = 0;
  int count = 0;
  std::uint32_t last_seconds = 0;
  for (; count < 3 && head.size() - at >= kHeaderLen; ++count) {
    const std::byte* const record = head.data() + at;
    const std::uint32_t seconds = load_le32(record + 4);
    const std::uint8_t type = load_u8(record + 8) & 0x7f;
    const std::uint16_t len = load_be16(record + 10);
    if (type == 0 || type > kLastType || len < kHeaderLen || seconds < 315'532'800 ||
        (count != 0 && seconds - last_seconds > 86'400)) {
      return false;
    }
    last_seconds = seconds;
    if (len > head.size() - at) return count >= 2;
    at += len;
  }
  return count >= 2;
}

bool is_text(std::string_view head) {
  return !head.empty() && std::ranges::all_of(head, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == '\x1b';
  });
}

std::optional<ForeignFormat> recognise_text(std::string_view head) {
  if (head.starts_with("\xff\xfe") || head.starts_with("\xfe\xff")) {
    return ForeignFormat{"text in UTF-16, as Windows programs write", "give the capture itself"};
  }
  if (head.starts_with("\xef\xbb\xbf")) head.remove_prefix(3);
  if (!is_text(head)) return std::nullopt;
  const std::size_t first = head.find_first_not_of(" \t\r\n");
  if (first == head.npos) return ForeignFormat{"empty lines", ""};
  if (head[first] == '{' || head[first] == '[') {
    return ForeignFormat{"JSON", "give the capture itself, not what was printed of it"};
  }
  if (head[first] == '<') {
    return ForeignFormat{"HTML or XML",
                         "perhaps a download that needed a login: fetch the capture again"};
  }
  if (head.starts_with("HTTP/1.")) {
    return ForeignFormat{"the answer of a web server", "fetch the capture again"};
  }
  const std::string_view line = head.substr(0, head.find('\n'));
  if (line.contains(" IP ") || line.contains(" IP6 ") || line.contains(" ARP, ") ||
      line.starts_with("IP ")) {
    return ForeignFormat{"what tcpdump prints, which leaves out most of each packet",
                         "capture to a file: tcpdump -w FILE"};
  }
  if (line.contains("No.") && line.contains("Time") && line.contains("Source")) {
    return ForeignFormat{"a packet list that Wireshark printed",
                         "save the capture itself as pcapng"};
  }
  return ForeignFormat{"plain text", "give a capture: tcpdump -w FILE"};
}

}  // namespace

std::optional<ForeignFormat> recognise_foreign(Bytes head) {
  for (const Signature& signature : kSignatures) {
    if (has_signature(head, signature)) {
      return ForeignFormat{std::string(signature.what), std::string(signature.hint)};
    }
  }
  if (is_event_trace(head)) {
    return ForeignFormat{"a Windows event trace (.etl), as netsh trace and pktmon write",
                         "convert it: etl2pcapng IN.etl OUT.pcapng, or pktmon etl2pcap IN.etl"};
  }
  if (is_erf(head)) return ForeignFormat{"an Endace ERF capture", std::string(kEditcap)};
  if (!head.empty() && std::ranges::all_of(head, [](std::byte b) { return b == std::byte{0}; })) {
    return ForeignFormat{"nothing but zeros", "the copy or the disk lost it: fetch it again"};
  }
  return recognise_text(as_text(head));
}

}  // namespace slowpath::capture
