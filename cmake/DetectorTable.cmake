# SPDX-License-Identifier: Apache-2.0
# slowpath_detector_table(TARGET)
# Writes detector_table.cc: slowpath::detect::all_detectors() names every src/detect/detectors/*.cc in the
# order of their file names. Each file foo_bar.cc defines slowpath::detect::detectors::foo_bar. So there
# is no registry to edit, and no static initialiser that a static library could drop.
function(slowpath_detector_table target)
  file(GLOB files CONFIGURE_DEPENDS src/detect/detectors/*.cc)
  if(NOT files)
    return()
  endif()
  list(SORT files)
  set(declarations "")
  set(entries "")
  foreach(file IN LISTS files)
    cmake_path(GET file STEM name)
    string(APPEND declarations "extern const Detector ${name};\n")
    string(APPEND entries "    &detectors::${name},\n")
  endforeach()
  set(DETECTOR_DECLARATIONS "${declarations}")
  set(DETECTOR_ENTRIES "${entries}")
  configure_file(${CMAKE_SOURCE_DIR}/cmake/detector_table.cc.in
    ${CMAKE_BINARY_DIR}/generated/detect/detector_table.cc @ONLY)
  target_sources(${target} PRIVATE ${CMAKE_BINARY_DIR}/generated/detect/detector_table.cc)
endfunction()
