# SPDX-License-Identifier: Apache-2.0
# slowpath_room(NAME [ROOMS room...] [LIBRARIES target...])
# Makes slowpath_NAME of src/NAME/ and the folders in it. ROOMS are those it may include; LIBRARIES are third parties,
# which stay private to the room. A room of headers alone becomes an INTERFACE library.
function(slowpath_room name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "ROOMS;LIBRARIES")
  file(GLOB sources CONFIGURE_DEPENDS src/${name}/*.cc src/${name}/*/*.cc)
  if(name STREQUAL cli)
    list(FILTER sources EXCLUDE REGEX /main\\.cc$)
  endif()
  list(TRANSFORM arg_ROOMS PREPEND slowpath_)
  if(sources)
    add_library(slowpath_${name} STATIC ${sources})
    target_link_libraries(slowpath_${name}
      PUBLIC slowpath_options fmt::fmt ${arg_ROOMS} PRIVATE ${arg_LIBRARIES})
    # These two have options of their own with sanitizers, as CMakeLists.txt says.
    if(name STREQUAL report)
      slowpath_precompile(slowpath_report slowpath_report <nlohmann/json.hpp>)
    elseif(name STREQUAL cli)
      slowpath_precompile(slowpath_cli slowpath_cli)
    else()
      slowpath_precompile(slowpath_${name} slowpath_base)
    endif()
  else()
    add_library(slowpath_${name} INTERFACE)
    target_link_libraries(slowpath_${name} INTERFACE slowpath_options fmt::fmt ${arg_ROOMS})
  endif()
endfunction()
