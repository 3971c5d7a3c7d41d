#pragma once

#include "baselines/isr_value.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace bench {

/// The fastest sweep that looks at every partition: each field a column, eight partitions at a
/// time, with the widest registers that the processor has. It knows no names, publishes nothing to
/// readers and takes no lock: a lower bound for full scans, not a tracker.
class FullScan {
public:
    explicit FullScan(std::size_t partitions)
        : blocks_((partitions + kBlock - 1) / kBlock), end_(blocks_ * kBlock) {
        for (Follower& follower : followers_) {
            follower.match.resize(blocks_ * kBlock);
            follower.contact_ms.resize(blocks_ * kBlock);
            follower.members.assign(blocks_, 0xff);
        }
    }

    /// What was found to do the scan with.
    [[nodiscard]] const char* name() const {
        switch (width_) {
        case Width::avx512: return "full scan of columns, AVX-512";
        case Width::avx2: return "full scan of columns, AVX2 (no AVX-512 here)";
        case Width::plain: break;
        }
        return "full scan of columns, plain (no AVX here)";
    }

    void set_contact(std::uint32_t now_ms) {
        for (Follower& follower : followers_)
            for (std::uint32_t& contact : follower.contact_ms) contact = now_ms;
    }

    /// \return how many replicas joined or left
    std::size_t sweep(std::uint32_t now_ms) {
        switch (width_) {
#if defined(__x86_64__)
        case Width::avx512: return scan_avx512(now_ms);
        case Width::avx2: return scan_avx2(now_ms);
#endif
        default: return scan_plain(now_ms);
        }
    }

private:
    static constexpr std::size_t kBlock = 8;
    enum class Width { plain, avx2, avx512 };

    /// One follower of every partition; a bit a partition says whether it is a member.
    struct Follower {
        std::vector<Index> match;
        std::vector<std::uint32_t> contact_ms;
        std::vector<std::uint8_t> members;
    };

    static Width best_width() {
#if defined(__x86_64__)
        if (__builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512vl") != 0)
            return Width::avx512;
        if (__builtin_cpu_supports("avx2") != 0) return Width::avx2;
#endif
        return Width::plain;
    }

    static std::size_t update(std::uint8_t& members, unsigned in_sync) {
        const unsigned moved = members ^ in_sync;
        if (moved == 0) [[likely]]
            return 0;
        members = static_cast<std::uint8_t>(in_sync);
        return static_cast<std::size_t>(std::popcount(moved));
    }

    std::size_t scan_plain(std::uint32_t now_ms) {
        std::size_t moved = 0;
        for (std::size_t block = 0; block < blocks_; ++block) {
            for (Follower& follower : followers_) {
                unsigned in_sync = 0;
                for (std::size_t i = 0; i < kBlock; ++i) {
                    const std::size_t at = block * kBlock + i;
                    const bool near = end_[at] - follower.match[at] <= kMaxLagEntries;
                    const bool alive = now_ms - follower.contact_ms[at] <= kMaxLagMs;
                    in_sync |= static_cast<unsigned>(near && alive) << i;
                }
                moved += update(follower.members[block], in_sync);
            }
        }
        return moved;
    }

#if defined(__x86_64__)
    __attribute__((target("avx512f,avx512vl"))) std::size_t scan_avx512(std::uint32_t now_ms) {
        const __m512i entries = _mm512_set1_epi64(static_cast<long long>(kMaxLagEntries));
        const __m256i now = _mm256_set1_epi32(static_cast<int>(now_ms));
        const __m256i limit = _mm256_set1_epi32(static_cast<int>(kMaxLagMs));
        std::size_t moved = 0;
        for (std::size_t block = 0; block < blocks_; ++block) {
            const std::size_t at = block * kBlock;
            const __m512i end = _mm512_loadu_si512(&end_[at]);
            for (Follower& follower : followers_) {
                const __m512i lag = _mm512_sub_epi64(end, _mm512_loadu_si512(&follower.match[at]));
                const __m256i age = _mm256_sub_epi32(now, load_256(&follower.contact_ms[at]));
                const unsigned near = _mm512_cmple_epu64_mask(lag, entries);
                const unsigned alive = _mm256_cmple_epu32_mask(age, limit);
                moved += update(follower.members[block], near & alive);
            }
        }
        return moved;
    }

    __attribute__((target("avx2"))) std::size_t scan_avx2(std::uint32_t now_ms) {
        const __m256i entries = _mm256_set1_epi64x(static_cast<long long>(kMaxLagEntries));
        const __m256i now = _mm256_set1_epi32(static_cast<int>(now_ms));
        const __m256i limit = _mm256_set1_epi32(static_cast<int>(kMaxLagMs));
        std::size_t moved = 0;
        for (std::size_t block = 0; block < blocks_; ++block) {
            const std::size_t at = block * kBlock;
            const __m256i end[2] = {load_256(&end_[at]), load_256(&end_[at + 4])};
            for (Follower& follower : followers_) {
                unsigned out = 0;
                for (unsigned half = 0; half < 2; ++half) {
                    const __m256i match = load_256(&follower.match[at + 4 * half]);
                    const __m256i lag = _mm256_sub_epi64(end[half], match);
                    const __m256i behind = _mm256_cmpgt_epi64(lag, entries);
                    const int bits = _mm256_movemask_pd(_mm256_castsi256_pd(behind));
                    out |= static_cast<unsigned>(bits) << (4 * half);
                }
                const __m256i age = _mm256_sub_epi32(now, load_256(&follower.contact_ms[at]));
                const __m256i silent = _mm256_cmpgt_epi32(age, limit);
                const int bits = _mm256_movemask_ps(_mm256_castsi256_ps(silent));
                out |= static_cast<unsigned>(bits);
                moved += update(follower.members[block], ~out & 0xffu);
            }
        }
        return moved;
    }

    template <class T>
    __attribute__((target("avx2"))) static __m256i load_256(const T* from) {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    }
#endif

    Width width_ = best_width();
    std::size_t blocks_;
    std::vector<Index> end_;
    Follower followers_[2];
};

} // namespace bench
