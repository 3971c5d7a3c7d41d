#pragma once

/// The version, and the only place where it stands: CMake and the packages read it from here.
#define INSYNC_VERSION_MAJOR 0
#define INSYNC_VERSION_MINOR 1
#define INSYNC_VERSION_PATCH 0
