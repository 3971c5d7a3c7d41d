import os
import re

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy, load
from conan.tools.layout import basic_layout
from conan.tools.scm import Version

required_conan_version = ">=2.4"


class InsyncConan(ConanFile):
    name = "insync"
    description = "In-sync-replica tracking for Kafka-like brokers on Raft"
    license = "MIT"
    topics = ("replication", "in-sync-replicas", "raft", "kafka", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"with_prometheus": [True, False]}
    default_options = {"with_prometheus": False}
    no_copy_source = True

    # The oldest that the headers were ever compiled with.
    oldest_compilers = {"gcc": "11", "clang": "13"}

    def set_version(self):
        header = os.path.join(self.recipe_folder, "../../include/insync/version.hpp")
        self.version = ".".join(
            re.findall(r"INSYNC_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", load(self, header))
        )

    def export_sources(self):
        project = os.path.join(self.recipe_folder, "../..")
        copy(self, "LICENSE", project, self.export_sources_folder)
        copy(self, "include/*", project, self.export_sources_folder)

    def layout(self):
        basic_layout(self)

    def requirements(self):
        self.requires("fmt/[>=9 <13]")
        self.requires("boost/[>=1.74 <2]")
        if self.options.with_prometheus:
            self.requires("prometheus-cpp/[>=1.0.1 <2]")

    def package_id(self):
        self.info.clear()  # the same headers for all settings and options

    def validate(self):
        check_min_cppstd(self, 20)
        compiler = str(self.settings.compiler)
        oldest = self.oldest_compilers.get(compiler)
        if oldest and Version(self.settings.compiler.version) < oldest:
            raise ConanInvalidConfiguration(
                f"insync needs {compiler} {oldest}, and this is {self.settings.compiler.version}"
            )

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        copy(self, "include/*", self.source_folder, self.package_folder)

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "insync")
        # The target of all components together. By default it would bear the core's name, and who
        # links the core would link every adapter.
        self.cpp_info.set_property("cmake_target_name", "insync::all")
        self.cpp_info.set_property("pkg_config_name", "insync-all")

        core = self.cpp_info.components["core"]
        core.set_property("cmake_target_name", "insync::insync")
        core.set_property("pkg_config_name", "insync")
        core.requires = ["fmt::fmt", "boost::headers"]
        if self.settings.os in ("Linux", "FreeBSD"):
            core.system_libs = ["pthread"]
        components = [core]

        if self.options.with_prometheus:
            prometheus = self.cpp_info.components["prometheus"]
            prometheus.set_property("cmake_target_name", "insync::prometheus")
            prometheus.set_property("pkg_config_name", "insync-prometheus")
            prometheus.requires = ["core", "prometheus-cpp::prometheus-cpp-core"]
            components.append(prometheus)

        for component in components:
            component.bindirs = []
            component.libdirs = []
