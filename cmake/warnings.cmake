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

# For the public headers, which a host compiles with its own warnings: more than we ask of ourselves.
add_library(insync_header_warnings INTERFACE)
target_link_libraries(insync_header_warnings INTERFACE insync_warnings)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(
        insync_header_warnings
        INTERFACE
            -Wuseless-cast
            -Wold-style-cast
            -Wsign-conversion
            -Wnull-dereference
            -Wduplicated-cond
            -Wduplicated-branches
            -Wlogical-op
            -Wcast-align=strict
            -Wcast-qual
            -Wextra-semi
            -Wformat=2
            -Wnon-virtual-dtor
            -Woverloaded-virtual
            -Wredundant-decls
            -Wundef
            -Wzero-as-null-pointer-constant
    )
elseif(CMAKE_CXX_COMPILER_VERSION MATCHES "^19\\.") # other versions know other warnings
    target_compile_options(
        insync_header_warnings
        INTERFACE
            -Weverything
            -Wno-c++98-compat-pedantic # and all else that was not in an older C++
            -Wno-padded # what is small is small on purpose, and measured
            -Wno-unsafe-buffer-usage # it wants no pointers, and spans only of its own making
            -Wno-ctad-maybe-unsupported # std::lock_guard, by whose type no guide is written down
            -Wno-switch-default # the opposite, -Wcovered-switch-default, stays
    )
endif()
