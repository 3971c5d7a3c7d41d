#include "kafka/handlers/batch_rules.hpp"

namespace mini_broker::kafka {

namespace {

constexpr std::size_t kMagicAt = 16;

BatchShape fault(Error error, std::string message) {
    return {error, std::move(message), {}};
}

} // namespace

BatchShape check_shape(std::optional<std::string_view> records) {
    if (!records || records->size() <= kMagicAt)
        return fault(Error::invalid_record, "There must be one record batch.");
    const char magic = (*records)[kMagicAt];
    if (magic == 0 || magic == 1)
        return fault(Error::invalid_record,
                     "Message format 0 or 1: this client took the broker for an old one.");
    if (magic != 2) return fault(Error::corrupt_message, "Unknown message format.");
    const auto header = parse_header(*records);
    if (!header) return fault(Error::invalid_record, "The record batch is cut short.");
    if (header->size > records->size())
        return fault(Error::invalid_record, "The record batch is cut short.");
    if (header->size < records->size())
        return fault(Error::invalid_record, "There must be one record batch, and nothing after.");
    if (header->base_offset != 0) return fault(Error::invalid_record, "The base offset must be 0.");
    if (header->control())
        return fault(Error::invalid_record, "Clients may not write control batches.");
    if (header->transactional())
        return fault(Error::invalid_txn_state, "There are no transactions.");
    if (header->codec() > 4)
        return fault(Error::unsupported_compression_type, "Unknown compression.");
    if (header->record_count < 1 || header->last_offset_delta != header->record_count - 1)
        return fault(Error::invalid_record, "The number of records contradicts the last offset.");
    return {Error::none, {}, *header};
}

} // namespace mini_broker::kafka
