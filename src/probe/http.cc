// SPDX-License-Identifier: Apache-2.0
#include "probe/http.h"

#include <curl/curl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include <fmt/core.h>

#include "probe/http_answer.h"
#include "probe/http_end.h"
#include "probe/http_setup.h"
#include "probe/tcp_info.h"

namespace slowpath::probe {
namespace {

using CurlHandle = std::unique_ptr<CURL, CurlFree>;

/// Once for the program; libcurl asks for it before any thread.
/// What libcurl's callbacks share. Lives as long as the request.
struct Exchange {
  const HttpRequest& request;
  const HttpOptions& options;
  CURL* curl = nullptr;
  FetchedCopy copy{};
  std::array<char, CURL_ERROR_SIZE> detail{};
  bool has_begun = false;
};

/// Of several attempts to connect the one that carried bytes is meant.
void read_tcp(int socket, FetchTcp& tcp) {
  const std::optional<SocketFacts> facts = read_socket(socket);
  if (!facts) return;
  if (tcp.known && facts->bytes_received.value_or(0) <= tcp.bytes_received) return;
  tcp.known = true;
  tcp.rtt_us = facts->rtt_s.value_or(0) * 1e6;
  tcp.rtt_min_us = facts->rtt_min_s.value_or(0) * 1e6;
  tcp.segment_size = facts->receive_mss_bytes.value_or(0);
  tcp.retransmits = facts->retransmits_total.value_or(0);
  tcp.bytes_received = facts->bytes_received.value_or(0);
  tcp.segments_in = facts->data_segments_received.value_or(0);
  tcp.out_of_order = facts->out_of_order_packets.value_or(0);
}

int close_socket(void* self, curl_socket_t socket) {
  read_tcp(socket, static_cast<Exchange*>(self)->copy.tcp);
  return close(socket);
}

/// Only known while the connection stands.
std::string tls_words(CURL* curl) {
  curl_tlssessioninfo* session = nullptr;
  libcurl().easy_getinfo(curl, CURLINFO_TLS_SSL_PTR, &session);
  if (session == nullptr || session->internals == nullptr) return {};
  if (session->backend != CURLSSLBACKEND_OPENSSL) return "TLS";
  return SSL_get_version(static_cast<const SSL*>(session->internals));
}

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  const std::string_view line(data, size * count);
  take_header_line(exchange.copy, line);
  if (line.starts_with("HTTP/")) {
    long status = 0;
    libcurl().easy_getinfo(exchange.curl, CURLINFO_RESPONSE_CODE, &status);
    exchange.copy.status = static_cast<std::uint32_t>(status);
    exchange.copy.tls_version = tls_words(exchange.curl);
  }
  return line.size();
}

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  const std::size_t len = size * count;
  long status = 0;
  libcurl().easy_getinfo(exchange.curl, CURLINFO_RESPONSE_CODE, &status);
  exchange.copy.status = static_cast<std::uint32_t>(status);
  // What an error page says is not the file.
  if (exchange.copy.status < 200 || exchange.copy.status >= 300) return len;
  if (!exchange.has_begun && exchange.request.begin) exchange.request.begin(exchange.copy);
  exchange.has_begun = true;
  if (!exchange.copy.is_upload) exchange.copy.bytes += len;
  if (!exchange.request.sink) return len;
  return exchange.request.sink(std::as_bytes(std::span(data, len))) ? len : 0;
}

std::size_t give_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  const std::size_t given =
      exchange.request.upload(std::as_writable_bytes(std::span(data, size * count)));
  exchange.copy.bytes += given;
  return given;
}

int show_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto& exchange = *static_cast<Exchange*>(self);
  if (exchange.options.stop != nullptr && exchange.options.stop->load()) return 1;
  curl_off_t announced = -1;
  libcurl().easy_getinfo(exchange.curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
  if (exchange.request.progress) {
    exchange.request.progress(exchange.copy.bytes,
                              exchange.copy.is_upload
                                  ? exchange.request.upload_bytes
                                  : static_cast<std::uint64_t>(std::max<curl_off_t>(announced, 0)));
  }
  return 0;
}

