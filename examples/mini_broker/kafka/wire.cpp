#include "kafka/wire.hpp"

namespace mini_broker::kafka {

namespace {

constexpr std::size_t kLongestPlain = std::numeric_limits<std::int16_t>::max();

void append_varint(std::string& out, std::uint32_t value) {
    while (value >= 0x80) {
        out.push_back(static_cast<char>(static_cast<unsigned char>(value | 0x80)));
        value >>= 7;
    }
    out.push_back(static_cast<char>(value));
}

} // namespace

void Reader::fail() noexcept {
    failed_ = true;
    rest_ = {};
}

std::string_view Reader::take(std::size_t size) noexcept {
    if (failed_ || size > rest_.size()) {
        fail();
        return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
}

std::uint32_t Reader::varint() noexcept {
    std::uint32_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        const auto byte = number<std::uint8_t>();
        if (shift == 28 && byte > 0x0f) break; // more than 32 bits, or no end after five bytes
        value |= std::uint32_t{byte & 0x7fu} << shift;
        if (byte < 0x80) return value;
    }
    fail();
    return 0;
}

std::int64_t Reader::length(Width plain) noexcept {
    std::int64_t value = 0;
    if (flexible())
        value = std::int64_t{varint()} - 1;
    else if (plain == Width::two)
        value = number<std::int16_t>();
    else
        value = number<std::int32_t>();
    if (value < -1) fail();
    return failed_ ? -1 : value;
}

bool Reader::claim(std::size_t count, std::size_t least, std::size_t memory) noexcept {
    if (count > rest_.size() / std::max<std::size_t>(least, 1) || count > budget_ / memory) {
        fail();
        return false;
    }
    elements_ += count;
    if (elements_ > kMostElements) {
        fail();
        return false;
    }
    budget_ -= count * memory;
    return true;
}

std::string_view Reader::take_text(std::size_t size) noexcept {
    if (size >= budget_) {
        fail();
        return {};
    }
    budget_ -= size + 1;
    return take(size);
}

std::optional<std::string_view> Reader::find_tag(std::optional<unsigned> tag) noexcept {
    const std::uint32_t count = varint();
    for (std::uint32_t i = 0; i < count && !failed_; ++i) {
        const std::uint32_t number = varint();
        const std::string_view value = take(varint());
        if (!failed_ && tag == number) return value;
    }
    return std::nullopt;
}

void Reader::field(Uuid& value) noexcept {
    const std::string_view bytes = take(value.size());
    std::copy(bytes.begin(), bytes.end(), value.begin());
}

void Reader::optional(std::optional<std::string>& value, bool may_be_null) {
    value.reset();
    const std::int64_t size = length(Width::two);
    if (size >= 0)
        value.emplace(take_text(static_cast<std::size_t>(size)));
    else if (!may_be_null)
        fail();
}

void Reader::bytes(std::optional<std::string_view>& value) noexcept {
    value.reset();
    const std::int64_t size = length(Width::four);
    if (size >= 0) value = take(static_cast<std::size_t>(size));
}

void Reader::bytes(std::string& value) {
    const std::int64_t size = length(Width::four);
    if (size >= 0)
        value = take_text(static_cast<std::size_t>(size));
    else
        fail();
}

void Writer::length(Width plain, std::int64_t value) {
    if (flexible())
        append_varint(*out_, static_cast<std::uint32_t>(value + 1));
    else if (plain == Width::two)
        number(static_cast<std::int16_t>(value));
    else
        number(static_cast<std::int32_t>(value));
}

void Writer::field(const std::string& value) {
    // Only a client's own invention can be longer than the plain form holds. It gets it back cut.
    const std::size_t size = flexible() ? value.size() : std::min(value.size(), kLongestPlain);
    length(Width::two, static_cast<std::int64_t>(size));
    out_->append(value, 0, size);
}

void Writer::optional(const std::optional<std::string>& value, bool may_be_null) {
    if (value)
        field(*value);
    else
        length(Width::two, may_be_null ? -1 : 0);
}

void Writer::bytes(const std::optional<std::string_view>& value) {
    length(Width::four, value ? static_cast<std::int64_t>(value->size()) : -1);
    if (value) out_->append(*value);
}

void Writer::add_tag(unsigned tag, std::string_view payload) {
    append_varint(tags_, tag);
    append_varint(tags_, static_cast<std::uint32_t>(payload.size()));
    tags_ += payload;
    ++tag_count_;
}

void Writer::end_tags() {
    append_varint(*out_, tag_count_);
    *out_ += tags_;
}

} // namespace mini_broker::kafka
