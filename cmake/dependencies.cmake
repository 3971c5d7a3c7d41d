# A parent project may bring these targets by itself; what it brings is taken as it is.
if(NOT TARGET Threads::Threads)
    find_package(Threads REQUIRED)
endif()
if(NOT TARGET fmt::fmt)
    find_package(fmt 9 CONFIG REQUIRED)
endif()
if(NOT TARGET Boost::headers)
    find_package(Boost 1.74 CONFIG REQUIRED)
endif()

# What a parent builds itself is in no export set as a rule, and CMake then refuses to export what
# links it. It does not look into a generator expression; whoever uses the exported file does.
set(INSYNC_DEPENDENCIES "")
foreach(dependency IN ITEMS fmt::fmt Boost::headers Threads::Threads)
    get_target_property(imported ${dependency} IMPORTED)
    if(NOT imported)
        set(dependency "$<1:${dependency}>")
    endif()
    list(APPEND INSYNC_DEPENDENCIES ${dependency})
endforeach()
