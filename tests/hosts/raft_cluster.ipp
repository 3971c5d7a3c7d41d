// Part of raft_cluster.hpp: what happens, and when.
#include "hosts/raft_cluster.hpp" // IWYU pragma: keep

#include <fmt/format.h>

namespace hosts {

inline RaftCluster::RaftCluster(const raft_host& library, const ClusterOptions& options)
    : library_(library), options_(options), numbers_(options.seed) {
    std::vector<std::uint64_t> voters;
    for (std::uint64_t id = 1; id <= options.voters; ++id) voters.push_back(id);
    for (std::uint64_t id = 1; id <= options.voters + options.spares; ++id) {
        const bool member = id <= options.voters;
        raft_host_config config{};
        config.id = id;
        config.voters = member ? voters.data() : nullptr;
        config.voter_count = member ? static_cast<std::uint32_t>(voters.size()) : 0;
        config.election_ticks = options.election_ticks;
        config.heartbeat_ticks = options.heartbeat_ticks;
        config.seed = options.seed * 64 + id;
        config.check_quorum = options.check_quorum ? 1 : 0;
        config.pre_vote = options.pre_vote ? 1 : 0;
        config.async_persistence = options.async_persistence ? 1 : 0;
        ids_.push_back(static_cast<NodeId>(id));
        nodes_.push_back(std::make_unique<Node>());
        Node& made = *nodes_.back();
        made.member = member;
        made.raft = library_.create(&config);
        if (made.raft == 0)
            throw BrokenLibrary{fmt::format("{} makes no node {}", library_.name, id)};
        if (!member) crash(ids_.back());
    }
    for (const NodeId id : ids_) {
        call(id, RAFT_HOST_OK);
        // Each at its own moment, as processes that were not started together.
        const auto offset = numbers_.below(static_cast<std::uint64_t>(options.tick.count()));
        at(now() + Millis{1 + static_cast<Millis::rep>(offset)}, [this, id] { tick(id); });
    }
}

inline RaftCluster::~RaftCluster() {
    for (const auto& each : nodes_)
        if (each->raft != 0) library_.destroy(each->raft);
}

inline void RaftCluster::run_until(TimePoint end) {
    while (!agenda_.empty() && agenda_.begin()->first.first <= end) {
        const auto next = agenda_.extract(agenda_.begin());
        if (next.key().first > now()) clock_.advance(next.key().first - now());
        next.mapped()();
    }
    if (end > now()) clock_.advance(end - now());
}

/// At that time, or once the node's process goes on; never if that process has ended.
inline void RaftCluster::on(NodeId id, TimePoint when, std::function<void()> what) {
    at(when, [this, id, process = node(id).process, what = std::move(what)] {
        Node& each = node(id);
        if (!each.up || each.process != process) return;
        if (each.paused)
            each.held.push_back(what);
        else
            what();
    });
}

inline Shown RaftCluster::show(NodeId id) const {
    Shown shown;
    shown.peers.resize(2 * insync::kMaxReplicas);
    const std::int32_t count =
        library_.reader->read(node(id).raft, &shown.state, shown.peers.data(),
                              static_cast<std::uint32_t>(shown.peers.size()));
    shown.peers.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
    if (count < 0) shown.state = {};
    return shown;
}

/// What follows from any call to the library.
inline int RaftCluster::call(NodeId id, int result) {
    if (result == RAFT_HOST_PANIC) {
        std::string words(512, '\0');
        words.resize(
            std::min(words.size(), library_.last_error(node(id).raft, words.data(), words.size())));
        throw BrokenLibrary{fmt::format("node {} panicked: {}", id, words)};
    }
    if (!node(id).up) return result;
    watch_members(id);
    collect_mail(id);
    collect_writes(id);
    if (on_step) on_step(id);
    return result;
}

inline void RaftCluster::tick(NodeId id) {
    at(now() + options_.tick, [this, id] { tick(id); });
    Node& each = node(id);
    if (each.up && !each.paused) call(id, library_.tick(each.raft));
}

inline Index RaftCluster::propose(NodeId id, const std::string& data) {
    std::uint64_t index = 0;
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(data.data());
    const int result = library_.propose(node(id).raft, bytes, data.size(), &index);
    return call(id, result) == RAFT_HOST_OK ? index : 0;
}

inline Index RaftCluster::change(NodeId id,
                                 const std::vector<raft_host_change>& steps,
                                 std::uint32_t how) {
    std::uint64_t index = 0;
    const int result = library_.change(node(id).raft, steps.data(),
                                       static_cast<std::uint32_t>(steps.size()), how, &index);
    return call(id, result) == RAFT_HOST_OK ? index : 0;
}

/// Tells the contacts who went and who came, as a broker does when it applies a change.
inline void RaftCluster::watch_members(NodeId id) {
    Node& each = node(id);
    std::vector<NodeId> present;
    for (const insync_raft_peer& peer : show(id).peers)
        present.push_back(static_cast<NodeId>(peer.id));
    std::sort(present.begin(), present.end());
    if (present == each.neighbours) return;
    const auto is_in = [](const std::vector<NodeId>& nodes, NodeId other) {
        return std::binary_search(nodes.begin(), nodes.end(), other);
    };
    if (options_.never_forgets) return;
    for (const NodeId other : each.neighbours)
        if (!is_in(present, other)) each.contacts.forget(other);
    for (const NodeId other : present)
        if (!is_in(each.neighbours, other)) each.contacts.admit(other);
    each.neighbours = std::move(present);
}

/// Whether a message goes back to who has spoken, in whichever life.
inline bool RaftCluster::answers(const raft_host_message& about) {
    return about.kind == RAFT_HOST_APPEND_RESPONSE || about.kind == RAFT_HOST_HEARTBEAT_RESPONSE ||
           about.kind == RAFT_HOST_VOTE_RESPONSE || about.kind == RAFT_HOST_PRE_VOTE_RESPONSE;
}

inline void RaftCluster::collect_mail(NodeId id) {
    for (;;) {
        Mail mail;
        std::size_t size = 0;
        int result = library_.next_message(node(id).raft, buffer_.data(), buffer_.size(), &size,
                                           &mail.about);
        if (result == RAFT_HOST_BAD_ARGUMENT && size > buffer_.size()) {
            buffer_.resize(2 * size);
            continue;
        }
        if (result != RAFT_HOST_OK) return;
        mail.from = id;
        mail.to = static_cast<NodeId>(mail.about.to);
        mail.bytes.assign(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(size));
        mail.from_life = node(id).life;
        mail.to_life = answers(mail.about) ? node(id).met[mail.to] : life_known(id, mail.to);
        send(std::move(mail));
    }
}

inline void RaftCluster::collect_writes(NodeId id) {
    Node& each = node(id);
    const std::uint64_t newest = library_.newest_write(each.raft);
    if (newest == 0 || newest == each.queued || each.disk_held) return;
    each.queued = newest;
    each.disk_free = std::max(each.disk_free, now() + each.disk_delay); // in their order
    on(id, each.disk_free,
       [this, id, newest] { call(id, library_.persist(node(id).raft, newest)); });
}

inline void RaftCluster::send(Mail mail) {
    const Link& way = link(mail.from, mail.to);
    const bool appends =
        mail.about.kind == RAFT_HOST_APPEND || mail.about.kind == RAFT_HOST_SNAPSHOT;
    if (way.cut || (appends && loses_appends_.contains(mail.to))) return lose(mail);
    if (const auto held = held_mail_.find(mail.from); held != held_mail_.end())
        return held->second.push_back(std::move(mail));
    const auto within = [&](Millis most) {
        return Millis{
            static_cast<Millis::rep>(numbers_.below(static_cast<std::uint64_t>(most.count()) + 1))};
    };
    const std::uint64_t generation = way.generation;
    const int copies = numbers_.below(100) < doubled_percent_ ? 2 : 1;
    for (int copy = 0; copy < copies; ++copy) {
        Millis delay = options_.least_delay + within(options_.most_delay - options_.least_delay);
        delay += way.more;
        if (numbers_.below(100) < late_percent_) delay += within(late_most_);
        at(now() + delay, [this, mail, generation] {
            if (link(mail.from, mail.to).generation == generation)
                deliver(mail);
            else
                lose(mail);
        });
    }
}

inline void RaftCluster::deliver(const Mail& mail) {
    Node& to = node(mail.to);
    if (to.up && to.paused) {
        to.held.push_back([this, mail] { deliver(mail); });
        return;
    }
    // It may not have heard of a new life, but does not go back to an old one.
    const bool meant = mail.to_life == to.life && mail.from_life >= life_known(mail.to, mail.from);
    if (to.up && !meant && on_former_self) on_former_self(mail);
    if (!to.up || !meant) return lose(mail);
    to.met[mail.from] = mail.from_life;
    const int result = library_.step(to.raft, mail.bytes.data(), mail.bytes.size());
    if (result != RAFT_HOST_PANIC) note_answer(mail.to, mail);
    call(mail.to, result);
    if (mail.about.kind == RAFT_HOST_SNAPSHOT) report_snapshot(mail, true);
}

inline void RaftCluster::lose(const Mail& mail) {
    if (mail.about.kind == RAFT_HOST_SNAPSHOT) report_snapshot(mail, false);
}

/// The sender learns a little later what became of a snapshot: it waits for that.
inline void RaftCluster::report_snapshot(const Mail& mail, bool delivered) {
    on(mail.from, now() + 2 * options_.tick, [this, mail, delivered] {
        const auto peer = static_cast<std::uint64_t>(mail.to);
        call(mail.from, library_.report_snapshot(node(mail.from).raft, peer, delivered ? 1 : 0));
    });
}

/// What a broker does with an answer, after the library has taken it in.
inline void RaftCluster::note_answer(NodeId id, const Mail& mail) {
    Node& each = node(id);
    const raft_host_message& about = mail.about;
    const bool is_append = about.kind == RAFT_HOST_APPEND_RESPONSE;
    const bool is_answer = is_append || about.kind == RAFT_HOST_HEARTBEAT_RESPONSE;
    const Shown shown = show(id);
    if (shown.leads()) each.contacts.lead(shown.state.term);
    if (options_.notes_everything && !is_answer)
        each.contacts.note_append(mail.from, shown.state.term, true, now());
    if (!is_answer || !shown.leads()) return;
    if (is_append)
        each.contacts.note_append(mail.from, about.term, about.reject == 0, now());
    else
        each.contacts.note_heartbeat(mail.from, about.term, now());
    if (on_answer) on_answer(id, mail);
}

inline void RaftCluster::isolate(NodeId id) {
    for (const NodeId other : ids_) {
        if (other == id) continue;
        for (Link* way : {&link(id, other), &link(other, id)}) {
            way->cut = true;
            ++way->generation;
        }
    }
}

inline void RaftCluster::deliver_mail(NodeId from) {
    const auto held = held_mail_.extract(from);
    if (held.empty()) return;
    for (const Mail& mail : held.mapped()) deliver(mail);
}

inline void RaftCluster::heal_links() {
    loses_appends_.clear();
    for (auto& [ends, way] : links_) {
        way.cut = false;
        way.more = Millis{0};
    }
}

inline void RaftCluster::resume(NodeId id) {
    Node& each = node(id);
    each.paused = false;
    for (const auto& what : std::exchange(each.held, {}))
        if (each.up) what();
}

inline void RaftCluster::crash(NodeId id) {
    Node& each = node(id);
    if (!each.up) return;
    each.up = false;
    each.paused = false;
    each.held.clear();
    ++each.process;
    each.queued = 0;
    each.neighbours.clear();
    each.met.clear();
    (void)library_.crash(each.raft);
}

inline void RaftCluster::restart(NodeId id) {
    Node& each = node(id);
    if (each.up) return;
    each.up = true;
    each.disk_free = now();
    call(id, library_.restart(each.raft));
}

inline void RaftCluster::wipe(NodeId id) {
    Node& each = node(id);
    if (library_.wipe(each.raft) != RAFT_HOST_OK)
        throw BrokenLibrary{fmt::format("node {} cannot be wiped", id)};
    ++each.life;
}

inline unsigned RaftCluster::life_known(NodeId by, NodeId of) const {
    if (by == of) return node(of).life;
    const auto lives = added_.find(of);
    if (lives == added_.end()) return 0;
    const Index applied = show(by).state.applied;
    unsigned known = 0;
    for (const auto& [life, index] : lives->second)
        if (index <= applied) known = life;
    return known;
}

} // namespace hosts
