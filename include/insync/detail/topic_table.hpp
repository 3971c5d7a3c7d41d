#pragma once

#include <insync/detail/cell_arena.hpp>
#include <insync/detail/geometric_slab.hpp>
#include <insync/detail/name.hpp>
#include <insync/detail/reuse_guard.hpp>
#include <insync/types.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace insync::detail {

/// One topic, in one cache line: its name, and where the state words of its partitions are.
///
/// Partitions below `first_count` have their words side by side in `first`. Others are in segments
/// that double in size and never move: with b = bit_ceil(first_count), segment 0 covers [0, b) and
/// segment k covers [b << (k-1), b << k). The directory holds the segments' addresses.
///
/// A `Topic` is used again only for a topic with the same `first_count` and the same number of far
/// name words. So a reader that mixes fields of two uses still stays within what they point to.
struct alignas(64) Topic {
    static constexpr std::size_t kNearWords = NameWords::kNear;
    static constexpr std::uint32_t kNoLength = ~0u;

    std::atomic<std::uint32_t> length{kNoLength};
    std::atomic<std::uint32_t> first_count{0};
    /// The name's words, or in the first one the address of the run that holds more than three.
    std::array<Cell, kNearWords> name_words{};
    std::atomic<Cell*> first{nullptr};
    std::atomic<Cell*> directory{nullptr};
    // For writers only:
    std::uint32_t live = 0;
    std::uint32_t number = 0;
    Topic* next_spare = nullptr;

    [[nodiscard, gnu::always_inline]] bool is(const NameKey& key) const noexcept {
        if (length.load(std::memory_order_acquire) != key.text.size()) return false;
        return same_name(name_cells(key.text.size()), key);
    }
    [[nodiscard]] const Cell* name_cells(std::size_t name_length) const noexcept {
        return name_length <= 8 * kNearWords ? name_words.data() : far_name();
    }
    [[nodiscard]] Cell* far_name() const noexcept {
        const std::uint64_t address = name_words[0].load(std::memory_order_acquire);
        return reinterpret_cast<Cell*>(static_cast<std::uintptr_t>(address));
    }
    [[nodiscard]] std::string name() const {
        const auto size = length.load(std::memory_order_relaxed);
        return read_name(name_cells(size), size);
    }
};
static_assert(sizeof(Topic) == 64);

/// From (topic, partition) to the partition's state word, without a lock (S5).
///
/// Open addressing over pairs of words (hash, topic), at most a quarter full: a probe that fails is
/// a mispredicted branch. A removed topic leaves a tombstone; growth and clearing of tombstones
/// fill another array and then publish that.
///
/// Thread safety: `find` any thread, under `ReuseGuard::read`; all else one thread at a time.
class TopicTable {
public:
    static constexpr std::uint32_t kDefaultFirst = 8;

    TopicTable(ReuseGuard& guard, std::uint64_t seed) : guard_(guard), arena_(guard), seed_(seed) {
        publish(kSmallest);
    }
    TopicTable(const TopicTable&) = delete;
    TopicTable& operator=(const TopicTable&) = delete;

    /// The state word of a partition; null when its topic is unknown or has no room for it.
    /// Bounded: it looks at no more slots than the array has.
    [[nodiscard, gnu::always_inline]] Cell* find(std::string_view topic,
                                                 PartitionId partition) const noexcept {
        const Topic* const found = find_topic(topic);
        return found == nullptr ? nullptr : word_of(*found, static_cast<std::uint32_t>(partition));
    }

    [[nodiscard, gnu::always_inline]] const Topic* find_topic(
        std::string_view name) const noexcept {
        if (name.size() - 1 >= kMaxTopicLength) [[unlikely]]
            return nullptr; // empty or too long
        const NameKey key{name, seed_};
        const Cell* const slots = slots_.load(std::memory_order_acquire);
        // The array's own first word, so that both are of one array.
        const std::uint64_t mask = slots[0].load(std::memory_order_acquire);
        const Cell* const slot = slots + 2 + 2 * (key.hash & mask);
        if (slot[0].load(std::memory_order_acquire) == key.hash) [[likely]] {
            const Topic* const topic = from_cell(slot[1].load(std::memory_order_acquire));
            if (topic != nullptr && topic->is(key)) [[likely]]
                return topic;
        }
        return probe_on(slots, mask, name);
    }

