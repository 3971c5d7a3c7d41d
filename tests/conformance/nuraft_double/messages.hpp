#pragma once

// What the double of NuRaft sends and stores: the values of its interface.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace nuraft {

using ulong = std::uint64_t;
using int32 = std::int32_t;
using byte = unsigned char;

template <class T>
using ptr = std::shared_ptr<T>;
template <class T, class... Args>
ptr<T> cs_new(Args&&... args) {
    return std::make_shared<T>(std::forward<Args>(args)...);
}

/// Bytes, with a place at which the next one is written or read.
class buffer {
public:
    explicit buffer(std::size_t size) : bytes_(size) {}
    static ptr<buffer> alloc(std::size_t size) { return cs_new<buffer>(size); }
    static ptr<buffer> clone(const buffer& other) { return cs_new<buffer>(other); }

    [[nodiscard]] std::size_t size() const { return bytes_.size(); }
    [[nodiscard]] std::size_t pos() const { return place_; }
    void pos(std::size_t place) { place_ = place; }
    void put(ulong value) { put_raw(&value, sizeof value); }
    void put(int32 value) { put_raw(&value, sizeof value); }
    void put(byte value) { put_raw(&value, sizeof value); }
    void put(const std::string& text) { put_raw(text.c_str(), text.size() + 1); }
    ulong get_ulong() { return get_raw<ulong>(); }
    int32 get_int() { return get_raw<int32>(); }
    byte get_byte() { return get_raw<byte>(); }
    const char* get_str() {
        const auto* const text = reinterpret_cast<const char*>(bytes_.data() + place_);
        place_ += std::strlen(text) + 1;
        return text;
    }

private:
    void put_raw(const void* from, std::size_t size) {
        std::memcpy(bytes_.data() + place_, from, size);
        place_ += size;
    }
    template <class T>
    T get_raw() {
        T value{};
        std::memcpy(&value, bytes_.data() + place_, sizeof value);
        place_ += sizeof value;
        return value;
    }

    std::vector<byte> bytes_;
    std::size_t place_ = 0;
};

enum log_val_type : byte { app_log = 1, conf = 2 };

class log_entry {
public:
    log_entry(ulong term, ptr<buffer> content, log_val_type type = log_val_type::app_log)
        : term_(term), content_(std::move(content)), type_(type) {}
    [[nodiscard]] ulong get_term() const { return term_; }
    [[nodiscard]] log_val_type get_val_type() const { return type_; }
    [[nodiscard]] buffer& get_buf() const { return *content_; }

private:
    ulong term_;
    ptr<buffer> content_;
    log_val_type type_;
};

enum msg_type {
    request_vote_request = 1,
    request_vote_response,
    append_entries_request,
    append_entries_response,
    join_cluster_request = 12,
    join_cluster_response,
    pre_vote_request = 20,
    pre_vote_response,
    custom_notification_request = 28,
    custom_notification_response,
};

class msg_base {
public:
    msg_base(ulong term, msg_type type, int32 src, int32 dst)
        : term_(term), type_(type), src_(src), dst_(dst) {}
    [[nodiscard]] ulong get_term() const { return term_; }
    [[nodiscard]] msg_type get_type() const { return type_; }
    [[nodiscard]] int32 get_src() const { return src_; }
    [[nodiscard]] int32 get_dst() const { return dst_; }

private:
    ulong term_;
    msg_type type_;
    int32 src_, dst_;
};

class req_msg : public msg_base {
public:
    req_msg(ulong term,
            msg_type type,
            int32 src,
            int32 dst,
            ulong log_term,
            ulong log_idx,
            ulong commit)
        : msg_base(term, type, src, dst), log_term_(log_term), log_idx_(log_idx), commit_(commit) {}
    [[nodiscard]] ulong get_last_log_term() const { return log_term_; }
    [[nodiscard]] ulong get_last_log_idx() const { return log_idx_; }
    [[nodiscard]] ulong get_commit_idx() const { return commit_; }
    std::vector<ptr<log_entry>>& log_entries() { return entries_; }

private:
    ulong log_term_, log_idx_, commit_;
    std::vector<ptr<log_entry>> entries_;
};

