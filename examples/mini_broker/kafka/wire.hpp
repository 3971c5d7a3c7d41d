#pragma once

#include "kafka/uuid.hpp"

#include <boost/endian/conversion.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

// Kafka's way to put values into bytes. Each message and each part of one has a function
//
//     template <class Io> void fields(Io& io, Of<Io, TheMessage>& m);
//
// that names its fields in the order of the wire, tagged fields last. Whoever walks it is the
// decoder (`Reader`), the encoder (`Writer`), or a measure of how small it can be (`Smallest`).

namespace mini_broker::kafka {

template <class Io, class T>
using Of = std::conditional_t<Io::kWrites, const T, T>;

/// What depends on the version, the same for all that walk a message.
template <class Io>
class Walk {
public:
    Walk(int version, bool flexible) noexcept : version_(version), flexible_(flexible) {}

    [[nodiscard]] int version() const noexcept { return version_; }
    /// Lengths are compact, and every structure ends with tagged fields.
    [[nodiscard]] bool flexible() const noexcept { return flexible_; }

    /// Fields that every version has.
    template <class... T>
    void all(T&... values) {
        (self().field(values), ...);
    }
    /// Fields that are there from a version on, up to a version, or in between.
    template <class... T>
    void since(int first, T&... values) {
        if (version_ >= first) all(values...);
    }
    template <class... T>
    void until(int last, T&... values) {
        if (version_ <= last) all(values...);
    }
    template <class... T>
    void between(int first, int last, T&... values) {
        if (version_ >= first && version_ <= last) all(values...);
    }
    /// A field of every version that may be null from one on.
    template <class T>
    void null_since(int first, T& value) {
        self().optional(value, version_ >= first);
    }

private:
    Io& self() noexcept { return static_cast<Io&>(*this); }

    int version_;
    bool flexible_;
};

template <class T>
inline constexpr bool kIsNumber = std::is_integral_v<T> || std::is_enum_v<T>;

/// The least bytes that a value can take: what a count is checked against before it is believed.
class Smallest : public Walk<Smallest> {
public:
    static constexpr bool kWrites = true;
    using Walk::Walk;

    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

    template <class T>
    void field(const T&) {
        if constexpr (kIsNumber<T>)
            bytes_ += sizeof(T);
        else if constexpr (std::is_same_v<T, Uuid>)
            bytes_ += sizeof(Uuid);
        else if constexpr (std::is_same_v<T, std::string>)
            bytes_ += flexible() ? 1 : 2;
        else
            structure(T{});
    }
    template <class T>
    void field(const std::vector<T>&) {
        bytes(std::string_view{});
    }
    template <class T>
    void field(const std::optional<T>& value) {
        optional(value, true);
    }
    template <class T>
    void optional(const std::optional<T>&, bool) {
        if constexpr (std::is_same_v<T, std::string>)
            bytes_ += flexible() ? 1 : 2;
        else if constexpr (requires(const T& t) { t.size(); })
            bytes(std::string_view{});
        else
            bytes_ += 1;
    }
    template <class T>
    void bytes(const T&) noexcept {
        bytes_ += flexible() ? 1 : 4;
    }
    template <class T>
    void tagged(unsigned, int, const T&, const T& = {}) noexcept {}
    template <class T>
    void structure(const T& value) {
        fields(*this, value);
        if (flexible()) bytes_ += 1;
    }

private:
    std::size_t bytes_ = 0;
};

/// Reads from bytes that anyone may have sent. It never throws for what it finds there: the first
/// thing that is wrong makes it fail for good, and what it reads then is empty.
class Reader : public Walk<Reader> {
public:
    static constexpr bool kWrites = false;

    Reader(std::string_view bytes, int version, bool flexible) noexcept
        : Walk(version, flexible),
          rest_(bytes),
          budget_(kFreeBudget + kMostGrowth * bytes.size()) {}

    [[nodiscard]] bool ok() const noexcept { return !failed_; }
    /// What has not been read.
    [[nodiscard]] std::string_view rest() const noexcept { return rest_; }
    void fail() noexcept;

    template <class T>
    void field(T& value) {
        if constexpr (std::is_same_v<T, bool>)
            value = number<std::int8_t>() != 0;
        else if constexpr (std::is_enum_v<T>)
            value = static_cast<T>(number<std::underlying_type_t<T>>());
        else if constexpr (std::is_integral_v<T>)
            value = number<T>();
        else
            structure(value);
    }
    void field(Uuid& value) noexcept;
    void field(std::string& value) { required(value); }
    void field(std::optional<std::string>& value) { optional(value, true); }
    template <class T>
    void field(std::vector<T>& value) {
        required(value);
    }
    template <class T>
    void field(std::optional<T>& value) {
        optional(value, true);
    }
    void optional(std::optional<std::string>& value, bool may_be_null);
    template <class T>
    void optional(std::optional<std::vector<T>>& value, bool may_be_null);
    /// A part that a byte announces.
    template <class T>
    void optional(std::optional<T>& value, bool may_be_null);
    /// Bytes, or record batches: as a string on the wire, but longer.
    void bytes(std::string& value);
    void bytes(std::optional<std::string_view>& value) noexcept;
    /// To be named after all other fields, which is where they stand. Of two with the same tag the
    /// first counts.
    template <class T>
    void tagged(unsigned tag, int first_version, T& value, const T& = {});
    template <class T>
    void structure(T& value) {
        fields(*this, value);
        if (flexible()) skip_tags();
    }
    void skip_tags() noexcept { static_cast<void>(find_tag(std::nullopt)); }

private:
    // What a few bytes can make us allocate is bounded: an element may be larger in memory than on
    // the wire, but not without end.
    static constexpr std::size_t kFreeBudget = 64u << 10;
    static constexpr std::size_t kMostGrowth = 16;
    // Elements of all arrays of one message. Each costs a look-up or more, and part of an answer.
    static constexpr std::size_t kMostElements = 50'000;
    enum class Width : std::uint8_t { two, four };

