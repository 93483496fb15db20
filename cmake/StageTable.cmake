# SPDX-License-Identifier: Apache-2.0
# slowpath_stage_table(TARGET)
# Writes stage_table.cc: slowpath::lab::all_stage_kinds() names every file of src/lab/nic, middlebox and
# path. Each file foo_bar.cc defines slowpath::lab::stages::foo_bar.
function(slowpath_stage_table target)
  file(GLOB files CONFIGURE_DEPENDS
    src/lab/nic/*.cc src/lab/middlebox/*.cc src/lab/path/*.cc)
  set(names "")
  foreach(file IN LISTS files)
    cmake_path(GET file STEM name)
    list(APPEND names ${name})
  endforeach()
  list(SORT names)
  set(STAGE_DECLARATIONS "")
  set(STAGE_ENTRIES "")
  foreach(name IN LISTS names)
    string(APPEND STAGE_DECLARATIONS "extern const StageKind ${name};\n")
    string(APPEND STAGE_ENTRIES "      &stages::${name},\n")
  endforeach()
  configure_file(${CMAKE_SOURCE_DIR}/cmake/stage_table.cc.in
    ${CMAKE_BINARY_DIR}/generated/lab/stage_table.cc @ONLY)
  target_sources(${target} PRIVATE ${CMAKE_BINARY_DIR}/generated/lab/stage_table.cc)
endfunction()
