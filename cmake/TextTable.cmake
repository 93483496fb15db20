# SPDX-License-Identifier: Apache-2.0
# slowpath_text_table(TARGET)
# Writes text_table.cc: slowpath::machine::text::all_recognisers() names every
# src/machine/text/recognise_*.cc in the order of their names. Each file recognise_foo.cc defines
# slowpath::machine::text::recognisers::foo.
function(slowpath_text_table target)
  file(GLOB files CONFIGURE_DEPENDS src/machine/text/recognise_*.cc)
  list(SORT files)
  set(TEXT_DECLARATIONS "")
  set(TEXT_ENTRIES "")
  foreach(file IN LISTS files)
    cmake_path(GET file STEM name)
    string(REGEX REPLACE "^recognise_" "" name ${name})
    string(APPEND TEXT_DECLARATIONS "extern const Recogniser ${name};\n")
    string(APPEND TEXT_ENTRIES "    &recognisers::${name},\n")
  endforeach()
  configure_file(${CMAKE_SOURCE_DIR}/cmake/text_table.cc.in
    ${CMAKE_BINARY_DIR}/generated/machine/text_table.cc @ONLY)
  target_sources(${target} PRIVATE ${CMAKE_BINARY_DIR}/generated/machine/text_table.cc)
endfunction()
