#include "cluster/cbor.hpp"

#include <cstddef>
#include <string>

namespace mini_broker {
namespace {

using nlohmann::json;

/// Walks what is to be read before memory is spent on it. False ends the walk.
class Walk : public json::json_sax_t {
public:
    bool null() override { return true; }
    bool boolean(bool /*value*/) override { return true; }
    bool number_integer(number_integer_t /*value*/) override { return true; }
    bool number_unsigned(number_unsigned_t /*value*/) override { return true; }
    // There are none, and to take one for a whole number may be undefined.
    bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return false; }
    bool string(string_t& /*value*/) override { return true; }
    bool binary(binary_t& /*value*/) override { return true; }
    bool start_object(std::size_t /*elements*/) override { return enter(); }
    bool key(string_t& /*value*/) override { return true; }
    bool end_object() override { return leave(); }
    bool start_array(std::size_t /*elements*/) override { return enter(); }
    bool end_array() override { return leave(); }
    bool parse_error(std::size_t /*at*/,
                     const std::string& /*token*/,
                     const json::exception& /*why*/) override {
        return false;
    }

private:
    bool enter() noexcept { return ++depth_ <= kDeepest; }
    bool leave() noexcept {
        --depth_;
        return true;
    }

    static constexpr int kDeepest = 16;
    int depth_ = 0;
};

} // namespace

std::optional<json> parse_cbor(std::string_view bytes) {
    Walk walk;
    if (!json::sax_parse(bytes, &walk, json::input_format_t::cbor)) return std::nullopt;
    json parsed = json::from_cbor(bytes, true, false);
    if (parsed.is_discarded()) return std::nullopt;
    return parsed;
}

} // namespace mini_broker
