from conan import ConanFile


class SystemBoost(ConanFile):
    """Stands in for Boost's package where the system has Boost's headers."""

    name = "boost"
    package_type = "header-library"

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "Boost")
        headers = self.cpp_info.components["headers"]
        headers.set_property("cmake_target_name", "Boost::headers")
        headers.includedirs = headers.bindirs = headers.libdirs = []
