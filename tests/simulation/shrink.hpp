#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace simulation {

using Tape = std::vector<std::uint8_t>;

/// A smaller tape that still fails, by `fails(const Tape&)`: pieces are left out, from halves down
/// to single bytes, then bytes are made 0, then less. Gives up after so many tries.
template <class Fails>
[[nodiscard]] Tape shrink(Tape tape, const Fails& fails, std::size_t tries = 3000) {
    const auto improves = [&](const Tape& candidate) {
        if (tries == 0) return false;
        --tries;
        return fails(candidate);
    };
    const auto edit_each = [&](const auto& edit) {
        bool improved = false;
        for (std::size_t at = 0; at < tape.size(); ++at) {
            Tape candidate = tape;
            candidate[at] = edit(candidate[at]);
            if (candidate[at] == tape[at] || !improves(candidate)) continue;
            tape = candidate;
            improved = true;
        }
        return improved;
    };
    for (bool improved = true; improved && tries > 0;) {
        improved = false;
        for (std::size_t size = std::max<std::size_t>(tape.size() / 2, 1); size > 0; size /= 2) {
            for (std::size_t at = 0; at < tape.size();) {
                Tape candidate = tape;
                const auto from = candidate.begin() + static_cast<std::ptrdiff_t>(at);
                const auto length = std::min(size, tape.size() - at);
                candidate.erase(from, from + static_cast<std::ptrdiff_t>(length));
                if (improves(candidate)) {
                    tape = candidate;
                    improved = true;
                } else {
                    at += size;
                }
            }
        }
        improved |= edit_each([](std::uint8_t) { return std::uint8_t{0}; });
        improved |=
            edit_each([](std::uint8_t byte) { return static_cast<std::uint8_t>(byte / 2); });
    }
    return tape;
}

} // namespace simulation
