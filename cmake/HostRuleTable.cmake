# SPDX-License-Identifier: Apache-2.0
# slowpath_host_rule_table(TARGET)
# Writes host_rule_table.cc: slowpath::detect::all_host_faults() names every src/detect/host/*.cc in the
# order of their ids. Each file foo_bar.cc defines slowpath::detect::host::foo_bar.
function(slowpath_host_rule_table target)
  file(GLOB files CONFIGURE_DEPENDS src/detect/host/*.cc)
  set(ids "")
  foreach(file IN LISTS files)
    cmake_path(GET file STEM name)
    string(REPLACE _ - id ${name})
    list(APPEND ids ${id})
  endforeach()
  list(SORT ids)
  set(HOST_RULE_DECLARATIONS "")
  set(HOST_RULE_ENTRIES "")
  foreach(id IN LISTS ids)
    string(REPLACE - _ name ${id})
    string(APPEND HOST_RULE_DECLARATIONS "extern const HostFault ${name};\n")
    string(APPEND HOST_RULE_ENTRIES "      &host::${name},\n")
  endforeach()
  configure_file(${CMAKE_SOURCE_DIR}/cmake/host_rule_table.cc.in
    ${CMAKE_BINARY_DIR}/generated/detect/host_rule_table.cc @ONLY)
  target_sources(${target} PRIVATE ${CMAKE_BINARY_DIR}/generated/detect/host_rule_table.cc)
endfunction()