    [[nodiscard]] std::string_view take(std::size_t size) noexcept;
    [[nodiscard]] std::uint32_t varint() noexcept;
    /// -1 for null; fails for anything below.
    [[nodiscard]] std::int64_t length(Width plain) noexcept;
    /// The section of tagged fields, which begins here: the value of one of them, if it is there.
    /// Without a tag, or when it is not there, moves behind the section.
    [[nodiscard]] std::optional<std::string_view> find_tag(std::optional<unsigned> tag) noexcept;
    [[nodiscard]] bool claim(std::size_t count, std::size_t least, std::size_t memory) noexcept;
    /// A string of that many bytes, which costs memory too.
    [[nodiscard]] std::string_view take_text(std::size_t size) noexcept;

    template <class T>
    [[nodiscard]] T number() noexcept {
        const std::string_view bytes = take(sizeof(T));
        if (bytes.empty()) return 0;
        return boost::endian::endian_load<T, sizeof(T), boost::endian::order::big>(
            reinterpret_cast<const unsigned char*>(bytes.data()));
    }
    template <class T>
    void required(T& value) {
        std::optional<T> read;
        optional(read, false);
        if (read) value = std::move(*read);
    }

    std::string_view rest_;
    std::size_t budget_;
    std::size_t elements_ = 0;
    bool failed_ = false;
};

template <class T>
void Reader::optional(std::optional<std::vector<T>>& value, bool may_be_null) {
    value.reset();
    const std::int64_t count = length(Width::four);
    if (count < 0) {
        if (!may_be_null) fail();
        return;
    }
    Smallest smallest(version(), flexible());
    smallest.field(T{});
    if (!claim(static_cast<std::size_t>(count), smallest.bytes(), sizeof(T))) return;
    value.emplace().resize(static_cast<std::size_t>(count));
    for (T& element : *value) {
        field(element);
        if (failed_) return;
    }
}

template <class T>
void Reader::optional(std::optional<T>& value, bool may_be_null) {
    value.reset();
    const auto there = number<std::int8_t>();
    if (there < 0) {
        if (!may_be_null) fail();
        return;
    }
    if (!failed_) structure(value.emplace());
}

template <class T>
void Reader::tagged(unsigned tag, int first_version, T& value, const T& /*missing*/) {
    if (!flexible() || version() < first_version) return;
    const std::string_view section = rest_;
    const auto found = find_tag(tag);
    if (found) {
        rest_ = *found;
        field(value);
    }
    if (!failed_) rest_ = section;
}

/// Appends to a string.
class Writer : public Walk<Writer> {
public:
    static constexpr bool kWrites = true;

    Writer(std::string& out, int version, bool flexible) noexcept
        : Walk(version, flexible), out_(&out) {}

    template <class T>
    void field(const T& value) {
        if constexpr (std::is_same_v<T, bool>)
            out_->push_back(value ? '\1' : '\0');
        else if constexpr (std::is_enum_v<T>)
            number(static_cast<std::underlying_type_t<T>>(value));
        else if constexpr (std::is_integral_v<T>)
            number(value);
        else
            structure(value);
    }
    void field(const Uuid& value) { out_->append(value.begin(), value.end()); }
    void field(const std::string& value);
    void field(const std::optional<std::string>& value) { optional(value, true); }
    template <class T>
    void field(const std::vector<T>& value) {
        length(Width::four, static_cast<std::int64_t>(value.size()));
        for (const T& element : value) field(element);
    }
    template <class T>
    void field(const std::optional<T>& value) {
        optional(value, true);
    }
    /// What may not be null is written empty.
    void optional(const std::optional<std::string>& value, bool may_be_null);
    template <class T>
    void optional(const std::optional<std::vector<T>>& value, bool may_be_null) {
        if (value)
            field(*value);
        else
            length(Width::four, may_be_null ? -1 : 0);
    }
    template <class T>
    void optional(const std::optional<T>& value, bool /*may_be_null*/) {
        number<std::int8_t>(value ? 1 : -1);
        if (value) structure(*value);
    }
    void bytes(const std::string& value) { bytes(std::optional<std::string_view>(value)); }
    void bytes(const std::optional<std::string_view>& value);
    /// In ascending order of tags. What is as if it were missing is left out.
    template <class T>
    void tagged(unsigned tag, int first_version, const T& value, const T& missing = {}) {
        if (!flexible() || version() < first_version || value == missing) return;
        std::string payload;
        Writer(payload, version(), true).field(value);
        add_tag(tag, payload);
    }
    template <class T>
    void structure(const T& value) {
        const unsigned outer_count = std::exchange(tag_count_, 0);
        std::string outer = std::exchange(tags_, {});
        fields(*this, value);
        if (flexible()) end_tags();
        tag_count_ = outer_count;
        tags_ = std::move(outer);
    }

private:
    enum class Width : std::uint8_t { two, four };

    template <class T>
    void number(T value) {
        unsigned char bytes[sizeof(T)];
        boost::endian::endian_store<T, sizeof(T), boost::endian::order::big>(bytes, value);
        out_->append(reinterpret_cast<const char*>(bytes), sizeof(T));
    }
    void length(Width plain, std::int64_t value);
    void add_tag(unsigned tag, std::string_view payload);
    void end_tags();

    std::string* out_;
    std::string tags_; // of the structure that is being written
    unsigned tag_count_ = 0;
};

} // namespace mini_broker::kafka
