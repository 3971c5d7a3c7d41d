from conan import ConanFile


class SystemFmt(ConanFile):
    """Stands in for fmt's package where the system has fmt; the version is told at its creation."""

    name = "fmt"
    package_type = "header-library"

    def package_info(self):
        self.cpp_info.set_property("cmake_target_name", "fmt::fmt")
        self.cpp_info.includedirs = self.cpp_info.bindirs = self.cpp_info.libdirs = []
        self.cpp_info.defines = ["FMT_HEADER_ONLY"]
