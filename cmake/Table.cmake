# SPDX-License-Identifier: Apache-2.0
# slowpath_table(TARGET OUTPUT TYPE SPACE PREFIX GLOB...)
# Writes generated/OUTPUT.cc from cmake/<name of OUTPUT>.cc.in: a table that names every file of the
# globs, in the order of their names with - for _. Each file foo_bar.cc (PREFIXfoo_bar.cc) defines
# `const TYPE SPACE::foo_bar`. So there is no registry to edit, and no static initialiser that a static
# library could drop.
function(slowpath_table target output type space prefix)
  file(GLOB files CONFIGURE_DEPENDS ${ARGN})
  set(ids "")
  foreach(file IN LISTS files)
    cmake_path(GET file STEM name)
    string(LENGTH "${prefix}" skipped)
    string(SUBSTRING ${name} ${skipped} -1 name)
    string(REPLACE _ - id ${name})
    list(APPEND ids ${id})
  endforeach()
  list(SORT ids)
  set(DECLARATIONS "")
  set(ENTRIES "")
  foreach(id IN LISTS ids)
    string(REPLACE - _ name ${id})
    string(APPEND DECLARATIONS "extern const ${type} ${name};\n")
    string(APPEND ENTRIES "    &${space}::${name},\n")
  endforeach()
  cmake_path(GET output FILENAME template)
  configure_file(${CMAKE_SOURCE_DIR}/cmake/${template}.cc.in
    ${CMAKE_BINARY_DIR}/generated/${output}.cc @ONLY)
  target_sources(${target} PRIVATE ${CMAKE_BINARY_DIR}/generated/${output}.cc)
endfunction()