void set_callbacks(CURL* curl, Exchange& exchange) {
  set_option(curl, CURLOPT_ERRORBUFFER, exchange.detail.data());
  set_option(curl, CURLOPT_HEADERFUNCTION, take_header);
  set_option(curl, CURLOPT_HEADERDATA, &exchange);
  set_option(curl, CURLOPT_WRITEFUNCTION, take_body);
  set_option(curl, CURLOPT_WRITEDATA, &exchange);
  set_option(curl, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
  set_option(curl, CURLOPT_CLOSESOCKETDATA, &exchange);
  set_option(curl, CURLOPT_NOPROGRESS, 0L);
  set_option(curl, CURLOPT_XFERINFOFUNCTION, show_progress);
  set_option(curl, CURLOPT_XFERINFODATA, &exchange);
  if (exchange.request.upload) {
    set_option(curl, CURLOPT_READFUNCTION, give_body);
    set_option(curl, CURLOPT_READDATA, &exchange);
  }
}

template <typename T>
T info_of(CURL* curl, CURLINFO what) {
  T value{};
  libcurl().easy_getinfo(curl, what, &value);
  return value;
}

std::string text_of(CURL* curl, CURLINFO what) {
  const auto* text = info_of<const char*>(curl, what);
  return text == nullptr ? "" : text;
}

double seconds_of(CURL* curl, CURLINFO what) {
  return static_cast<double>(info_of<curl_off_t>(curl, what)) * 1e-6;
}

std::string_view version_words(long version) {
  switch (version) {
    case CURL_HTTP_VERSION_1_0:
      return "1.0";
    case CURL_HTTP_VERSION_1_1:
      return "1.1";
    case CURL_HTTP_VERSION_2_0:
      return "2";
    case CURL_HTTP_VERSION_3:
      return "3";
    default:
      return "";
  }
}

void fill_from_curl(CURL* curl, FetchedCopy& copy) {
  copy.url = text_of(curl, CURLINFO_EFFECTIVE_URL);
  copy.status = static_cast<std::uint32_t>(info_of<long>(curl, CURLINFO_RESPONSE_CODE));
  copy.redirects = static_cast<std::uint32_t>(info_of<long>(curl, CURLINFO_REDIRECT_COUNT));
  copy.server = text_of(curl, CURLINFO_PRIMARY_IP);
  copy.local = text_of(curl, CURLINFO_LOCAL_IP);
  copy.server_port = static_cast<std::uint16_t>(info_of<long>(curl, CURLINFO_PRIMARY_PORT));
  copy.local_port = static_cast<std::uint16_t>(info_of<long>(curl, CURLINFO_LOCAL_PORT));
  copy.http_version = version_words(info_of<long>(curl, CURLINFO_HTTP_VERSION));
  if (text_of(curl, CURLINFO_SCHEME) != "HTTPS") copy.tls_version.clear();
  copy.name_s = seconds_of(curl, CURLINFO_NAMELOOKUP_TIME_T);
  copy.connect_s = seconds_of(curl, CURLINFO_CONNECT_TIME_T);
  copy.first_byte_s = seconds_of(curl, CURLINFO_STARTTRANSFER_TIME_T);
  copy.total_s = seconds_of(curl, CURLINFO_TOTAL_TIME_T);
  const auto announced = info_of<curl_off_t>(curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T);
  if (announced >= 0) copy.announced_bytes = static_cast<std::uint64_t>(announced);
}

}  // namespace

Result<FetchedCopy> http_exchange(const HttpRequest& request, const HttpOptions& options) {
  if (const Result<void> loaded = load_libcurl(); !loaded) return std::unexpected(loaded.error());
  CurlHandle curl(libcurl().easy_init());
  if (!curl) return fail(ErrorKind::environment, "cannot start libcurl");
  Exchange exchange{request, options, curl.get()};
  exchange.copy.is_upload = static_cast<bool>(request.upload);
  const auto headers = header_list(request, options);
  set_connection(curl.get(), options);
  set_request(curl.get(), request);
  set_callbacks(curl.get(), exchange);
  set_option(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  const CURLcode code = libcurl().easy_perform(curl.get());
  fill_from_curl(curl.get(), exchange.copy);
  const CurlOutcome outcome{.code = code,
                            .detail = exchange.detail.data(),
                            .system_error = info_of<long>(curl.get(), CURLINFO_OS_ERRNO),
                            .was_connected = exchange.copy.connect_s > 0,
                            .had_answer = exchange.copy.status >= 200};
  // A connection that is still open is closed, and its account read, by the clean-up, which calls
  // back: so it must come before `exchange` ends.
  curl.reset();
  if (blames_caller(outcome)) {
    return fail(ErrorKind::usage, fmt::format("cannot fetch {}", request.url),
                exchange.detail[0] != '\0' ? exchange.detail.data() : libcurl().easy_strerror(code),
                "a URL is like http://host/path or https://host:8443/path");
  }
  settle_end(exchange.copy, outcome);
  return std::move(exchange.copy);
}

Result<HttpAuthority> http_authority(const std::string& url) {
  if (const Result<void> loaded = load_libcurl(); !loaded) return std::unexpected(loaded.error());
  const CurlLibrary& curl = libcurl();
  const std::unique_ptr<CURLU, CurlFree> parsed(curl.url());
  char* host = nullptr;
  char* port = nullptr;
  const bool read =
      parsed && curl.url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_GUESS_SCHEME) == 0 &&
      curl.url_get(parsed.get(), CURLUPART_HOST, &host, 0) == 0 &&
      curl.url_get(parsed.get(), CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == 0;
  HttpAuthority authority;
  if (read) {
    authority.host = host;
    authority.port = static_cast<std::uint16_t>(std::atoi(port));
    if (authority.host.starts_with('[')) {
      authority.host = authority.host.substr(1, authority.host.size() - 2);
    }
  }
  curl.free(host);
  curl.free(port);
  if (read) return authority;
  return fail(ErrorKind::usage, fmt::format("cannot fetch '{}'", url), "this is no HTTP URL",
              "a URL is like http://host/path or https://host:8443/path");
}

}  // namespace slowpath::probe
