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
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(options.connect_timeout));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, milliseconds(options.timeout));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME,
                   std::max(1L, milliseconds(options.stall_timeout) / 1000));
  curl_easy_setopt(curl, CURLOPT_IPRESOLVE,
                   options.ip_version == 4   ? CURL_IPRESOLVE_V4
                   : options.ip_version == 6 ? CURL_IPRESOLVE_V6
                                             : CURL_IPRESOLVE_WHATEVER);
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, version_option(options.http_version));
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, options.trusts_anybody ? 0L : 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, options.trusts_anybody ? 0L : 2L);
  if (!options.authorities_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, options.authorities_file.c_str());
  }
  if (!options.user.empty()) {
    curl_easy_setopt(curl, CURLOPT_USERPWD, options.user.c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC | CURLAUTH_DIGEST);
  }
}

void set_request(CURL* curl, const HttpRequest& request) {
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, request.upload ? 0L : 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, kMostRedirects);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "slowpath");
  // The bytes of the file are meant, not what a decoder makes of them.
  curl_easy_setopt(curl, CURLOPT_HTTP_CONTENT_DECODING, 0L);
  if (request.range) {
    const std::string text =
        fmt::format("{}-{}", request.range->offset, request.range->offset + request.range->len - 1);
    curl_easy_setopt(curl, CURLOPT_RANGE, text.c_str());
  }
  if (request.upload) {
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.upload_bytes));
  }
}

CurlHeaders header_list(const HttpRequest& request, const HttpOptions& options) {
  curl_slist* list = curl_slist_append(nullptr, "Accept-Encoding: identity");
  // Waiting for "100 Continue" is a second lost with servers that do not know it.
  if (request.upload) list = curl_slist_append(list, "Expect:");
  for (const std::string& header : options.headers) list = curl_slist_append(list, header.c_str());
  return CurlHeaders(list);
}

}  // namespace slowpath::probe
