// SPDX-License-Identifier: Apache-2.0
// libcurl's functions, loaded when something is fetched first. Internal to http.cc and its parts.
#pragma once

#include <curl/curl.h>

#include "base/result.h"

namespace slowpath::probe {

/// By their own names, less "curl_".
struct CurlLibrary {
  decltype(&curl_global_init) global_init = nullptr;
  decltype(&curl_easy_init) easy_init = nullptr;
  decltype(&curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&curl_easy_setopt) easy_setopt = nullptr;
  decltype(&curl_easy_getinfo) easy_getinfo = nullptr;
  decltype(&curl_easy_perform) easy_perform = nullptr;
  decltype(&curl_easy_strerror) easy_strerror = nullptr;
  decltype(&curl_slist_append) slist_append = nullptr;
  decltype(&curl_slist_free_all) slist_free_all = nullptr;
  decltype(&curl_url) url = nullptr;
  decltype(&curl_url_cleanup) url_cleanup = nullptr;
  decltype(&curl_url_get) url_get = nullptr;
  decltype(&curl_url_set) url_set = nullptr;
  decltype(&curl_free) free = nullptr;
};

/// Loads and starts it; tried once, every call tells what came of it. Error (environment): it is
/// missing, lacks a function, or does not start. To be called before libcurl().
Result<void> load_libcurl();

/// Its functions, once load_libcurl() has succeeded.
const CurlLibrary& libcurl();

template <typename T>
void set_option(CURL* curl, CURLoption option, T value) {
  libcurl().easy_setopt(curl, option, value);
}

}  // namespace slowpath::probe
