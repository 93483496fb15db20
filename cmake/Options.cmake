# SPDX-License-Identifier: Apache-2.0
# The switches that presets set, and the compile options that every target of ours shares.
option(BUILD_TESTING "build the tests" OFF)
option(SLOWPATH_WERROR "warnings are errors" OFF)
option(SLOWPATH_ASSERTIONS "libstdc++'s own assertions" OFF)
option(SLOWPATH_LTO "link-time optimisation" OFF)
option(SLOWPATH_LIBFUZZER "fuzz targets with clang's libFuzzer" OFF)
option(SLOWPATH_COVERAGE "count executed lines" OFF)
set(SLOWPATH_SANITIZE "" CACHE STRING "sanitizers, as in -fsanitize=")

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ${SLOWPATH_LTO})

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # What ccache asks for where g++ precompiles headers; nothing here depends on __TIME__.
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE_PROGRAM})
endif()

# Dozens of programs, each with all rooms in it: gold links them in half the time of bfd. It comes with binutils.
find_program(SLOWPATH_GOLD ld.gold)
if(SLOWPATH_GOLD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT SLOWPATH_LTO)
  add_link_options(-fuse-ld=gold)
endif()

add_library(slowpath_options INTERFACE)
target_include_directories(slowpath_options
  INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_BINARY_DIR}/generated)
target_compile_options(slowpath_options INTERFACE -Wall -Wextra -Wshadow -Wconversion)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  # g++'s -Wconversion leaves signs out; both compilers shall say the same.
  target_compile_options(slowpath_options INTERFACE -Wno-sign-conversion)
  # & of two comparisons is meant where a branch for each would cost more; the other one is about
  # g++ 12's own stable_sort.
  target_compile_options(slowpath_options INTERFACE
    -Wno-bitwise-instead-of-logical -Wno-deprecated-declarations)
endif()
if(SLOWPATH_WERROR)
  target_compile_options(slowpath_options INTERFACE -Werror)
endif()
if(SLOWPATH_ASSERTIONS)
  target_compile_definitions(slowpath_options INTERFACE _GLIBCXX_ASSERTIONS)
endif()
if(SLOWPATH_SANITIZE)
  set(sanitize -fsanitize=${SLOWPATH_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_options(slowpath_options INTERFACE ${sanitize})
  if(SLOWPATH_SANITIZE MATCHES undefined)
    # A check at every member access, a seventh of the build: a null one crashes into AddressSanitizer anyway.
    target_compile_options(slowpath_options INTERFACE -fno-sanitize=null,vptr)
  endif()
  # Under sanitizers g++ 12 warns of overflows that it made itself (gcc.gnu.org/PR105329 and kin); the plain builds keep
  # the warning on.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(slowpath_options INTERFACE -Wno-stringop-overflow -Wno-array-bounds)
  endif()
  target_link_options(slowpath_options INTERFACE ${sanitize})
  # Each test is a process of its own. Where it is loaded at a place of chance, half its start is spent on the nine hundred
  # thousand addresses that the sanitizers leave to be moved. ThreadSanitizer wants the place it is given.
  if(SLOWPATH_SANITIZE MATCHES address)
    target_link_options(slowpath_options INTERFACE -no-pie)
  endif()
endif()
if(SLOWPATH_LIBFUZZER)
  target_compile_options(slowpath_options INTERFACE -fsanitize=fuzzer-no-link)
  # libFuzzer keeps the input of a crash, not that of a program that exits.
  target_compile_definitions(slowpath_options INTERFACE SLOWPATH_ASSERT_ABORTS)
endif()
if(SLOWPATH_COVERAGE)
  target_compile_options(slowpath_options INTERFACE --coverage)
  target_link_options(slowpath_options INTERFACE --coverage)
endif()

# Of the libraries' headers, what most files include: read once, not a thousand times, which was a third of a build. Each
# file names its own all the same: clang, which tidies and fuzzes, compiles without.
set(SLOWPATH_COMMON_HEADERS
  <algorithm> <array> <chrono> <cmath> <cstdint> <cstring> <expected> <functional> <map> <memory> <optional> <set> <span>
  <string> <string_view> <utility> <vector> <fmt/format.h>)
# slowpath_precompile(TARGET FROM [HEADERS...]): TARGET compiles with the headers of FROM, which has the same options and
# precompiled them; TARGET itself does if it is FROM.
function(slowpath_precompile target from)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    return()
  endif()
  if(target STREQUAL from)
    target_precompile_headers(${target} PRIVATE ${SLOWPATH_COMMON_HEADERS} ${ARGN})
  else()
    target_precompile_headers(${target} REUSE_FROM ${from})
  endif()
  if(CCACHE_PROGRAM)
    target_compile_options(${target} PRIVATE -fpch-preprocess)
  endif()
endfunction()
