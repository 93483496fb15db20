// SPDX-License-Identifier: Apache-2.0
#include "probe/http_end.h"

#include <cstring>
#include <string_view>

#include <fmt/core.h>

#include "base/format.h"
#include "probe/curl_library.h"

namespace slowpath::probe {
namespace {

void end_with(FetchedCopy& copy, FetchEnd end, std::string words) {
  copy.end = end;
  copy.end_words = std::move(words);
}

std::string progress_of(const FetchedCopy& copy) {
  const std::string came = format_bytes(static_cast<double>(copy.bytes));
  if (!copy.announced_bytes) return came;
  return fmt::format("{} of {}", came, format_bytes(static_cast<double>(*copy.announced_bytes)));
}

/// OpenSSL's words for a record whose authentication fails (alert bad_record_mac, RFC 8446 section
/// 6.2).
bool is_damaged_record(std::string_view detail) {
  return detail.find("bad record mac") != std::string_view::npos ||
         detail.find("decryption failed") != std::string_view::npos;
}

void settle_status(FetchedCopy& copy) {
  if (copy.status >= 200 && copy.status < 300) return;
  std::string words = fmt::format("the server answered {}", copy.status);
  if (copy.status == 401 || copy.status == 407) words += " (wants a user: --user NAME:PASSWORD)";
  if (copy.status == 403) words += " (forbidden)";
  if (copy.status == 404) words += " (not found)";
  if (copy.status == 405 || copy.status == 501) words += " (does not take this method)";
  if (copy.status == 416) words += " (no such range)";
  end_with(copy, FetchEnd::status, std::move(words));
}

void settle_unconnected(FetchedCopy& copy, const CurlOutcome& outcome) {
  if (outcome.system_error == ECONNREFUSED) {
    end_with(copy, FetchEnd::refused, "the connection was refused");
  } else if (outcome.code == CURLE_OPERATION_TIMEDOUT) {
    end_with(copy, FetchEnd::unreachable, "nothing answered");
  } else if (outcome.system_error != 0) {
    end_with(copy, FetchEnd::unreachable, std::strerror(static_cast<int>(outcome.system_error)));
  } else {
    end_with(copy, FetchEnd::unreachable, outcome.detail);
  }
}

void settle_cut_off(FetchedCopy& copy, const CurlOutcome& outcome) {
  if (!outcome.had_answer) {
    end_with(copy, FetchEnd::protocol,
             outcome.code == CURLE_GOT_NOTHING ? "the server closed without an answer"
                                               : fmt::format("no answer: {}", outcome.detail));
    return;
  }
  const std::string_view why =
      outcome.code == CURLE_RECV_ERROR ? outcome.detail : "the server closed the connection";
  end_with(copy, FetchEnd::truncated, fmt::format("{} after {}", why, progress_of(copy)));
}

}  // namespace

bool blames_caller(const CurlOutcome& outcome) {
  // A connection was made: it is the answer, or a redirect, that is no HTTP.
  if (outcome.code == CURLE_UNSUPPORTED_PROTOCOL) return !outcome.was_connected;
  return outcome.code == CURLE_URL_MALFORMAT || outcome.code == CURLE_SSL_CACERT_BADFILE ||
         outcome.code == CURLE_BAD_FUNCTION_ARGUMENT;
}

void settle_end(FetchedCopy& copy, const CurlOutcome& outcome) {
  copy.end = FetchEnd::complete;
  // A server that refuses an upload may hang up before it has read it.
  constexpr std::uint32_t kFirstError = 400;
  if (copy.is_upload && copy.status >= kFirstError) return settle_status(copy);
  switch (outcome.code) {
    case CURLE_OK:
      return settle_status(copy);
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return end_with(copy, FetchEnd::no_name, outcome.detail);
    case CURLE_COULDNT_CONNECT:
      return settle_unconnected(copy, outcome);
    case CURLE_OPERATION_TIMEDOUT:
      if (!outcome.was_connected) return settle_unconnected(copy, outcome);
      return end_with(copy, FetchEnd::stalled,
                      fmt::format("nothing more came after {}", progress_of(copy)));
    case CURLE_ABORTED_BY_CALLBACK:
    case CURLE_WRITE_ERROR:
      return end_with(copy, FetchEnd::stopped, fmt::format("stopped after {}", progress_of(copy)));
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
      if (!is_damaged_record(outcome.detail)) {
        return end_with(copy, FetchEnd::certificate, outcome.detail);
      }
      [[fallthrough]];
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_HTTP2_STREAM:
      if (is_damaged_record(outcome.detail)) {
        return end_with(
            copy, FetchEnd::tls_damaged,
            fmt::format("a TLS record failed its authentication after {}", progress_of(copy)));
      }
      return settle_cut_off(copy, outcome);
    default:
      return end_with(
          copy, FetchEnd::protocol,
          *outcome.detail != '\0' ? outcome.detail : libcurl().easy_strerror(outcome.code));
  }
}

}  // namespace slowpath::probe
