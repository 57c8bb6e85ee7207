// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

// Checks of what a simulation assumes: numbers first, then the tiers that it names. Nodes are looked for in the placed
// tree, by `TreeLayout`.

extension TopologyCheck {
    mutating func checkSimulation() {
        let simulation = topology.simulation
        for (name, link) in simulation.links.sorted(by: { $0.key < $1.key }) {
            checkLinkTier(name, "simulate.links.\(name)")
            checkLink(link, "simulate.links.\(name)")
        }
        for (name, link) in simulation.nodeLinks.sorted(by: { $0.key < $1.key }) {
            checkLink(link, "simulate.node-links.\(name)")
        }
        checkCompute(simulation.compute, "simulate.compute")
        checkAvailability(simulation.availability, "simulate.availability")
        checkEnergy(simulation.energy, "simulate.energy")
        checkClasses(simulation.classes)
        for (index, fault) in simulation.faults.enumerated() { checkFault(fault, "simulate.faults[\(index)]") }
    }

    private mutating func checkLinkTier(_ name: String, _ path: String) {
        let names = topology.tiers.dropFirst().map(\.name)
        guard knowsNames, !names.contains(name) else { return }
        guard topology.tiers.first?.name == name else {
            report(
                .unknownTier, path, "there is no tier '\(name)'; links belong to the tiers below the root",
                suggestion: Spelling.closest(to: name, among: names))
            return
        }
        report(.misplaced, path, "'\(name)' is the root, which has no parent; the link below it is its child's")
    }

    private mutating func checkLink(_ link: LinkSettings, _ path: String) {
        let isSame = link.bandwidthUp == link.bandwidthDown
        let ways = [(isSame ? "" : ".up", link.bandwidthUp)] + (isSame ? [] : [(".down", link.bandwidthDown)])
        for (key, value) in ways where !(value >= 1 && (value <= 1e15 || value == .infinity)) {
            report(
                .range, "\(path).bandwidth\(key)",
                "a bandwidth must be at least 1bit a second; leave it out where nothing limits the link")
        }
        if link.latency < .zero { report(.range, "\(path).latency", "a latency cannot be negative") }
        if link.jitter < .zero { report(.range, "\(path).jitter", "a jitter cannot be negative") }
        if !(link.loss >= 0 && link.loss < 1) {
            report(
                .range, "\(path).loss",
                "a loss must lie in [0, 1): a link that loses everything never delivers; use a partition fault")
        }
    }

    private mutating func checkCompute(_ compute: ComputeModel, _ path: String) {
        switch compute {
        case .constant(let time):
            if time < .zero { report(.range, "\(path).time", "the time of a batch cannot be negative") }
        case .lognormal(let median, let sigma):
            if median <= .zero { report(.range, "\(path).median", "a median must be positive; or use constant") }
            if !(sigma >= 0 && sigma <= 4) {
                report(.range, "\(path).sigma", "sigma must lie in 0...4")
            }
        case .cpu(let frequency, let cyclesPerBit):
            checkFrequency(frequency, "\(path).frequency")
            if !(cyclesPerBit > 0 && cyclesPerBit.isFinite) {
                report(.range, "\(path).cycles-per-bit", "must be positive")
            }
        }
    }

    private mutating func checkFrequency(_ frequency: Double, _ path: String) {
        if !(frequency >= 1 && frequency <= 1e12) { report(.range, path, "a frequency must lie in 1Hz...1000GHz") }
    }

    private mutating func checkAvailability(_ availability: AvailabilityModel, _ path: String) {
        switch availability {
        case .always, .trace:
            break
        case .diurnal(let mean, let amplitude, let peak, let zones):
            guard mean > 0, mean <= 1 else {
                report(.range, "\(path).mean", "the mean share of reachable devices must lie in (0, 1]")
                return
            }
            let largest = AvailabilityModel.amplitudeDefault(mean: mean)
            // The slack forgives the rounding of 1 - mean.
            if !(amplitude >= 0 && amplitude <= largest + 1e-9) {
                report(
                    .range, "\(path).amplitude",
                    "with mean \(mean) the amplitude must lie in 0...\(largest), so that the share stays in 0...1")
            }
            if peak < .zero || peak >= .seconds(24 * 3600) {
                report(.range, "\(path).peak", "the peak is a time of day from 0h to below 24h")
            }
            if zones.isEmpty || zones.count > 64 { report(.count, "\(path).zones", "give 1 to 64 zones") }
            for (index, zone) in zones.enumerated() where !AvailabilityModel.zoneRange.contains(zone) {
                report(.range, "\(path).zones[\(index)]", "a zone is a whole number of hours in -12...14 from UTC")
            }
        case .markov(let up, let down):
            if up <= .zero { report(.range, "\(path).up", "the mean time up must be positive") }
            if down <= .zero { report(.range, "\(path).down", "the mean time down must be positive; or use always") }
        }
    }

    private mutating func checkEnergy(_ energy: EnergyModel, _ path: String) {
        switch energy.compute {
        case .power(let watts):
            checkPower(watts, "\(path).compute.draw")
        case .capacitance(let alpha, let frequency):
            if !(alpha > 0 && alpha <= 1) {
                report(.range, "\(path).compute.alpha", "must be positive and at most 1 farad; 2e-28 is usual")
            }
            checkFrequency(frequency, "\(path).compute.frequency")
        }
        checkPower(energy.transmitPower, "\(path).transmit")
        checkPower(energy.receivePower, "\(path).receive")
    }

    private mutating func checkPower(_ watts: Double, _ path: String) {
        if !(watts >= 0 && watts <= 1e6) { report(.range, path, "a power must lie in 0W...1000kW") }
    }

