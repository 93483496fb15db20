// SPDX-License-Identifier: Apache-2.0
#include "cli/fetch/options.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include <fmt/core.h>

#include "base/format.h"
#include "cli/command_line.h"
#include "cli/signals.h"
#include "probe/digest.h"

namespace slowpath::cli {
namespace {

void declare_question(const CommandLine& line, FetchChoices& options) {
  line.add_option("URL", options.url, "What to download: http://... or https://...")
      .required()
      .type_name("");
  line.add_option("-n,--repeat", options.repeats, "How many copies (3)")
      .range(1U, 1000U)
      .type_name("N")
      .group("What is proved");
  line.add_option("--expect", options.expect, "The hash that it must have")
      .type_name("sha256:HEX|md5:HEX")
      .group("What is proved");
  const Option file = line.add_option("--expect-file", options.expected_file,
                                      "A local file that it must be, byte by byte");
  file.type_name("FILE").group("What is proved");
  line.add_option("--upload", options.upload_file,
                  "Send this file up first (PUT), each time, and compare what comes back")
      .excludes(file)
      .type_name("FILE")
      .group("What is proved");
  line.add_option("--spool", options.spool,
                  "How much of a copy may be kept on the disk ($TMPDIR, else /var/tmp) to compare "
                  "others with (4GiB)")
      .type_name("SIZE")
      .group("What is proved");
}

void declare_packets(const CommandLine& line, FetchChoices& options) {
  const Option capture =
      line.add_option("--capture", options.capture_file,
                      "Capture meanwhile into FILE (pcapng), and say which packets carried the "
                      "bytes that differ");
  capture.type_name("FILE").group("Packets");
  line.add_option("-i,--interface", options.interface,
                  "Where to capture; else the interface that leads there")
      .needs(capture)
      .type_name("IFACE")
      .group("Packets");
}

void declare_request(const CommandLine& line, FetchChoices& options) {
  line.add_option("-H,--header", options.headers, "A header field of the request, as with curl")
      .one_value_each()
      .type_name("'NAME: VALUE'")
      .group("Request");
  line.add_option("-u,--user", options.user, "For servers that ask who it is")
      .type_name("NAME:PASSWORD")
      .group("Request");
  line.add_option("--cacert", options.authorities_file, "Certificate authorities to trust instead")
      .type_name("FILE")
      .group("Request");
  line.add_flag("-k,--insecure", options.insecure, "Do not verify certificates").group("Request");
  line.add_option("--http", options.http_version, "Which version to speak")
      .one_of({"1.0", "1.1", "2"})
      .type_name("1.0|1.1|2")
      .group("Request");
  const Option ipv4 = line.add_flag("-4", options.ipv4, "Only IPv4");
  ipv4.group("Request");
  line.add_flag("-6", options.ipv6, "Only IPv6").excludes(ipv4).group("Request");
  line.add_option("--connect-timeout", options.connect_timeout, "How long to try to connect (10s)")
      .type_name("TIME")
      .group("Request");
  line.add_option("--stall-timeout", options.stall_timeout, "How long to wait for a byte (30s)")
      .type_name("TIME")
      .group("Request");
  line.add_option("--timeout", options.timeout, "How long one copy may take; else forever")
      .type_name("TIME")
      .group("Request");
}

/// "sha256:HEX", "md5:HEX", or HEX whose length tells which.
Result<FetchDigest> parse_digest(const std::string& text) {
  const std::size_t colon = text.find(':');
  FetchDigest digest{.algorithm = {}, .hex = text, .from = "--expect"};
  if (colon != std::string::npos) {
    digest.algorithm = text.substr(0, colon);
    digest.hex = text.substr(colon + 1);
  }
  for (const char* algorithm : {"sha256", "md5"}) {
    if (digest.algorithm.empty() && digest.hex.size() == probe::digest_hex_len(algorithm)) {
      digest.algorithm = algorithm;
    }
  }
  std::ranges::transform(digest.hex, digest.hex.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool is_hex =
      std::ranges::all_of(digest.hex, [](unsigned char c) { return std::isxdigit(c) != 0; });
  const std::size_t wanted = probe::digest_hex_len(digest.algorithm);
  if (wanted > 0 && is_hex && digest.hex.size() == wanted) return digest;
  return fail(ErrorKind::usage, fmt::format("cannot expect '{}'", text), "this is no hash",
              "it is like sha256: and 64 hexadecimal digits, or md5: and 32");
}

Result<void> set_duration(Duration& duration, const std::string& text) {
  if (text.empty()) return {};
  const Result<Duration> parsed = parse_duration(text);
  if (!parsed) return std::unexpected(parsed.error());
  duration = *parsed;
  return {};
}

}  // namespace

void declare_fetch(const CommandLine& line, FetchChoices& options) {
  declare_question(line, options);
  declare_packets(line, options);
  declare_request(line, options);
  declare_answer_options(line, options,
                         {.schema = "fetch",
                          .all = "Every copy and every difference",
                          .fail_on = "Exit with 1 if bytes were changed (fault), or anything else "
                                     "than sound copies came (suspect)"});
}

Result<probe::FetchOptions> fetch_options_of(const FetchChoices& options) {
  probe::FetchOptions fetch;
  fetch.url = options.url;
  fetch.repeats = options.repeats;
  fetch.expected_file = options.expected_file;
  fetch.upload_file = options.upload_file;
  if (const auto authority = probe::http_authority(options.url); !authority) {
    return std::unexpected(authority.error());
  }
  const Result<std::uint64_t> spool = parse_size(options.spool);
  if (!spool) return std::unexpected(spool.error());
  fetch.spool_bytes = *spool;
  if (!options.expect.empty()) {
    Result<FetchDigest> digest = parse_digest(options.expect);
    if (!digest) return std::unexpected(digest.error());
    fetch.expected = std::move(*digest);
  }
  probe::HttpOptions& http = fetch.http;
  http.headers = options.headers;
  http.user = options.user;
  http.authorities_file = options.authorities_file;
  http.http_version = options.http_version;
  http.trusts_anybody = options.insecure;
  http.ip_version = options.ipv4 ? 4 : options.ipv6 ? 6 : 0;
  http.stop = &stop_requested();
  for (const auto& [duration, text] : {std::pair{&http.connect_timeout, &options.connect_timeout},
                                       std::pair{&http.stall_timeout, &options.stall_timeout},
                                       std::pair{&http.timeout, &options.timeout}}) {
    if (const Result<void> set = set_duration(*duration, *text); !set) {
      return std::unexpected(set.error());
    }
  }
  return fetch;
}

}  // namespace slowpath::cli
