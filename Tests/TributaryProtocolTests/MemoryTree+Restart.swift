// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryProtocol

extension MemoryTree {
    /// A node's process dies: what is on its way to or from it is lost, and its neighbours notice.
    mutating func stop(_ name: NodeName) {
        dead.insert(name)
        queue.removeAll { item in
            switch item.delivery {
            case .up(name, _, _), .up(_, name, _), .down(name, _, _), .down(_, name, _), .work(name, _, _): true
            default: false
            }
        }
        if let parent = specs[name]?.parent.map({ NodeName($0) }), !dead.contains(parent) {
            perform(aggregators[parent]?.handle(.childGone(name, .lost), at: now) ?? [], at: parent)
        }
        offline.formUnion(children(of: name))
        offline.insert(name)
        for child in children(of: name) where !dead.contains(child) {
            perform(clients[child]?.handle(.disconnected, at: now) ?? [], at: child)
            perform(aggregators[child]?.handle(.parentGone, at: now) ?? [], at: child)
        }
    }

    /// It starts again with nothing but its journal; everybody connects again.
    mutating func restart(_ name: NodeName) {
        guard let spec = specs[name], let layout = try? Self.layout(), dead.contains(name) else { return }
        dead.remove(name)
        sums[name] = nil
        aggregators[name] = try? machine(for: spec, layout, memory: memory(of: name))
        perform(aggregators[name]?.handle(.alarm, at: now) ?? [], at: name)
        if spec.parent != nil { push(.connect(name)) }
        for child in children(of: name) { push(.connect(child), after: .milliseconds(50)) }
    }

    /// A node goes to another parent; what is on its way between it and the old one is lost.
    mutating func move(_ name: NodeName, to parent: NodeName) {
        guard !dead.contains(name), let old = specs[name]?.parent.map({ NodeName($0) }), old != parent else { return }
        queue.removeAll { item in
            switch item.delivery {
            case .up(name, old, _), .down(old, name, _): true
            default: false
            }
        }
        offline.insert(name)
        if !dead.contains(old) {
            perform(aggregators[old]?.handle(.childGone(name, .lost), at: now) ?? [], at: old)
        }
        perform(clients[name]?.handle(.disconnected, at: now) ?? [], at: name)
        perform(aggregators[name]?.handle(.parentGone, at: now) ?? [], at: name)
        specs[name]?.parent = parent.value
        push(.connect(name), after: .milliseconds(20))
    }

    func memory(of name: NodeName) -> RunMemory? {
        guard let records = journals[name] else { return nil }
        var memory = RunMemory(run: run)
        for record in records { memory.apply(record) }
        return memory
    }

    func children(of name: NodeName) -> [NodeName] {
        specs.values.filter { $0.parent == name.value }.map { NodeName($0.name) }.sorted()
    }
}