class resp_msg : public msg_base {
public:
    resp_msg(ulong term, msg_type type, int32 src, int32 dst, ulong next = 0, bool accepted = false)
        : msg_base(term, type, src, dst), next_(next), accepted_(accepted) {}
    [[nodiscard]] ulong get_next_idx() const { return next_; }
    [[nodiscard]] bool get_accepted() const { return accepted_; }
    void accept(ulong next) {
        next_ = next;
        accepted_ = true;
    }

private:
    ulong next_;
    bool accepted_;
};

class srv_config {
public:
    srv_config(int32 id, std::string endpoint) : id_(id), endpoint_(std::move(endpoint)) {}
    [[nodiscard]] int32 get_id() const { return id_; }
    [[nodiscard]] const std::string& get_endpoint() const { return endpoint_; }
    [[nodiscard]] bool is_learner() const { return learner_; }
    void set_learner(bool to) { learner_ = to; }
    [[nodiscard]] bool is_new_joiner() const { return new_joiner_; }
    void set_new_joiner(bool to) { new_joiner_ = to; }

private:
    int32 id_;
    std::string endpoint_;
    bool learner_ = false;
    bool new_joiner_ = false;
};

class cluster_config {
public:
    explicit cluster_config(ulong log_idx = 0) : log_idx_(log_idx) {}
    [[nodiscard]] ulong get_log_idx() const { return log_idx_; }
    void set_log_idx(ulong log_idx) { log_idx_ = log_idx; }
    std::list<ptr<srv_config>>& get_servers() { return servers_; }
    [[nodiscard]] const std::list<ptr<srv_config>>& get_servers() const { return servers_; }
    [[nodiscard]] ptr<srv_config> get_server(int32 id) const {
        for (const auto& server : servers_)
            if (server->get_id() == id) return server;
        return nullptr;
    }

    [[nodiscard]] ptr<buffer> serialize() const {
        std::size_t size = sizeof(ulong) + sizeof(int32);
        for (const auto& server : servers_)
            size += sizeof(int32) + 2 + server->get_endpoint().size() + 1;
        auto bytes = buffer::alloc(size);
        bytes->put(log_idx_);
        bytes->put(static_cast<int32>(servers_.size()));
        for (const auto& server : servers_) {
            bytes->put(server->get_id());
            bytes->put(static_cast<byte>(server->is_learner()));
            bytes->put(static_cast<byte>(server->is_new_joiner()));
            bytes->put(server->get_endpoint());
        }
        bytes->pos(0);
        return bytes;
    }
    static ptr<cluster_config> deserialize(buffer& bytes) {
        bytes.pos(0);
        auto config = cs_new<cluster_config>(bytes.get_ulong());
        for (int32 left = bytes.get_int(); left > 0; --left) {
            const int32 id = bytes.get_int();
            const bool learner = bytes.get_byte() != 0;
            const bool joiner = bytes.get_byte() != 0;
            auto server = cs_new<srv_config>(id, bytes.get_str());
            server->set_learner(learner);
            server->set_new_joiner(joiner);
            config->servers_.push_back(server);
        }
        return config;
    }

private:
    ulong log_idx_;
    std::list<ptr<srv_config>> servers_;
};

class srv_state {
public:
    explicit srv_state(ulong term = 0, int32 voted_for = -1) : term_(term), voted_for_(voted_for) {}
    [[nodiscard]] ulong get_term() const { return term_; }
    void set_term(ulong term) { term_ = term; }
    [[nodiscard]] int32 get_voted_for() const { return voted_for_; }
    void set_voted_for(int32 id) { voted_for_ = id; }
    [[nodiscard]] ptr<buffer> serialize() const {
        auto bytes = buffer::alloc(sizeof term_ + sizeof voted_for_);
        bytes->put(term_);
        bytes->put(voted_for_);
        bytes->pos(0);
        return bytes;
    }
    static ptr<srv_state> deserialize(buffer& bytes) {
        const ulong term = bytes.get_ulong();
        return cs_new<srv_state>(term, bytes.get_int());
    }

private:
    ulong term_;
    int32 voted_for_;
};

} // namespace nuraft
