// SPDX-License-Identifier: Apache-2.0
#include "probe/curl_library.h"

#include <array>

#include "base/assert.h"
#include "base/shared_library.h"

namespace slowpath::probe {
namespace {

// The number changes with the ABI: it has been 4 since 2006.
constexpr std::array<const char*, 2> kNames{"libcurl.so.4", "libcurl-gnutls.so.4"};
constexpr const char* kAttempt = "cannot use libcurl";

bool find_functions(const SharedLibrary& library, CurlLibrary& curl) {
  return library.find("curl_global_init", curl.global_init) &&
         library.find("curl_easy_init", curl.easy_init) &&
         library.find("curl_easy_cleanup", curl.easy_cleanup) &&
         library.find("curl_easy_setopt", curl.easy_setopt) &&
         library.find("curl_easy_getinfo", curl.easy_getinfo) &&
         library.find("curl_easy_perform", curl.easy_perform) &&
         library.find("curl_easy_strerror", curl.easy_strerror) &&
         library.find("curl_slist_append", curl.slist_append) &&
         library.find("curl_slist_free_all", curl.slist_free_all) &&
         library.find("curl_url", curl.url) && library.find("curl_url_cleanup", curl.url_cleanup) &&
         library.find("curl_url_get", curl.url_get) && library.find("curl_url_set", curl.url_set) &&
         library.find("curl_free", curl.free);
}

Result<CurlLibrary> load() {
  const Result<SharedLibrary> library = SharedLibrary::load(kNames, kAttempt, "libcurl4");
  if (!library) return std::unexpected(library.error());
  CurlLibrary curl;
  if (!find_functions(*library, curl)) {
    return fail(ErrorKind::environment, kAttempt, "it is older than 7.62", "install a newer one");
  }
  if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    return fail(ErrorKind::environment, kAttempt, "it does not start");
  }
  return curl;
}

const Result<CurlLibrary>& loaded() {
  static const Result<CurlLibrary> library = load();
  return library;
}

}  // namespace

Result<void> load_libcurl() {
  if (!loaded()) return std::unexpected(loaded().error());
  return {};
}

const CurlLibrary& libcurl() {
  SLOWPATH_ASSERT(loaded().has_value());
  return *loaded();
}

}  // namespace slowpath::probe
