// SPDX-License-Identifier: Apache-2.0
// From our options to libcurl's. Internal to http.cc.
#pragma once

#include <memory>

#include "probe/curl_library.h"
#include "probe/http.h"

namespace slowpath::probe {

struct CurlFree {
  void operator()(CURL* curl) const { libcurl().easy_cleanup(curl); }
  void operator()(curl_slist* list) const { libcurl().slist_free_all(list); }
  void operator()(CURLU* url) const { libcurl().url_cleanup(url); }
};
using CurlHeaders = std::unique_ptr<curl_slist, CurlFree>;

/// How to reach a server: a connection of its own for every request.
void set_connection(CURL* curl, const HttpOptions& options);
/// What to ask for.
void set_request(CURL* curl, const HttpRequest& request);
/// The header fields of the request; must outlive it.
CurlHeaders header_list(const HttpRequest& request, const HttpOptions& options);

}  // namespace slowpath::probe
