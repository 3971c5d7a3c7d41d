#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

namespace bench {

/// What maps of partitions are usually keyed by.
struct Key {
    std::string topic;
    std::int32_t partition = 0;

    friend bool operator==(const Key&, const Key&) = default;
};

/// The standard library's hash of the name, mixed with the number.
struct StdKeyHash {
    std::size_t operator()(const Key& key) const {
        const std::size_t name = std::hash<std::string>{}(key.topic);
        const std::size_t number = static_cast<std::uint32_t>(key.partition);
        return name ^ (number + 0x9e3779b97f4a7c15u + (name << 6) + (name >> 2));
    }
};

/// SipHash with one round a word and three at the end: what Rust's maps hash with by default.
class SipHash13 {
public:
    /// The bytes that Rust hashes for (String, i32): the name, an 0xff, the number.
    static std::uint64_t of(std::string_view name, std::int32_t number) {
        SipHash13 hash;
        const std::size_t whole = name.size() / 8 * 8;
        for (std::size_t i = 0; i < whole; i += 8) hash.word(load(name.data() + i, 8));

        char rest[16];
        std::size_t length = name.size() - whole;
        std::memcpy(rest, name.data() + whole, length);
        rest[length++] = static_cast<char>(0xff);
        std::memcpy(rest + length, &number, sizeof number);
        length += sizeof number;

        const std::size_t used = length >= 8 ? 8 : 0;
        if (used > 0) hash.word(load(rest, 8));
        const std::uint64_t total = name.size() + 1 + sizeof number;
        hash.word(total << 56 | load(rest + used, length - used));
        return hash.finish();
    }

private:
    static std::uint64_t load(const char* from, std::size_t bytes) {
        std::uint64_t value = 0;
        std::memcpy(&value, from, bytes);
        return value;
    }
    static std::uint64_t rotate(std::uint64_t value, int by) {
        return value << by | value >> (64 - by);
    }
    void word(std::uint64_t value) {
        d_ ^= value;
        round();
        a_ ^= value;
    }
    std::uint64_t finish() {
        c_ ^= 0xff;
        for (int i = 0; i < 3; ++i) round();
        return a_ ^ b_ ^ c_ ^ d_;
    }
    void round() {
        a_ += b_;
        b_ = rotate(b_, 13) ^ a_;
        a_ = rotate(a_, 32);
        c_ += d_;
        d_ = rotate(d_, 16) ^ c_;
        a_ += d_;
        d_ = rotate(d_, 21) ^ a_;
        c_ += b_;
        b_ = rotate(b_, 17) ^ c_;
        c_ = rotate(c_, 32);
    }

    // A random key in Rust; any will do here.
    static constexpr std::uint64_t kKey0 = 0x0706050403020100;
    static constexpr std::uint64_t kKey1 = 0x0f0e0d0c0b0a0908;
    std::uint64_t a_ = kKey0 ^ 0x736f6d6570736575;
    std::uint64_t b_ = kKey1 ^ 0x646f72616e646f6d;
    std::uint64_t c_ = kKey0 ^ 0x6c7967656e657261;
    std::uint64_t d_ = kKey1 ^ 0x7465646279746573;
};

} // namespace bench
