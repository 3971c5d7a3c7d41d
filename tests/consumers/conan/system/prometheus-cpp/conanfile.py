from conan import ConanFile


class SystemPrometheusCpp(ConanFile):
    """Stands in for prometheus-cpp's package where the system has the library."""

    name = "prometheus-cpp"
    package_type = "shared-library"

    def package_info(self):
        core = self.cpp_info.components["prometheus-cpp-core"]
        core.set_property("cmake_target_name", "prometheus-cpp::core")
        core.includedirs = core.bindirs = core.libdirs = []
        core.system_libs = ["prometheus-cpp-core"]