    /// The topic with this name, made if there is none, with room for `expected` partitions side
    /// by side. Throws `std::bad_alloc`, and then nothing has changed.
    Topic& obtain(std::string_view name, std::uint32_t expected) {
        if (const Topic* const known = find_topic(name)) return *const_cast<Topic*>(known);
        if (4 * (used_ + 1) > capacity_)
            publish(4 * (live_ + 1) > capacity_ / 2 ? 2 * capacity_ : capacity_);
        const std::size_t words = far_words(name.size());
        Topic& topic = take_topic(expected, words);
        Cell* far_name = nullptr;
        try {
            if (words > 0) far_name = arena_.take(Kind::name, words);
            topic.first.store(arena_.take(Kind::state_words, expected), std::memory_order_release);
        } catch (...) {
            if (far_name != nullptr) arena_.give(far_name, Kind::name, words);
            put_aside(topic, expected, words);
            throw;
        }
        store_name(far_name != nullptr ? far_name : topic.name_words.data(), name);
        if (far_name != nullptr)
            topic.name_words[0].store(to_cell(far_name), std::memory_order_release);
        topic.directory.store(nullptr, std::memory_order_release);
        topic.live = 0;
        topic.length.store(static_cast<std::uint32_t>(name.size()), std::memory_order_release);
        insert(slots_.load(std::memory_order_relaxed), hash_of(name), topic);
        ++used_;
        ++live_;
        return topic;
    }

    /// The state word of a partition of `topic`, made if there is none. May throw as `obtain`.
    Cell* obtain_word(Topic& topic, std::uint32_t partition) {
        if (Cell* const word = word_of(topic, partition)) return word;
        const std::uint32_t base = base_of(topic.first_count.load(std::memory_order_relaxed));
        Cell* directory = topic.directory.load(std::memory_order_relaxed);
        if (directory == nullptr) {
            directory = arena_.take(Kind::directory, directory_size(base));
            topic.directory.store(directory, std::memory_order_release);
        }
        const unsigned segment = segment_of(partition, base);
        Cell* const words = arena_.take(Kind::state_words, segment_size(segment, base));
        directory[segment].store(to_cell(words), std::memory_order_release);
        return word_of(topic, partition);
    }

    /// Unlinks a topic whose last partition is gone, and takes back what it used. Its words are all
    /// absent, so handles into them answer false until they are used again for other partitions.
    void remove(Topic& topic) noexcept {
        unlink(topic);
        const std::size_t words = far_words(topic.length.load(std::memory_order_relaxed));
        const std::uint32_t first_count = topic.first_count.load(std::memory_order_relaxed);
        topic.length.store(Topic::kNoLength, std::memory_order_release);
        if (words > 0) arena_.give(topic.far_name(), Kind::name, words);
        arena_.give(topic.first.load(std::memory_order_relaxed), Kind::state_words, first_count);
        if (Cell* const directory = topic.directory.load(std::memory_order_relaxed))
            give_segments(directory, base_of(first_count));
        --live_;
        put_aside(topic, first_count, words);
    }

    [[nodiscard]] Topic& topic(std::uint32_t number) const noexcept { return topics_[number]; }

    /// The state word of a partition of a topic; null when there is no room for it.
    [[nodiscard]] static Cell* word_of(const Topic& topic, std::uint32_t partition) noexcept {
        const std::uint32_t first_count = topic.first_count.load(std::memory_order_acquire);
        if (partition < first_count) [[likely]]
            return topic.first.load(std::memory_order_acquire) + partition;
        return segment_word(topic, partition, first_count);
    }

private:
    using Kind = CellArena::Kind;
    static constexpr std::size_t kSmallest = 16;

    /// The probes after the first: another topic stands in the way, or there is no such topic.
    [[nodiscard, gnu::noinline]] const Topic* probe_on(const Cell* slots,
                                                       std::uint64_t mask,
                                                       std::string_view name) const noexcept {
        const NameKey key{name, seed_}; // made again: so the first try keeps its own in registers
        for (std::uint64_t i = 0; i <= mask; ++i) {
            const Cell* const slot = slots + 2 + 2 * ((key.hash + i) & mask);
            const std::uint64_t address = slot[1].load(std::memory_order_acquire);
            if (address == 0) return nullptr;
            if (slot[0].load(std::memory_order_acquire) != key.hash) continue;
            const Topic* const topic = from_cell(address);
            if (topic->is(key)) return topic;
        }
        return nullptr;
    }

    [[nodiscard]] std::uint64_t hash_of(std::string_view name) const noexcept {
        return NameKey{name, seed_}.hash;
    }
    [[nodiscard]] static std::uint64_t to_cell(const void* pointer) noexcept {
        return reinterpret_cast<std::uintptr_t>(pointer);
    }
    [[nodiscard]] static Topic* from_cell(std::uint64_t cell) noexcept {
        const std::uintptr_t address = cell; // no cast: most often it is one type
        return reinterpret_cast<Topic*>(address);
    }
    [[nodiscard]] static Cell* to_words(std::uint64_t cell) noexcept {
        const std::uintptr_t address = cell;
        return reinterpret_cast<Cell*>(address);
    }

    [[nodiscard, gnu::noinline]] static Cell* segment_word(const Topic& topic,
                                                           std::uint32_t partition,
                                                           std::uint32_t first_count) noexcept {
        const Cell* const directory = topic.directory.load(std::memory_order_acquire);
        if (directory == nullptr || partition > static_cast<std::uint32_t>(kMaxPartition))
            return nullptr;
        const std::uint32_t base = base_of(first_count);
        const unsigned segment = segment_of(partition, base);
        Cell* const words = to_words(directory[segment].load(std::memory_order_acquire));
        if (words == nullptr) return nullptr;
        return words + (segment == 0 ? partition : partition - (base << (segment - 1)));
    }

