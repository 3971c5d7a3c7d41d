#pragma once

#include <fmt/core.h>

#include <cstdlib>
#include <string>
#include <string_view>

namespace bench {

/// What every benchmark program understands.
struct Options {
    bool quick = false; ///< a smoke run: small sizes, few samples, figures that mean nothing
    std::string filter; ///< only tables whose title contains this
    std::string count;  ///< instructions_bench runs itself with it; empty otherwise

    [[nodiscard]] bool wants(std::string_view title) const {
        return title.find(filter) != std::string_view::npos;
    }
    /// Samples a contender.
    [[nodiscard]] int rounds(int full) const { return quick ? 3 : full; }
};

/// Reads the command line; explains itself and ends the program where it cannot.
inline Options read_options(int argc, char** argv, std::string_view what) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument{argv[i]};
        const bool has_value = i + 1 < argc;
        if (argument == "--quick") {
            options.quick = true;
        } else if (argument == "--filter" && has_value) {
            options.filter = argv[++i];
        } else if (argument == "--count" && has_value) {
            options.count = argv[++i];
        } else {
            fmt::print(
                "{}\n\n  --quick         a smoke run; its figures mean nothing\n"
                "  --filter TEXT   only tables whose title contains TEXT\n",
                what);
            std::exit(argument == "--help" ? EXIT_SUCCESS : EXIT_FAILURE);
        }
    }
    return options;
}

} // namespace bench
