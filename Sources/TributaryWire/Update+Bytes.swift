// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CTributaryWire
internal import TributaryCore

// Update, SumOffer, SumGrant and Sum, written and read.

extension MessageArena {
    func key(_ value: UpdateKey) -> UnsafeMutablePointer<Tributary__V1__UpdateKey> {
        let key = make(tributary__v1__update_key__init)
        key.pointee.node = text(value.node.value)
        key.pointee.sequence = value.sequence
        return key
    }

    func key(_ value: SumKey) -> UnsafeMutablePointer<Tributary__V1__SumKey> {
        let key = make(tributary__v1__sum_key__init)
        key.pointee.node = text(value.node.value)
        key.pointee.number = number(value.number)
        key.pointee.revision = value.revision
        return key
    }

    func update(_ value: Update) -> UnsafeMutablePointer<Tributary__V1__Update> {
        let update = make(tributary__v1__update__init)
        let groups = value.groups.map { group in
            let item = make(tributary__v1__update_group__init)
            item.pointee.weight = group.weight
            item.pointee.encoding = Tributary__V1__Encoding(UInt32(group.encoding.rawValue))
            item.pointee.byte_count = group.byteCount
            return item
        }
        update.pointee.key = key(value.key)
        update.pointee.number = number(value.number)
        update.pointee.base_digest = digest(value.base)
        update.pointee.n_groups = groups.count
        update.pointee.groups = list(groups)
        update.pointee.n_metrics = value.metrics.count
        update.pointee.metrics = list(value.metrics.map(metric))
        update.pointee.body = value.body.map(object)
        update.pointee.voice = value.voice.map(voice)
        update.pointee.signature = value.signature.map(signature)
        return update
    }

    private func voice(_ value: Update.Voice) -> UnsafeMutablePointer<Tributary__V1__Voice> {
        let voice = make(tributary__v1__voice__init)
        voice.pointee.chosen_count = value.chosenCount
        voice.pointee.contributor_count = value.contributorCount
        return voice
    }

    private func signature(_ value: Update.Signature) -> UnsafeMutablePointer<Tributary__V1__UpdateSignature> {
        let signature = make(tributary__v1__update_signature__init)
        signature.pointee.epoch = value.epoch.value
        signature.pointee.value = bytes(of: value.value)
        return signature
    }

    private func metric(_ value: MetricCounter) -> UnsafeMutablePointer<Tributary__V1__MetricCounter> {
        let metric = make(tributary__v1__metric_counter__init)
        metric.pointee.name = text(value.name)
        metric.pointee.numerator = value.numerator
        metric.pointee.denominator = value.denominator
        return metric
    }

    func sumOffer(_ value: SumOffer) -> UnsafeMutablePointer<Tributary__V1__SumOffer> {
        let offer = make(tributary__v1__sum_offer__init)
        offer.pointee.key = key(value.key)
        offer.pointee.names = value.names.map(object)
        offer.pointee.chosen_count = value.chosenCount
        offer.pointee.contributor_count = value.contributorCount
        offer.pointee.contribution_count = value.contributionCount
        offer.pointee.reason = text(value.reason?.rawValue ?? "")
        return offer
    }

    func sumGrant(_ value: SumGrant) -> UnsafeMutablePointer<Tributary__V1__SumGrant> {
        let grant = make(tributary__v1__sum_grant__init)
        grant.pointee.key = key(value.key)
        grant.pointee.excluded_names = names(value.exclude)
        grant.pointee.only_names = names(value.only)
        return grant
    }

    /// Names one after another, high words first.
    func names(_ values: [ContributionName]) -> ProtobufCBinaryData {
        let names = bytes(count: values.count * ContributionName.byteCount)
        let buffer = UnsafeMutableRawBufferPointer(start: names.data, count: names.len)
        for (position, name) in values.enumerated() {
            let offset = position * ContributionName.byteCount
            buffer.storeBytes(of: name.high.bigEndian, toByteOffset: offset, as: UInt64.self)
            buffer.storeBytes(of: name.low.bigEndian, toByteOffset: offset + 8, as: UInt64.self)
        }
        return names
    }

    func sum(_ value: Sum) -> UnsafeMutablePointer<Tributary__V1__Sum> {
        let sum = make(tributary__v1__sum__init)
        let groups = value.groups.map { group in
            let item = make(tributary__v1__sum_group__init)
            item.pointee.total_weight = group.totalWeight
            item.pointee.byte_count = group.byteCount
            return item
        }
        sum.pointee.key = key(value.key)
        sum.pointee.base_digest = digest(value.base)
        sum.pointee.contributor_count = value.contributorCount
        sum.pointee.contribution_count = value.contributionCount
        sum.pointee.n_groups = groups.count
        sum.pointee.groups = list(groups)
        sum.pointee.n_metrics = value.metrics.count
        sum.pointee.metrics = list(value.metrics.map(metric))
        sum.pointee.body = value.body.map(object)
        sum.pointee.attestation_byte_count = value.attestationByteCount
        return sum
    }
}

extension Field {
    static func key(
        _ pointer: UnsafeMutablePointer<Tributary__V1__UpdateKey>?, _ field: String
    ) throws(WireError) -> UpdateKey {
        let item = try present(pointer, field)
        return UpdateKey(
            node: NodeName(try name(item.node, "\(field).node")),
            sequence: try atMost(item.sequence, UInt64(Int64.max), "\(field).sequence"))
    }

