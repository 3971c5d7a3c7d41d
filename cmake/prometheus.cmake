# The target insync::prometheus: our headers over prometheus-cpp. Included when the option asks for
# it, and by the tests when prometheus-cpp happens to be there.
if(NOT TARGET prometheus-cpp::core)
    find_package(prometheus-cpp CONFIG REQUIRED)
endif()

add_library(insync_prometheus INTERFACE)
add_library(insync::prometheus ALIAS insync_prometheus)
set_target_properties(insync_prometheus PROPERTIES EXPORT_NAME prometheus)
target_link_libraries(insync_prometheus INTERFACE insync::insync prometheus-cpp::core)
target_sources(
    insync_prometheus
    INTERFACE
        FILE_SET HEADERS
        BASE_DIRS "${PROJECT_SOURCE_DIR}/include"
        FILES ${INSYNC_PROMETHEUS_HEADERS}
)
