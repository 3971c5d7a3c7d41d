// Part of isr_manager.hpp. The wait-free reads.

namespace insync {

template <class View, class C>
[[gnu::always_inline]] inline detail::Cell* IsrManager<View, C>::find_word(
    std::string_view topic, PartitionId partition) const noexcept {
    return engine_.partitions.topics.find(topic, partition);
}

template <class View, class C>
bool IsrManager<View, C>::has_min_isr(std::string_view topic,
                                      PartitionId partition) const noexcept {
    const detail::StateWord word = engine_.partitions.guard.read([this, topic, partition] {
        const detail::Cell* const cell = find_word(topic, partition);
        return cell == nullptr ? detail::StateWord{}
                               : detail::StateWord{cell->load(std::memory_order_acquire)};
    });
    if (!word.present()) [[unlikely]]
        return engine_.config.unknown_partition == UnknownPartition::allow;
    return word.has_min();
}

template <class View, class C>
[[gnu::always_inline]] inline PartitionHandle IsrManager<View, C>::find(
    std::string_view topic, PartitionId partition) const noexcept {
    return engine_.partitions.guard.read([this, topic, partition] {
        detail::Cell* const cell = find_word(topic, partition);
        if (cell == nullptr) return PartitionHandle{};
        const detail::StateWord word{cell->load(std::memory_order_acquire)};
        return word.present() ? PartitionHandle{cell, word.identity()} : PartitionHandle{};
    });
}

template <class View, class C>
std::optional<IsrSet> IsrManager<View, C>::get_isr(std::string_view topic,
                                                   PartitionId partition) const noexcept {
    return get_isr(find(topic, partition));
}

template <class View, class C>
std::optional<IsrSet> IsrManager<View, C>::get_isr(const PartitionHandle& handle) const noexcept {
    // Made in place: an empty optional would be filled with zeros first.
    std::optional<IsrSet> result{std::in_place};
    bool found = false;
    if (handle.word_ != nullptr)
        engine_.partitions.published.read(*handle.word_, handle.identity_,
                                          [&](const detail::Decision& decision) {
                                              found = decision.word.present();
                                              if (found) engine_.fill(decision, *result);
                                          });
    if (!found) [[unlikely]]
        result.reset();
    return result;
}

template <class View, class C>
bool IsrManager<View, C>::is_in_sync(std::string_view topic,
                                     PartitionId partition,
                                     NodeId node) const noexcept {
    const std::optional<IsrSet> set = get_isr(topic, partition);
    return set && set->contains(node);
}

template <class View, class C>
std::optional<Index> IsrManager<View, C>::high_watermark(
    const PartitionHandle& handle) const noexcept {
    std::optional<Index> result;
    if (handle.word_ == nullptr) return result;
    // The line is read first: if the decision read afterwards is still this partition's own, the
    // line was its line.
    const std::uint32_t slot = detail::StateWord{handle.identity_}.slot();
    const Index index = engine_.partitions.line(slot).high_watermark();
    engine_.partitions.published.read(*handle.word_, handle.identity_,
                                      [&](const detail::Decision& decision) {
                                          result.reset();
                                          if (decision.word.present() && decision.own)
                                              result = index;
                                      });
    return result;
}

template <class View, class C>
std::optional<Index> IsrManager<View, C>::high_watermark(std::string_view topic,
                                                         PartitionId partition) const noexcept {
    return high_watermark(find(topic, partition));
}

} // namespace insync
