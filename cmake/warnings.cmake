# For our own targets only: a consumer of insync::insync inherits no flags.
include_guard(GLOBAL)

add_library(insync_warnings INTERFACE)
target_compile_options(
    insync_warnings
    INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow $<$<BOOL:${INSYNC_WERROR}>:-Werror>
)
# GCC 14 takes what an empty std::optional does not hold for uninitialized when it is moved.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 13)
    target_compile_options(insync_warnings INTERFACE -Wno-maybe-uninitialized)
endif()
