# cmake -D source_dir=DIR -P check_list.cmake
# Fails unless cmake/headers.cmake lists exactly the headers that stand in include/.
include("${source_dir}/cmake/headers.cmake")
set(listed ${INSYNC_HEADERS} ${INSYNC_PROMETHEUS_HEADERS})
file(GLOB_RECURSE present RELATIVE "${source_dir}" "${source_dir}/include/*")

set(unlisted ${present})
list(REMOVE_ITEM unlisted ${listed})
set(absent ${listed})
list(REMOVE_ITEM absent ${present})
if(unlisted OR absent)
    message(
        FATAL_ERROR
        "cmake/headers.cmake differs from include/\n"
        "  not listed: ${unlisted}\n"
        "  not there: ${absent}"
    )
endif()
list(LENGTH listed count)
message(STATUS "${count} headers listed, as they stand in include/")
