# SPDX-License-Identifier: Apache-2.0
# slowpath_scenario_table(TARGET)
# Writes scenario_table.cc: slowpath::lab::all_scenario_texts() carries every lab/scenarios/*.toml, so that the
# program needs no files beside it.
function(slowpath_scenario_table target)
  file(GLOB files CONFIGURE_DEPENDS lab/scenarios/*.toml)
  list(SORT files)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${files})
  set(SCENARIO_ENTRIES "")
  foreach(file IN LISTS files)
    cmake_path(GET file STEM name)
    file(READ ${file} text)
    string(APPEND SCENARIO_ENTRIES "      {\"${name}\", R\"toml(${text})toml\"},\n")
  endforeach()
  configure_file(${CMAKE_SOURCE_DIR}/cmake/scenario_table.cc.in
    ${CMAKE_BINARY_DIR}/generated/lab/scenario_table.cc @ONLY)
  target_sources(${target} PRIVATE ${CMAKE_BINARY_DIR}/generated/lab/scenario_table.cc)
endfunction()
