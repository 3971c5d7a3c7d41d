#include "log/partition_log.hpp"
#include "mini_broker/log/batches.hpp"
#include "mini_broker/log/memory_disk.hpp"
#include "mini_broker/log/naive_log.hpp"
#include "property/random.hpp"

#include <catch2/catch_message.hpp>
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace log_test;
using mini_broker::LogOptions;
using property::Random;

/// A log on a disk that fails now and then, beside the list that it must be like.
class Pair {
public:
    explicit Pair(std::uint64_t seed) : random_(seed) {
        options_.segment_bytes = random_.one_of({200u, 1000u, 5000u, 30000u});
        open();
    }

    void step() {
        before_ = naive_;
        const std::uint64_t choice = random_.below(100);
        if (choice < 60)
            append();
        else if (choice < 68)
            truncate();
        else if (choice < 82)
            sync();
        else if (choice < 86)
            drop();
        else if (choice < 88)
            restart();
        else if (choice < 91)
            open();
        else
            look();
    }

    /// The disk fails within the next changes, the power goes, and the log is opened anew.
    void crash() {
        before_ = naive_;
        durable_before_ = log_->durable_index();
        disk_.fail_at(random_.below(25));
        try {
            while (true) step_noting_durable();
        } catch (const DiskError&) {
            REQUIRE(disk_.failed());
        }
        log_.reset();
        disk_.lose_power(random_);
        log_ = std::make_unique<PartitionLog>(disk_, "group", options_);
        accept();
        check_content(*log_, naive_);
        REQUIRE(log_->durable_index() == log_->last_index());
    }

    void look() {
        check_content(*log_, naive_);
        for (int i = 0; i < 8; ++i) look_up();
    }

private:
    void step_noting_durable() {
        step();
        durable_before_ = log_->durable_index();
    }

    void open() {
        log_.reset();
        log_ = std::make_unique<PartitionLog>(disk_, "group", options_);
        check_content(*log_, naive_);
    }

    void append() {
        const Term term = naive_.last_term() + (random_.chance(5) ? random_.below(3) : 0);
        std::string batch;
        if (random_.chance(15)) {
            const auto kind =
                random_.one_of({EntryKind::barrier, EntryKind::change, EntryKind::command});
            const std::string payload(random_.below(40), 'p');
            batch = mini_broker::make_entry(kind, term, naive_.end(), payload, 5000);
        } else {
            Wanted wanted;
            wanted.base_offset = naive_.end();
            wanted.term = term;
            wanted.records = static_cast<std::int32_t>(random_.between(1, 5));
            wanted.timestamp = random_.between(0, 4000);
            wanted.producer = random_.between(-1, 3);
            wanted.epoch = 0;
            wanted.first_sequence = static_cast<std::int32_t>(random_.between(0, 1000));
            wanted.body = random_.chance(3) ? 9000 : random_.below(300);
            wanted.fill = static_cast<char>(random_.between('a', 'z'));
            batch = make_batch(wanted);
        }
        naive_.batches.push_back(batch);
        log_->append(batch);
    }

    void truncate() {
        const Index back = random_.chance(70) ? random_.below(8) : random_.below(200);
        const Index index = naive_.last() > back ? naive_.last() - back : 0;
        naive_.truncate_after(index);
        log_->truncate_after(index);
    }

    void sync() {
        auto begun = log_->begin_sync();
        if (!begun) {
            REQUIRE(log_->durable_index() == log_->last_index());
            return;
        }
        REQUIRE(begun->upto == naive_.last());
        const bool meanwhile = random_.chance(40);
        const Index upto = naive_.last();
        if (meanwhile && random_.chance(50)) append();
        begun->work();
        if (meanwhile && random_.chance(50)) append();
        const bool cut = random_.chance(10) && naive_.last() >= naive_.first;
        if (cut) {
            before_ = naive_;
            naive_.truncate_after(naive_.last() - 1);
            log_->truncate_after(log_->last_index() - 1);
        }
        const bool counts = log_->end_sync(*begun);
        REQUIRE(counts == !cut);
        if (!cut) REQUIRE(log_->durable_index() == upto);
    }

    void drop() {
        const Index index = naive_.first + random_.below(naive_.batches.size() + 1);
        // Whole segments go; which, only the log knows. The list follows.
        log_->drop_upto(index);
        REQUIRE(log_->first_index() >= naive_.first);
        REQUIRE((log_->first_index() == naive_.first || log_->first_index() <= index + 1));
        naive_.first = log_->first_index();
    }

