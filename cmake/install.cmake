# The package, and its export sets. These are always there: a parent whose own export set has a
# target that links insync could not be generated otherwise.
include(CMakePackageConfigHelpers)

# As a part of another project we go where that installs to, and leave its cache alone.
if(PROJECT_IS_TOP_LEVEL)
    include(GNUInstallDirs)
endif()
if(NOT DEFINED CMAKE_INSTALL_INCLUDEDIR)
    set(CMAKE_INSTALL_INCLUDEDIR include)
endif()
if(NOT DEFINED CMAKE_INSTALL_DATADIR)
    set(CMAKE_INSTALL_DATADIR share)
endif()

# Without INSYNC_INSTALL only 'cmake --install BUILD --component insync_development' installs it.
set(unasked "")
if(NOT INSYNC_INSTALL)
    set(unasked EXCLUDE_FROM_ALL)
endif()

# Nothing here depends on the architecture, so the package goes to share/, not lib/<multiarch>/.
set(INSYNC_INSTALL_CMAKEDIR "${CMAKE_INSTALL_DATADIR}/cmake/insync"
    CACHE STRING "Where the CMake package is installed"
)
set(INSYNC_INSTALL_PKGCONFIGDIR "${CMAKE_INSTALL_DATADIR}/pkgconfig"
    CACHE STRING "Where insync.pc is installed"
)
mark_as_advanced(INSYNC_INSTALL_CMAKEDIR INSYNC_INSTALL_PKGCONFIGDIR)

# insync_install_exported(TARGET EXPORT): one export set for each target, so that a consumer loads,
# and has to satisfy the dependencies of, only what it asks for.
function(insync_install_exported target export)
    # CMake before 3.23 skips file sets when it reads the exported file; the include directory has
    # to be said once more for those consumers.
    install(
        TARGETS ${target}
        EXPORT ${export}
        FILE_SET HEADERS COMPONENT insync_development ${unasked}
        INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
    )
    install(
        EXPORT ${export}
        NAMESPACE insync::
        DESTINATION ${INSYNC_INSTALL_CMAKEDIR}
        COMPONENT insync_development
        ${unasked}
    )
    # For who uses the build tree: beside the configuration file, so that it is a package too.
    export(
        EXPORT ${export}
        NAMESPACE insync::
        FILE "${PROJECT_BINARY_DIR}/${export}.cmake"
    )
endfunction()

insync_install_exported(insync insync-targets)
if(INSYNC_WITH_PROMETHEUS)
    insync_install_exported(insync_prometheus insync-prometheus-targets)
endif()

configure_package_config_file(
    cmake/insync-config.cmake.in
    "${PROJECT_BINARY_DIR}/insync-config.cmake"
    INSTALL_DESTINATION ${INSYNC_INSTALL_CMAKEDIR}
    NO_SET_AND_CHECK_MACRO
)
# SameMajorVersion from 1.0 on. Without ARCH_INDEPENDENT a consumer of another word size is refused.
write_basic_package_version_file(
    "${PROJECT_BINARY_DIR}/insync-config-version.cmake"
    COMPATIBILITY SameMinorVersion
    ARCH_INDEPENDENT
)
install(
    FILES
        "${PROJECT_BINARY_DIR}/insync-config.cmake"
        "${PROJECT_BINARY_DIR}/insync-config-version.cmake"
    DESTINATION ${INSYNC_INSTALL_CMAKEDIR}
    COMPONENT insync_development
    ${unasked}
)

# Its include directory is told from where insync.pc stands, so that the whole tree can be moved.
# Boost has no .pc file to require.
cmake_path(
    ABSOLUTE_PATH CMAKE_INSTALL_INCLUDEDIR
    BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}"
    OUTPUT_VARIABLE insync_pc_includedir
)
cmake_path(
    RELATIVE_PATH insync_pc_includedir
    BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}/${INSYNC_INSTALL_PKGCONFIGDIR}"
)
configure_file(cmake/insync.pc.in "${PROJECT_BINARY_DIR}/insync.pc" @ONLY)
install(
    FILES "${PROJECT_BINARY_DIR}/insync.pc"
    DESTINATION ${INSYNC_INSTALL_PKGCONFIGDIR}
    COMPONENT insync_development
    ${unasked}
)