    [[nodiscard]] static std::uint32_t base_of(std::uint32_t first_count) noexcept {
        return std::bit_ceil(std::max(first_count, 1u));
    }
    [[nodiscard]] static unsigned segment_of(std::uint32_t partition, std::uint32_t base) noexcept {
        // Standard libraries differ in the type of std::bit_width, and one's cast is useless.
        return static_cast<unsigned>(32 - std::countl_zero(partition >> std::countr_zero(base)));
    }
    [[nodiscard]] static std::size_t segment_size(unsigned segment, std::uint32_t base) noexcept {
        return segment == 0 ? base : std::size_t{base} << (segment - 1);
    }
    [[nodiscard]] static std::size_t directory_size(std::uint32_t base) noexcept {
        return segment_of(static_cast<std::uint32_t>(kMaxPartition), base) + 1u;
    }

    /// Words of a name that does not fit into the `Topic` itself, else 0.
    [[nodiscard]] static std::size_t far_words(std::size_t name_length) noexcept {
        const std::size_t words = NameWords::count(name_length);
        return words > Topic::kNearWords ? words : 0;
    }

    Topic& take_topic(std::uint32_t first_count, std::size_t words) {
        Topic*& spare = spare_[{first_count, words}];
        if (spare != nullptr && guard_.may_reuse()) {
            Topic& topic = *spare;
            spare = topic.next_spare;
            return topic;
        }
        if (!topics_.reserve(topic_count_)) throw std::bad_alloc{};
        Topic& topic = *new (&topics_[topic_count_]) Topic{};
        topic.number = topic_count_++;
        topic.first_count.store(first_count, std::memory_order_release);
        return topic;
    }

    void put_aside(Topic& topic, std::uint32_t first_count, std::size_t words) noexcept {
        Topic*& spare = spare_.find({first_count, words})->second;
        topic.next_spare = spare;
        spare = &topic;
    }

    void give_segments(Cell* directory, std::uint32_t base) noexcept {
        const std::size_t size = directory_size(base);
        for (unsigned k = 0; k < size; ++k)
            if (Cell* const segment = to_words(directory[k].load(std::memory_order_relaxed)))
                arena_.give(segment, Kind::state_words, segment_size(k, base));
        arena_.give(directory, Kind::directory, size);
    }

    static void insert(Cell* slots, std::uint64_t hash, const Topic& topic) noexcept {
        const std::uint64_t mask = slots[0].load(std::memory_order_relaxed);
        std::uint64_t at = hash & mask;
        while (slots[3 + 2 * at].load(std::memory_order_relaxed) != 0) at = (at + 1) & mask;
        // The hash first: whoever sees the topic sees its hash.
        slots[2 + 2 * at].store(hash, std::memory_order_release);
        slots[3 + 2 * at].store(to_cell(&topic), std::memory_order_release);
    }

    void unlink(const Topic& topic) noexcept {
        Cell* const slots = slots_.load(std::memory_order_relaxed);
        std::uint64_t at = hash_of(topic.name()) & (capacity_ - 1);
        // A tombstone of the same topic, which was used again under the same name, is not it.
        while (slots[3 + 2 * at].load(std::memory_order_relaxed) != to_cell(&topic) ||
               slots[2 + 2 * at].load(std::memory_order_relaxed) == 0)
            at = (at + 1) & (capacity_ - 1);
        // A tombstone: no hash is 0, and the address keeps probes going.
        slots[2 + 2 * at].store(0, std::memory_order_release);
    }

    /// Fills an array of `capacity` slots with the live topics and makes it the one that is read.
    void publish(std::size_t capacity) {
        Cell* const fresh = arena_.take(Kind::slots, 2 + 2 * capacity);
        fresh[0].store(capacity - 1, std::memory_order_release);
        Cell* const old = slots_.load(std::memory_order_relaxed);
        for (std::size_t i = 0; i < capacity_; ++i) {
            const std::uint64_t hash = old[2 + 2 * i].load(std::memory_order_relaxed);
            const std::uint64_t address = old[3 + 2 * i].load(std::memory_order_relaxed);
            if (hash != 0) insert(fresh, hash, *from_cell(address));
        }
        slots_.store(fresh, std::memory_order_release);
        if (old != nullptr) arena_.give(old, Kind::slots, 2 + 2 * capacity_);
        capacity_ = capacity;
        used_ = live_;
    }

    ReuseGuard& guard_;
    std::atomic<Cell*> slots_{nullptr};
    CellArena arena_;
    std::uint64_t seed_;
    std::size_t capacity_ = 0;
    std::size_t used_ = 0; // slots that are not empty
    std::size_t live_ = 0; // of these, the ones that are no tombstones
    GeometricSlab<Topic, 64> topics_;
    std::uint32_t topic_count_ = 0;
    std::map<std::pair<std::uint32_t, std::size_t>, Topic*> spare_;
};

} // namespace insync::detail
