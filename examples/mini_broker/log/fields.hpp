#pragma once

#include <boost/endian/conversion.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace mini_broker {

/// Appends a number in big-endian order.
template <class T>
void put_field(std::string& into, T value) {
    const T big = boost::endian::native_to_big(value);
    into.append(reinterpret_cast<const char*>(&big), sizeof big);
}

/// Takes numbers off the front of what may be anything; once one is missing, all are, and are 0.
class FieldTaker {
public:
    explicit FieldTaker(std::string_view bytes) noexcept : left_(bytes) {}

    template <class T>
    T take() noexcept {
        T big{};
        const std::string_view field = take_bytes(sizeof big);
        if (field.empty()) return T{};
        std::copy(field.begin(), field.end(), reinterpret_cast<char*>(&big));
        return boost::endian::big_to_native(big);
    }

    std::string_view take_bytes(std::size_t size) noexcept {
        if (left_.size() < size) {
            whole_ = false;
            left_ = {};
            return {};
        }
        const std::string_view taken = left_.substr(0, size);
        left_.remove_prefix(size);
        return taken;
    }

    [[nodiscard]] std::string_view rest() const noexcept { return left_; }
    /// Nothing was missing so far.
    [[nodiscard]] bool whole() const noexcept { return whole_; }
    /// Nothing was missing, and nothing is left over.
    [[nodiscard]] bool at_end() const noexcept { return whole_ && left_.empty(); }

private:
    std::string_view left_;
    bool whole_ = true;
};

} // namespace mini_broker
