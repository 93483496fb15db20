// SPDX-License-Identifier: Apache-2.0
#include "base/shared_library.h"

#include <dlfcn.h>

namespace slowpath {

Result<SharedLibrary> SharedLibrary::load(std::span<const char* const> names,
                                          const std::string& attempt, const std::string& package) {
  std::string why;
  for (const char* name : names) {
    if (void* const handle = dlopen(name, RTLD_NOW | RTLD_LOCAL)) return SharedLibrary(handle);
    if (why.empty()) why = dlerror();
  }
  return fail(ErrorKind::environment, attempt, why, "install " + package);
}

void* SharedLibrary::find(const char* name) const { return dlsym(handle_, name); }

}  // namespace slowpath
