// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization
import TributaryCore

/// Computes devices' work on several threads; one of them is the caller, who helps when it must wait.
///
/// Tasks are begun in the order in which they are expected to be needed. Results do not depend on the threads.
final class TrainingPool {
    /// What one thread computes with: kernels' memory and the like.
    typealias Worker = (TrainingTask) -> Result<TrainingTask.Result, TrainingTask.Failure>

    private struct Shared: Sendable {
        var tasks = EventQueue<TrainingTask>()
        var isClosed = false
    }

    /// Tasks that a thread takes at a time, so that small ones do not meet at the lock.
    private static let chunkCount = 4
    /// Tasks that are gathered before other threads hear of them.
    private static let stageCount = 16

    private let shared: Shelf
    private let own: Worker
    private let threadCount: Int
    private let finished = DispatchGroup()
    private var staged: [(task: TrainingTask, due: Moment)] = []

    /// What all threads see.
    private final class Shelf: Sendable {
        let state = Mutex(Shared())
        let work = DispatchSemaphore(value: 0)
        let progress = DispatchSemaphore(value: 0)
        /// Set while the caller sleeps until some task is done.
        let isAwaited = Atomic<Bool>(false)
    }

    /// Starts `threadCount - 1` threads beside the caller's.
    ///
    /// `makeWorker` is called once on each thread.
    init(threadCount: Int, makeWorker: @escaping @Sendable () -> Worker) {
        self.threadCount = max(1, threadCount)
        shared = Shelf()
        own = makeWorker()
        for _ in 1..<max(1, threadCount) {
            DispatchQueue(label: "training").async(group: finished) { [shared] in
                Self.serve(shared, makeWorker())
            }
        }
    }

    /// Queues a task that will be needed at about the moment `due`.
    func submit(_ task: TrainingTask, due: Moment) {
        guard threadCount > 1 else { return }
        staged.append((task, due))
        if staged.count >= Self.stageCount { flush() }
    }

    /// Returns when the task is done.
    func wait(for task: TrainingTask) {
        guard !task.isDone else { return }
        flush()
        if task.claim() { return task.finish(own(task)) }
        while !task.isDone {
            if let other = takeOne() {
                other.finish(own(other))
                continue
            }
            shared.isAwaited.store(true, ordering: .sequentiallyConsistent)
            if task.isDone { break }
            _ = shared.progress.wait(timeout: .now() + .milliseconds(1))
        }
        shared.isAwaited.store(false, ordering: .sequentiallyConsistent)
    }

    /// Computes a task again whose delta was dropped.
    func recompute(_ task: TrainingTask) { task.restore(own(task)) }

    /// Ends the threads once they have finished what they are at.
    func close() {
        shared.state.withLock {
            $0.isClosed = true
            $0.tasks = EventQueue()
        }
        for _ in 1..<threadCount { shared.work.signal() }
        finished.wait()
    }

    /// Another task to spend the wait on.
    private func takeOne() -> TrainingTask? {
        while let task = shared.state.withLock({ Self.take(&$0, atMost: 1) }).tasks.first {
            if task.claim() { return task }
        }
        return nil
    }

    private func flush() {
        guard !staged.isEmpty else { return }
        shared.state.withLock { state in
            for entry in staged { state.tasks.push(entry.task, at: entry.due) }
        }
        staged.removeAll(keepingCapacity: true)
        for _ in 1..<threadCount { shared.work.signal() }
    }

    private static func serve(_ shelf: Shelf, _ worker: Worker) {
        while true {
            let (tasks, isClosed) = shelf.state.withLock { take(&$0, atMost: chunkCount) }
            if isClosed { return }
            if tasks.isEmpty {
                shelf.work.wait()
                continue
            }
            for task in tasks where task.claim() {
                task.finish(worker(task))
                if shelf.isAwaited.load(ordering: .sequentiallyConsistent) { shelf.progress.signal() }
            }
        }
    }

    private static func take(_ state: inout Shared, atMost count: Int) -> (tasks: [TrainingTask], isClosed: Bool) {
        if state.isClosed { return ([], true) }
        var taken: [TrainingTask] = []
        while taken.count < count, let entry = state.tasks.pop() {
            if !entry.event.isTaken { taken.append(entry.event) }
        }
        return (taken, false)
    }
}
