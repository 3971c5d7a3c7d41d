#include "raft/message.hpp"

#include "log/producers.hpp"
#include "log/record_batch.hpp"
#include "raft/configuration.hpp"

#include <boost/endian/conversion.hpp>

#include <concepts>
#include <type_traits>

namespace mini_broker {
namespace {

void append_number(std::string& out, std::unsigned_integral auto value) {
    const auto big = boost::endian::native_to_big(value);
    out.append(reinterpret_cast<const char*>(&big), sizeof(big));
}

struct Writer {
    std::string& out;

    void operator()(bool value) const { out.push_back(value ? '\1' : '\0'); }
    template <std::unsigned_integral T>
    void operator()(T value) const {
        append_number(out, value);
    }
};

struct Reader {
    std::string_view rest;
    bool whole = true;

    template <std::unsigned_integral T>
    void operator()(T& value) {
        using Wire = std::conditional_t<std::same_as<T, bool>, std::uint8_t, T>;
        if (rest.size() < sizeof(Wire)) {
            whole = false;
            value = T{};
            return;
        }
        Wire big;
        rest.copy(reinterpret_cast<char*>(&big), sizeof(big));
        rest.remove_prefix(sizeof(big));
        value = static_cast<T>(boost::endian::big_to_native(big));
    }
};

// One list of fields a message, for both ways. `M` is constant when it is written.
template <class Io, class M>
void vote_fields(Io& io, M& m) {
    io(m.version), io(m.term), io(m.candidate_id), io(m.last_log_index), io(m.last_log_term);
    io(m.disrupt_leader), io(m.pre_vote);
}
template <class Io, class M>
void vote_result_fields(Io& io, M& m) {
    io(m.version), io(m.term), io(m.vote_granted), io(m.pre_vote), io(m.features), io(m.capacity);
}
template <class Io, class M>
void append_fields(Io& io, M& m) {
    io(m.version), io(m.term), io(m.prev_log_index), io(m.prev_log_term), io(m.leader_commit);
    io(m.n_entries);
}
template <class Io, class M>
void append_result_fields(Io& io, M& m) {
    io(m.version), io(m.term), io(m.rejected), io(m.last_log_index), io(m.features);
    io(m.capacity);
}
template <class Io, class M>
void snapshot_fields(Io& io, M& m) {
    io(m.version), io(m.term), io(m.last_index), io(m.last_term), io(m.conf_index);
}
template <class Io, class M>
void timeout_fields(Io& io, M& m) {
    io(m.version), io(m.term), io(m.last_log_index), io(m.last_log_term);
}

/// \return the message's term; nothing for a type that is none
template <class Io, class M>
std::optional<Term> message_fields(Io& io, M& m) {
    switch (m.type) {
    case RAFT_REQUEST_VOTE: vote_fields(io, m.request_vote); return m.request_vote.term;
    case RAFT_REQUEST_VOTE_RESULT:
        vote_result_fields(io, m.request_vote_result);
        return m.request_vote_result.term;
    case RAFT_APPEND_ENTRIES: append_fields(io, m.append_entries); return m.append_entries.term;
    case RAFT_APPEND_ENTRIES_RESULT:
        append_result_fields(io, m.append_entries_result);
        return m.append_entries_result.term;
    case RAFT_INSTALL_SNAPSHOT:
        snapshot_fields(io, m.install_snapshot);
        return m.install_snapshot.term;
    case RAFT_TIMEOUT_NOW: timeout_fields(io, m.timeout_now); return m.timeout_now.term;
    }
    return std::nullopt;
}

raft_entry_type entry_type(EntryKind kind) {
    if (kind == EntryKind::barrier) return RAFT_BARRIER;
    return kind == EntryKind::change ? RAFT_CHANGE : RAFT_COMMAND;
}

std::optional<raft_entry> read_entry(std::string_view batch, const BatchHeader& header) {
    if (header.term == 0 || !is_whole_batch(batch)) return std::nullopt;
    const EntryKind kind = kind_of(batch);
    std::string_view content = batch;
    if (kind == EntryKind::change) { // the one kind whose content libraft reads
        content = payload_of(batch);
        if (!voters_of(content)) return std::nullopt;
    }
    raft_entry entry{};
    entry.term = header.term;
    entry.type = entry_type(kind);
    entry.buf = raft_buffer{const_cast<char*>(content.data()), content.size()};
    return entry;
}

bool read_entries(std::string_view bytes, InboundMessage& into) {
    raft_append_entries& args = into.message.append_entries;
    if ((args.prev_log_index == 0) != (args.prev_log_term == 0)) return false;
    if (args.n_entries > bytes.size() / kBatchHeader) return false;
    into.entries.reserve(args.n_entries);
    into.batches.reserve(args.n_entries);
    Term term = args.prev_log_term;
    std::optional<Offset> next;
    for (unsigned i = 0; i < args.n_entries; ++i) {
        const auto header = parse_header(bytes);
        if (!header || header->size < kBatchHeader || header->size > bytes.size()) return false;
        if (header->term < term || header->term > args.term) return false;
        if (next && header->base_offset != *next) return false;
        const std::string_view batch = bytes.substr(0, header->size);
        const auto entry = read_entry(batch, *header);
        if (!entry) return false;
        into.entries.push_back(*entry);
        into.batches.push_back(batch);
        term = header->term;
        next = header->next_offset();
        bytes.remove_prefix(header->size);
    }
    args.entries = into.entries.data();
    return bytes.empty();
}

bool read_snapshot(Reader& reader, InboundMessage& into) {
    const raft_install_snapshot& args = into.message.install_snapshot;
    const std::optional<SnapshotContent> content = decode_snapshot_content(reader.rest);
    if (!content) return false;
    into.snapshot = *content;
    return args.last_index != 0 && args.last_term != 0 && args.last_term <= args.term &&
           args.conf_index != 0 && args.conf_index <= args.last_index;
}

} // namespace

FrameWriter::FrameWriter(std::string& out, GroupId group, std::uint8_t type)
    : out_(out), begin_(out.size()) {
    append_number(out_, std::uint32_t{0});
    append_number(out_, group);
    append_number(out_, type);
}

FrameWriter::~FrameWriter() {
    const std::size_t length = out_.size() - begin_ - sizeof(std::uint32_t);
    boost::endian::store_big_u32(reinterpret_cast<unsigned char*>(out_.data() + begin_),
                                 static_cast<std::uint32_t>(length));
}

std::string encode(const SnapshotContent& content) {
    std::string bytes;
    append_number(bytes, static_cast<std::uint64_t>(content.next_offset));
    append_number(bytes, static_cast<std::uint32_t>(content.configuration.size()));
    bytes.append(content.configuration);
    bytes.append(content.producers);
    return bytes;
}

std::optional<SnapshotContent> decode_snapshot_content(std::string_view bytes) {
    Reader reader{bytes};
    std::uint64_t next_offset = 0;
    std::uint32_t configuration_size = 0;
    reader(next_offset);
    reader(configuration_size);
    if (!reader.whole || configuration_size > reader.rest.size()) return std::nullopt;
    SnapshotContent content;
    content.next_offset = static_cast<Offset>(next_offset);
    content.configuration = reader.rest.substr(0, configuration_size);
    content.producers = reader.rest.substr(configuration_size);
    if (content.next_offset < 0 || !voters_of(content.configuration)) return std::nullopt;
    if (!content.producers.empty() && !Producers::decode(content.producers)) return std::nullopt;
    return content;
}

void encode_message(const raft_message& message,
                    const SnapshotContent& snapshot,
                    std::string& into) {
    Writer writer{into};
    message_fields(writer, message);
    if (message.type != RAFT_INSTALL_SNAPSHOT) return;
    into += encode(snapshot);
}

std::optional<InboundMessage> decode_message(NodeId from,
                                             std::uint8_t type,
                                             std::string_view payload) {
    if (from <= 0 || type < RAFT_APPEND_ENTRIES || type > RAFT_TIMEOUT_NOW) return std::nullopt;
    InboundMessage inbound;
    inbound.message.type = static_cast<raft_message_type>(type);
    inbound.message.server_id = static_cast<raft_id>(from);
    Reader reader{payload};
    const std::optional<Term> term = message_fields(reader, inbound.message);
    if (!reader.whole || !term || *term == 0 || *term > kMostTerm) return std::nullopt;
    bool good = false;
    if (inbound.message.type == RAFT_APPEND_ENTRIES)
        good = read_entries(reader.rest, inbound);
    else if (inbound.message.type == RAFT_INSTALL_SNAPSHOT)
        good = read_snapshot(reader, inbound);
    else
        good = reader.rest.empty();
    if (!good) return std::nullopt;
    return inbound;
}

} // namespace mini_broker