    void restart() {
        const Index next = std::max<Index>(25, naive_.last() + random_.below(50)) - 24;
        NaiveLog empty;
        empty.origin = empty.first = next;
        empty.origin_offset = random_.between(0, 5000);
        naive_ = empty;
        log_->restart_at(next, empty.origin_offset);
        REQUIRE(log_->durable_index() == next - 1);
    }

    /// Takes for the list what a crash has left, if it may have left that.
    void accept() {
        if (naive_.origin != before_.origin || naive_.origin_offset != before_.origin_offset) {
            const bool emptied = log_->first_index() == naive_.first &&
                                 log_->last_index() == naive_.last() &&
                                 log_->end_offset() == naive_.end();
            if (emptied) return;
            naive_ = before_;
        }
        // A prefix of what was there before or after the step that failed, and all that was
        // durable unless it was being truncated.
        const Index last = log_->last_index();
        REQUIRE(last >= std::min(durable_before_, naive_.last()));
        if (last > naive_.last()) naive_ = before_;
        REQUIRE(last <= naive_.last());
        REQUIRE(log_->first_index() >= naive_.first);
        naive_.first = log_->first_index();
        naive_.truncate_after(last);
    }

    void look_up() {
        const Index index = naive_.first + random_.below(naive_.batches.size() + 2) - 1;
        const bool there = index >= naive_.first && index <= naive_.last();
        const auto entry = log_->entry(index);
        REQUIRE(entry.has_value() == there);
        if (there) REQUIRE(same(*entry, naive_.entry(index)));
        const Offset offset = random_.between(log_->start_offset(), naive_.end() + 1);
        const Index upto = random_.chance(30) ? naive_.last() : index;
        const std::size_t most = random_.one_of({0u, 100u, 1000u, 20000u});
        std::string bytes = "kept";
        log_->read_records(offset, upto, most, bytes);
        REQUIRE(bytes == "kept" + naive_.records(offset, upto, most));
        const auto holder = log_->entry_of(offset);
        REQUIRE(holder.has_value() == (offset < naive_.end()));
        if (holder) REQUIRE((holder->base_offset <= offset && offset < holder->next_offset));
        const std::int64_t timestamp = random_.between(-1, 4100);
        REQUIRE(
            same(log_->find_timestamp(timestamp, upto), naive_.with_timestamp(timestamp, upto)));
        REQUIRE(same(log_->newest_timestamp(upto), naive_.newest(upto)));
        const Term term = random_.below(naive_.last_term() + 2);
        REQUIRE(log_->end_of_term(term).term == naive_.end_of_term(term).term);
        REQUIRE(log_->end_of_term(term).end == naive_.end_of_term(term).end);
        if (there) walk(index, index + random_.below(100));
    }

    void walk(Index first, Index last) {
        Index due = first;
        log_->for_each(first, last, [&](const Entry& entry, std::string_view payload) {
            REQUIRE(same(entry, naive_.entry(due)));
            const bool shown = entry.kind == EntryKind::change || entry.kind == EntryKind::command;
            REQUIRE(payload ==
                    (shown ? mini_broker::payload_of(naive_.batch(due)) : std::string_view{}));
            ++due;
        });
        REQUIRE(due == std::min(last, naive_.last()) + 1);
    }

    Random random_;
    LogOptions options_;
    MemoryDisk disk_;
    std::unique_ptr<PartitionLog> log_;
    NaiveLog naive_;
    NaiveLog before_;
    Index durable_before_ = 0;
};

/// INSYNC_WORLDS runs more of them.
std::uint64_t worlds(std::uint64_t count) {
    return property::from_environment("INSYNC_WORLDS", count);
}

template <class Run>
void with_seeds(std::uint64_t count, const Run& run) {
    const std::uint64_t replayed = property::from_environment("INSYNC_SEED", 0);
    const std::uint64_t first = replayed == 0 ? 1 : replayed;
    for (std::uint64_t seed = first; seed < first + (replayed == 0 ? count : 1); ++seed) {
        INFO("replay with INSYNC_SEED=" << seed);
        Pair pair{seed};
        run(pair);
    }
}

TEST_CASE("A log is like a list of batches, whatever is done to it", "[mini_broker][log]") {
    with_seeds(worlds(100), [](Pair& pair) {
        for (int i = 0; i < 700; ++i) pair.step();
        pair.look();
    });
}

TEST_CASE("A log that loses power at any write keeps what was durable, and no more than was there",
          "[mini_broker][log]") {
    with_seeds(worlds(300), [](Pair& pair) {
        for (int round = 0; round < 25; ++round) {
            for (int i = 0; i < 20; ++i) pair.step();
            pair.crash();
            pair.look();
        }
    });
}

} // namespace