    private mutating func checkClasses(_ classes: [DeviceClass]) {
        if classes.count > 256 { report(.limit, "simulate.classes", "at most 256 classes are possible") }
        var names: Set<String> = []
        for (index, one) in classes.enumerated() {
            let path = "simulate.classes[\(index)]"
            if !Self.isNodeName(one.name) {
                report(.name, "\(path).name", "'\(one.name)' cannot be a class's name; \(Self.nameRule)")
            }
            if !names.insert(one.name).inserted {
                report(.duplicateName, "\(path).name", "two classes are called '\(one.name)'; give each its own name")
            }
            if !(one.share > 0 && one.share <= 1e12) {
                report(.range, "\(path).share", "a share must be positive; leave a class without devices out")
            }
            if let compute = one.compute { checkCompute(compute, "\(path).compute") }
            if let link = one.link { checkLink(link, "\(path).link") }
            if let availability = one.availability { checkAvailability(availability, "\(path).availability") }
            if let energy = one.energy { checkEnergy(energy, "\(path).energy") }
        }
    }
}

// MARK: - Faults

extension TopologyCheck {
    private mutating func checkFault(_ fault: Fault, _ path: String) {
        checkFaultNumbers(fault.kind, path)
        if fault.from < .zero {
            report(.range, "\(path).\(fault.kind.startKey)", "a fault cannot begin before the run")
        }
        if let until = fault.until, until <= fault.from {
            report(
                .range, "\(path).\(fault.kind.endKey)",
                "the fault ends at \(until.unitText), not after it begins at \(fault.from.unitText)")
        }
        guard case .tier(let name) = fault.target, knowsNames else { return }
        let place = "\(path).\(fault.kind.name).tier"
        guard let index = topology.tiers.firstIndex(where: { $0.name == name }) else {
            report(
                .fault, place, "there is no tier '\(name)'",
                suggestion: Spelling.closest(to: name, among: topology.tiers.map(\.name)))
            return
        }
        let isDevice = index == topology.tiers.count - 1
        if let text = fault.objection(name: name, isRoot: index == 0, isDevice: isDevice) {
            report(.fault, place, text)
        }
    }

    private mutating func checkFaultNumbers(_ kind: Fault.Kind, _ path: String) {
        switch kind {
        case .partition, .kill:
            break
        case .slow(let factor):
            if !(factor >= 1 && factor <= 1e6) { report(.range, "\(path).factor", "a factor must lie in 1...1000000") }
        case .clockSkew(let offset, let rate):
            if offset == .zero, rate == 0 { report(.fault, path, "a skew needs an 'offset' or a 'rate'") }
            if !(abs(rate) <= 100_000) {
                report(.range, "\(path).rate", "a rate must lie in -100000ppm...100000ppm, a tenth of the clock's pace")
            }
        case .corrupt(let probability), .duplicate(let probability), .drop(let probability):
            checkProbability(probability, path)
        case .reorder(let probability, let delay):
            checkProbability(probability, path)
            if delay <= .zero { report(.range, "\(path).delay", "a delay must be positive for others to overtake") }
        }
    }

    private mutating func checkProbability(_ probability: Double, _ path: String) {
        if !(probability >= 0 && probability <= 1) {
            report(.range, "\(path).probability", "a probability must lie in 0...1, or 0%...100%")
        }
    }
}

extension Fault {
    /// Why the fault cannot befall a node of such a place in the tree; `nil` when it can.
    fileprivate func objection(name: String, isRoot: Bool, isDevice: Bool) -> String? {
        switch kind {
        case .kill:
            isRoot && until == nil ? "'\(name)' is the root, without which no round ends; add 'restart'" : nil
        case .slow:
            isDevice ? nil : "'\(name)' does not train, so it cannot be slow; name a device or {tier: TIER} of devices"
        case .partition, .corrupt, .duplicate, .reorder, .drop:
            isRoot ? "'\(name)' is the root, which has no link to a parent; name a node below it" : nil
        case .clockSkew:
            nil
        }
    }
}

extension TreeLayout {
    /// What is wrong with the nodes that a simulation names.
    func simulationIssues() -> [TopologyIssue] {
        var issues: [TopologyIssue] = []
        for name in topology.simulation.nodeLinks.keys.sorted() {
            let path = "simulate.node-links.\(name)"
            if let position = positions[NodeName(name)] {
                guard position == Tree.root else { continue }
                issues.append(TopologyIssue(.misplaced, at: path, "'\(name)' is the root, which has no parent"))
            } else if topology.deviceIndex(named: name, deviceCount: deviceCount) == nil {
                issues.append(unknown(name, .unknownNode, at: path, ifTier: "its link belongs under 'links'"))
            }
        }
        for (index, fault) in topology.simulation.faults.enumerated() {
            guard case .node(let name) = fault.target else { continue }
            let path = "simulate.faults[\(index)].\(fault.kind.name)"
            let position = positions[name]
            if position == nil, topology.deviceIndex(named: name.value, deviceCount: deviceCount) == nil {
                let advice = "write {tier: \(name)} to mean all of its nodes"
                issues.append(unknown(name.value, .fault, at: path, ifTier: advice))
            } else if let text = fault.objection(
                name: name.value, isRoot: position == Tree.root, isDevice: position == nil)
            {
                issues.append(TopologyIssue(.fault, at: path, text))
            }
        }
        return issues
    }

    private func unknown(
        _ name: String, _ code: TopologyIssue.Code, at path: String, ifTier advice: String
    ) -> TopologyIssue {
        guard !topology.tiers.contains(where: { $0.name == name }) else {
            return TopologyIssue(code, at: path, "'\(name)' is a tier; \(advice)")
        }
        return TopologyIssue(
            code, at: path, "there is no node '\(name)' in any tier", suggestion: suggestion(for: name))
    }
}
