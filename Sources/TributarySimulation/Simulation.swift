// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
package import TributaryRing
package import TributaryTopology

/// A federation in virtual time: the same machines as a deployment's, driven from event to event.
///
/// One thread uses it. The same setup gives the same run, to the bit, on any number of threads.
package final class Simulation {
    /// Judges flat parameters after a round.
    package typealias Judge = (_ parameters: [Float], _ round: UInt32) throws -> [MetricCounter]

    /// Sees an event of a node or device at a moment of virtual time.
    package typealias Observer = (_ who: NodeName, _ event: TelemetryEvent, _ now: Moment) -> Void

    /// What a simulation is made from.
    package struct Setup {
        package var tree: Tree
        /// The digest by which nodes compare their topology files.
        package var digest: Digest
        package var layout: ParameterLayout
        /// The initial model, flat, in layout order.
        package var parameters: [Float]
        package var work: FleetWork
        /// The root's judgement of a model; `nil` where there is nothing to judge on.
        package var evaluate: Judge?
        /// The waking times of a trace file, when the topology names one.
        package var traces: AvailabilityTraces?
        package var threadCount: Int
        /// Where an earlier run stopped; `nil` starts anew.
        package var checkpoint: SimulationCheckpoint?
        /// Memory for deltas that wait to be folded; beyond it they are computed again.
        var deltaByteCountMax = SimulationForecast.deltaByteCountMax

        package init(
            tree: Tree, digest: Digest, layout: ParameterLayout, parameters: [Float], work: FleetWork,
            evaluate: Judge?, traces: AvailabilityTraces? = nil, threadCount: Int,
            checkpoint: SimulationCheckpoint? = nil
        ) {
            self.checkpoint = checkpoint
            self.tree = tree
            self.digest = digest
            self.layout = layout
            self.parameters = parameters
            self.work = work
            self.evaluate = evaluate
            self.traces = traces
            self.threadCount = threadCount
        }
    }

    /// Where a run stands after a stretch of events.
    package enum Step {
        /// Nothing that a reader of the run would note.
        case working
        /// A round of the root is over.
        case round(RunRecord.Round)
        case finished
    }

    var driver: EventDriver

    /// Sets the tree up at virtual time zero; `advance` makes time pass, and `observer` sees it from the start.
    ///
    /// - Throws: when there is no memory for the sums.
    package init(_ setup: Setup, observer: Observer? = nil) throws { driver = try EventDriver(setup, observer) }

    /// The virtual clock.
    package var now: Moment { driver.now }
    /// Events that have happened.
    package var eventCount: UInt64 { driver.eventCount }

    /// Lets up to `eventCountMax` events happen; returns early when a round ends.
    ///
    /// - Throws: `SimulationError.stalled`, and what the root's evaluation throws.
    package func advance(eventCountMax: Int) throws -> Step { try driver.advance(eventCountMax: eventCountMax) }
}