    static func key(
        _ pointer: UnsafeMutablePointer<Tributary__V1__SumKey>?, _ field: String
    ) throws(WireError) -> SumKey {
        let item = try present(pointer, field)
        return SumKey(
            node: NodeName(try name(item.node, "\(field).node")),
            number: try number(item.number, "\(field).number"),
            revision: try atMost(item.revision, UInt32(Int32.max), "\(field).revision"))
    }

    /// Weights and shares of the body are left as they are: the machine compares them with its plan.
    static func update(_ item: Tributary__V1__Update) throws(WireError) -> Update {
        Update(
            key: try key(item.key, "update.key"),
            number: try number(item.number, "update.number"),
            base: try digest(item.base_digest, "update.base_digest"),
            groups: try list(item.n_groups, item.groups, "update.groups", maximum: Limits.groupCountMax) {
                (group) throws(WireError) in
                Update.Group(
                    weight: group.weight,
                    encoding: try encoding(group.encoding.rawValue),
                    byteCount: try atMost(group.byte_count, Limits.objectByteCountMax, "update group's byte_count"))
            },
            metrics: try list(item.n_metrics, item.metrics, "update.metrics", maximum: Limits.metricCountMax, metric),
            body: try objectIfAny(item.body, "update.body"),
            voice: try voiceIfAny(item.voice), signature: try signatureIfAny(item.signature))
    }

    private static func signatureIfAny(
        _ pointer: UnsafeMutablePointer<Tributary__V1__UpdateSignature>?
    ) throws(WireError) -> Update.Signature? {
        guard let item = pointer?.pointee else { return nil }
        return Update.Signature(
            epoch: TopologyEpoch(try atMost(item.epoch, UInt64(Int64.max), "update.signature.epoch")),
            value: try bytes(item.value, "update.signature.value", byteCount: Update.Signature.byteCount))
    }

    private static func voiceIfAny(
        _ pointer: UnsafeMutablePointer<Tributary__V1__Voice>?
    ) throws(WireError) -> Update.Voice? {
        guard let item = pointer?.pointee else { return nil }
        let chosen = try atMost(item.chosen_count, Limits.clientCountMax, "update.voice.chosen_count")
        guard item.contributor_count >= 1, item.contributor_count <= chosen else {
            throw .malformed("update.voice.contributor_count lies in 1...chosen_count")
        }
        return Update.Voice(chosenCount: chosen, contributorCount: item.contributor_count)
    }

    private static func metric(_ item: Tributary__V1__MetricCounter) throws(WireError) -> MetricCounter {
        MetricCounter(
            name: try name(item.name, "metric.name"), numerator: item.numerator, denominator: item.denominator)
    }

    static func sumOffer(_ item: Tributary__V1__SumOffer) throws(WireError) -> SumOffer {
        let hasReason = item.reason.map { $0.pointee != 0 } ?? false
        return SumOffer(
            key: try key(item.key, "sum_offer.key"),
            names: try objectIfAny(item.names, "sum_offer.names"),
            chosenCount: try atMost(item.chosen_count, Limits.clientCountMax, "sum_offer.chosen_count"),
            contributorCount: try atMost(
                item.contributor_count, Limits.clientCountMax, "sum_offer.contributor_count"),
            contributionCount: try atMost(item.contribution_count, Limits.cohortMax, "sum_offer.contribution_count"),
            reason: hasReason ? try reason(item.reason, "sum_offer.reason") : nil)
    }

    static func sumGrant(_ item: Tributary__V1__SumGrant) throws(WireError) -> SumGrant {
        SumGrant(
            key: try key(item.key, "sum_grant.key"),
            exclude: try names(item.excluded_names, "sum_grant.excluded_names"),
            only: try names(item.only_names, "sum_grant.only_names"))
    }

    /// A bounded list of names in ascending order.
    static func names(_ data: ProtobufCBinaryData, _ field: String) throws(WireError) -> [ContributionName] {
        let bytes = UnsafeRawBufferPointer(start: data.data, count: data.len)
        let size = ContributionName.byteCount
        guard bytes.count % size == 0 else {
            throw .malformed("\(field) has \(bytes.count) bytes; names have \(size) each")
        }
        try atMost(bytes.count / size, Limits.excludedNameCountMax, field)
        let names = stride(from: 0, to: bytes.count, by: size).map { offset in
            ContributionName(
                high: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)),
                low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)))
        }
        guard zip(names, names.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw .malformed("\(field) is not sorted, or has a name twice")
        }
        return names
    }

    static func sum(_ item: Tributary__V1__Sum) throws(WireError) -> Sum {
        Sum(
            key: try key(item.key, "sum.key"),
            base: try digest(item.base_digest, "sum.base_digest"),
            contributorCount: try atMost(item.contributor_count, Limits.clientCountMax, "sum.contributor_count"),
            contributionCount: try atMost(item.contribution_count, Limits.cohortMax, "sum.contribution_count"),
            groups: try list(item.n_groups, item.groups, "sum.groups", maximum: Limits.groupCountMax) {
                (group) throws(WireError) in
                Sum.Group(
                    totalWeight: try atMost(group.total_weight, 1 << 62, "sum group's total_weight"),
                    byteCount: try atMost(group.byte_count, Limits.objectByteCountMax, "sum group's byte_count"))
            },
            metrics: try list(item.n_metrics, item.metrics, "sum.metrics", maximum: Limits.metricCountMax, metric),
            body: try objectIfAny(item.body, "sum.body"),
            attestationByteCount: try atMost(
                item.attestation_byte_count, Limits.objectByteCountMax, "sum.attestation_byte_count"))
    }
}
