include(CMakeFindDependencyMacro)
find_dependency(insync 0.1 CONFIG)
include("${CMAKE_CURRENT_LIST_DIR}/host-targets.cmake")
