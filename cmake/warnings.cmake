# For our own targets only: a consumer of insync::insync inherits no flags.
include_guard(GLOBAL)

add_library(insync_warnings INTERFACE)
target_compile_options(
    insync_warnings
    INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow $<$<BOOL:${INSYNC_WERROR}>:-Werror>
)
