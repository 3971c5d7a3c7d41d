# cmake -P check_installed.cmake DIRECTORY: fails unless the broker alone was installed there.
file(GLOB_RECURSE installed RELATIVE "${CMAKE_CURRENT_BINARY_DIR}/${CMAKE_ARGV3}"
     "${CMAKE_ARGV3}/*"
)
if(NOT installed STREQUAL "bin/broker")
    message(FATAL_ERROR "installed with the broker: ${installed}")
endif()
