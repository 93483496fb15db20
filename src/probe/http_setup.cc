// SPDX-License-Identifier: Apache-2.0
#include "probe/http_setup.h"

#include <algorithm>
#include <chrono>
#include <string_view>

#include <fmt/core.h>

namespace slowpath::probe {
namespace {

constexpr long kMostRedirects = 10;

long version_option(std::string_view version) {
  if (version == "1.0") return CURL_HTTP_VERSION_1_0;
  if (version == "1.1") return CURL_HTTP_VERSION_1_1;
  if (version == "2") return CURL_HTTP_VERSION_2_0;
  return CURL_HTTP_VERSION_2TLS;
}

long milliseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

}  // namespace

void set_connection(CURL* curl, const HttpOptions& options) {
  set_option(curl, CURLOPT_NOSIGNAL, 1L);
  set_option(curl, CURLOPT_FRESH_CONNECT, 1L);
  set_option(curl, CURLOPT_FORBID_REUSE, 1L);
  set_option(curl, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(options.connect_timeout));
  set_option(curl, CURLOPT_TIMEOUT_MS, milliseconds(options.timeout));
  set_option(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  set_option(curl, CURLOPT_LOW_SPEED_TIME,
             std::max(1L, milliseconds(options.stall_timeout) / 1000));
  set_option(curl, CURLOPT_IPRESOLVE,
             options.ip_version == 4   ? CURL_IPRESOLVE_V4
             : options.ip_version == 6 ? CURL_IPRESOLVE_V6
                                       : CURL_IPRESOLVE_WHATEVER);
  set_option(curl, CURLOPT_HTTP_VERSION, version_option(options.http_version));
  set_option(curl, CURLOPT_SSL_VERIFYPEER, options.trusts_anybody ? 0L : 1L);
  set_option(curl, CURLOPT_SSL_VERIFYHOST, options.trusts_anybody ? 0L : 2L);
  if (!options.authorities_file.empty()) {
    set_option(curl, CURLOPT_CAINFO, options.authorities_file.c_str());
  }
  if (!options.user.empty()) {
    set_option(curl, CURLOPT_USERPWD, options.user.c_str());
    set_option(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC | CURLAUTH_DIGEST);
  }
}

void set_request(CURL* curl, const HttpRequest& request) {
  set_option(curl, CURLOPT_URL, request.url.c_str());
  set_option(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  set_option(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set_option(curl, CURLOPT_FOLLOWLOCATION, request.upload ? 0L : 1L);
  set_option(curl, CURLOPT_MAXREDIRS, kMostRedirects);
  set_option(curl, CURLOPT_USERAGENT, "slowpath");
  // The bytes of the file are meant, not what a decoder makes of them.
  set_option(curl, CURLOPT_HTTP_CONTENT_DECODING, 0L);
  if (request.range) {
    const std::string text =
        fmt::format("{}-{}", request.range->offset, request.range->offset + request.range->len - 1);
    set_option(curl, CURLOPT_RANGE, text.c_str());
  }
  if (request.upload) {
    set_option(curl, CURLOPT_UPLOAD, 1L);
    set_option(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.upload_bytes));
  }
}

CurlHeaders header_list(const HttpRequest& request, const HttpOptions& options) {
  curl_slist* list = libcurl().slist_append(nullptr, "Accept-Encoding: identity");
  // Waiting for "100 Continue" is a second lost with servers that do not know it.
  if (request.upload) list = libcurl().slist_append(list, "Expect:");
  for (const std::string& header : options.headers)
    list = libcurl().slist_append(list, header.c_str());
  return CurlHeaders(list);
}

}  // namespace slowpath::probe
