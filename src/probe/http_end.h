// SPDX-License-Identifier: Apache-2.0
// What libcurl's result codes mean for a download, in the words of people. Internal to http.cc.
#pragma once

#include <curl/curl.h>

#include "facts/fetch.h"

namespace slowpath::probe {

/// What is known besides the code.
struct CurlOutcome {
  CURLcode code = CURLE_OK;
  const char* detail = "";  // CURLOPT_ERRORBUFFER
  long system_error = 0;    // errno of a connect that failed
  bool was_connected = false, had_answer = false;
};

/// Fills in `end` and `end_words`; the counts of the copy must be there already.
void settle_end(FetchedCopy& copy, const CurlOutcome& outcome);

/// Whether the code blames what the caller asked for (a URL that is none, a file of authorities
/// that cannot be read) and not the network.
bool blames_caller(const CurlOutcome& outcome);

}  // namespace slowpath::probe
