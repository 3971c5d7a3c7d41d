#pragma once

#include "support/machine.hpp"
#include "support/options.hpp"
#include "support/runner.hpp"

#include <fmt/core.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// Prints the tables of one program and keeps the score of its targets.
///
/// Two ratios stand in each line: of the medians, and, in brackets, the careful one, the baseline's
/// best sample over our median. A target is met when the careful ratio reaches it.
class Report {
public:
    explicit Report(std::string_view machine) {
        fmt::print("{}\n", machine);
        fmt::print(
            "ratio: median / median (baseline's best / our median); a target is met by the "
            "ratio in brackets\n");
    }

    /// The first contender is ours, the others are baselines.
    void compare(std::string_view title,
                 std::string_view unit,
                 const std::vector<Contender>& contenders) {
        const Contender& ours = contenders.front();
        fmt::print("\n{} [{}, median/best]\n", title, unit);
        for (const Contender& one : contenders) {
            fmt::print("  {:<46}{:>11}", one.name,
                       fmt::format("{}/{}", figure(one.median()), figure(one.best())));
            if (&one != &ours) print_ratio(one, ours);
            fmt::print("\n");
        }
        std::fflush(stdout);
    }

    /// A figure of ours that has a limit of its own. \param most, aim  none where negative
    void limit(
        std::string_view name, double value, std::string_view unit, double most, double aim) {
        fmt::print("  {:<46}{:>11} {}", name, figure(value), unit);
        if (most >= 0) {
            const std::string_view verdict = count(value <= most, value <= most, value <= aim);
            fmt::print("   at most {}, aim {}: {}", figure(most), figure(aim), verdict);
        }
        fmt::print("\n");
        std::fflush(stdout);
    }

    void heading(std::string_view title) { fmt::print("\n{}\n", title); }

    /// The score. \return the program's exit status: a missed target is a finding, not a failure
    int finish() const {
        if (met_ + close_ + missed_ > 0)
            fmt::print(
                "\ntargets: {} met ({} of them with the aim), {} by the medians only, "
                "{} missed\n",
                met_, aimed_, close_, missed_);
        return 0;
    }

private:
    void print_ratio(const Contender& other, const Contender& ours) {
        const double ratio = other.median() / ours.median();
        const double careful = other.best() / ours.median();
        fmt::print("{:>20}", fmt::format("{}x ({}x)", figure(ratio), figure(careful)));
        const Target& target = other.target;
        if (target.at_least <= 0) return;
        const std::string_view verdict =
            count(careful >= target.at_least, ratio >= target.at_least, ratio >= target.aim);
        fmt::print("   at least {}x, aim {}x: {}", figure(target.at_least), figure(target.aim),
                   verdict);
    }

    std::string_view count(bool careful, bool median, bool aim) {
        if (!careful) {
            ++(median ? close_ : missed_);
            return median ? "by the medians only" : "MISSED";
        }
        ++met_;
        aimed_ += aim ? 1 : 0;
        return aim ? "met, and the aim" : "met";
    }

    [[nodiscard]] static std::string figure(double value) {
        if (value != 0 && value < 1) return fmt::format("{:.3f}", value);
        if (value < 10 && value != static_cast<int>(value)) return fmt::format("{:.1f}", value);
        return fmt::format("{:.0f}", value);
    }

    int met_ = 0;
    int aimed_ = 0;
    int close_ = 0;
    int missed_ = 0;
};

} // namespace bench
