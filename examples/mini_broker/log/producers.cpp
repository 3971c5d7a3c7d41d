#include "log/producers.hpp"

#include "log/fields.hpp"

#include <limits>
#include <utility>

namespace mini_broker {
namespace {

constexpr char kVersion = 1;

} // namespace

std::int32_t next_sequence(std::int32_t sequence) noexcept {
    return sequence == std::numeric_limits<std::int32_t>::max() ? 0 : sequence + 1;
}

Producers::Answer Producers::check(const ProducerBatch& batch) const {
    if (batch.producer < 0) return {};
    const auto found = producers_.find(batch.producer);
    if (found == producers_.end() || found->second.newest.empty()) return {};
    const Producer& producer = found->second;
    if (batch.epoch < producer.epoch) return {Verdict::old_epoch, producer.newest.back()};
    if (batch.epoch > producer.epoch) {
        // A new instance counts from 0 again.
        return {batch.first_sequence == 0 ? Verdict::append : Verdict::out_of_order, {}};
    }
    for (const Known& known : producer.newest) {
        if (known.batch.first_sequence == batch.first_sequence &&
            known.batch.last_sequence == batch.last_sequence) {
            return {Verdict::duplicate, known};
        }
    }
    const Known& newest = producer.newest.back();
    const bool next = batch.first_sequence == next_sequence(newest.batch.last_sequence);
    return {next ? Verdict::append : Verdict::out_of_order, newest};
}

void Producers::note(const ProducerBatch& batch,
                     Index index,
                     Offset base_offset,
                     std::int64_t timestamp) {
    if (batch.producer < 0) return;
    Producer& producer = producers_[batch.producer];
    if (!producer.newest.empty()) by_newest_.erase(producer.newest.back().index);
    by_newest_[index] = batch.producer;
    if (producer.epoch != batch.epoch) producer.newest.clear();
    producer.epoch = batch.epoch;
    producer.timestamp = timestamp;
    if (producer.newest.size() == kBatchesKept) producer.newest.erase(producer.newest.begin());
    producer.newest.push_back({batch, index, base_offset});
    if (producers_.size() <= kProducersKept) return;
    producers_.erase(by_newest_.begin()->second);
    by_newest_.erase(by_newest_.begin());
}

std::size_t Producers::size() const noexcept {
    return producers_.size();
}

std::string Producers::encode() const {
    std::string bytes{kVersion};
    put_field(bytes, static_cast<std::uint32_t>(producers_.size()));
    for (const auto& [id, producer] : producers_) {
        put_field(bytes, id);
        put_field(bytes, producer.epoch);
        put_field(bytes, producer.timestamp);
        put_field(bytes, static_cast<std::uint8_t>(producer.newest.size()));
        for (const Known& known : producer.newest) {
            put_field(bytes, known.batch.first_sequence);
            put_field(bytes, known.batch.last_sequence);
            put_field(bytes, known.index);
            put_field(bytes, known.base_offset);
        }
    }
    return bytes;
}

std::optional<Producers> Producers::decode(std::string_view bytes) {
    if (bytes.empty() || bytes.front() != kVersion) return std::nullopt;
    FieldTaker taker{bytes.substr(1)};
    Producers decoded;
    const auto count = taker.take<std::uint32_t>();
    for (std::uint32_t i = 0; i < count && taker.whole(); ++i) {
        const auto id = taker.take<std::int64_t>();
        Producer producer;
        producer.epoch = taker.take<std::int16_t>();
        producer.timestamp = taker.take<std::int64_t>();
        const auto batches = taker.take<std::uint8_t>();
        if (batches == 0 || batches > kBatchesKept) return std::nullopt;
        for (std::uint8_t k = 0; k < batches; ++k) {
            Known known;
            known.batch.producer = id;
            known.batch.epoch = producer.epoch;
            known.batch.first_sequence = taker.take<std::int32_t>();
            known.batch.last_sequence = taker.take<std::int32_t>();
            known.index = taker.take<Index>();
            known.base_offset = taker.take<Offset>();
            producer.newest.push_back(known);
        }
        decoded.by_newest_[producer.newest.back().index] = id;
        decoded.producers_.insert_or_assign(id, std::move(producer));
    }
    const bool whole = taker.at_end() && count <= kProducersKept &&
                       decoded.producers_.size() == count && decoded.by_newest_.size() == count;
    if (!whole) return std::nullopt;
    return decoded;
}

} // namespace mini_broker
