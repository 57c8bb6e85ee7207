// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CTributaryWire
internal import TributaryCore
internal import TributaryRing

// Hello, Welcome, Ready, Leave, Wait and Drain, written and read.

extension MessageArena {
    func hello(_ value: Hello) -> UnsafeMutablePointer<Tributary__V1__Hello> {
        let hello = make(tributary__v1__hello__init)
        hello.pointee.node = text(value.node.value)
        switch value.role {
        case .client(let index):
            hello.pointee.role_case = TRIBUTARY__V1__HELLO__ROLE_CLIENT_INDEX
            hello.pointee.client_index = index.value
        case .aggregator:
            hello.pointee.role_case = TRIBUTARY__V1__HELLO__ROLE_AGGREGATOR
            hello.pointee.aggregator = make(tributary__v1__aggregator_role__init)
        }
        hello.pointee.wire_version_min = value.wireVersions.lowerBound
        hello.pointee.wire_version_max = value.wireVersions.upperBound
        hello.pointee.n_encodings = value.encodings.count
        hello.pointee.encodings = values(value.encodings.map { Tributary__V1__Encoding(UInt32($0.rawValue)) })
        hello.pointee.topology_digest = digest(value.topology)
        return hello
    }

    func welcome(_ value: Welcome) -> UnsafeMutablePointer<Tributary__V1__Welcome> {
        let welcome = make(tributary__v1__welcome__init)
        welcome.pointee.wire_version = value.wireVersion
        welcome.pointee.layout = layout(value.layout)
        return welcome
    }

    private func layout(_ value: ParameterLayout) -> UnsafeMutablePointer<Tributary__V1__ParameterLayout> {
        let layout = make(tributary__v1__parameter_layout__init)
        let groups = value.groups.map { group in
            let tensors = value.tensors.filter { $0.group == group.name }.map(tensor)
            let item = make(tributary__v1__layout_group__init)
            item.pointee.name = text(group.name)
            item.pointee.n_tensors = tensors.count
            item.pointee.tensors = list(tensors)
            return item
        }
        layout.pointee.n_groups = groups.count
        layout.pointee.groups = list(groups)
        return layout
    }

    private func tensor(_ value: ParameterTensor) -> UnsafeMutablePointer<Tributary__V1__LayoutTensor> {
        let tensor = make(tributary__v1__layout_tensor__init)
        tensor.pointee.name = text(value.name)
        tensor.pointee.n_shape = value.shape.count
        tensor.pointee.shape = values(value.shape.map { UInt64(clamping: $0) })
        return tensor
    }

    func ready(_ value: Ready) -> UnsafeMutablePointer<Tributary__V1__Ready> {
        let ready = make(tributary__v1__ready__init)
        ready.pointee.client_count = value.clientCount
        return ready
    }

    func leave(_ value: Leave) -> UnsafeMutablePointer<Tributary__V1__Leave> {
        let leave = make(tributary__v1__leave__init)
        leave.pointee.reason = text(value.reason.rawValue)
        return leave
    }

    func wait(_ value: Wait) -> UnsafeMutablePointer<Tributary__V1__Wait> {
        let wait = make(tributary__v1__wait__init)
        wait.pointee.retry_after_ms = UInt64(clamping: value.retryAfter.milliseconds)
        return wait
    }

    func drain(_ value: Drain) -> UnsafeMutablePointer<Tributary__V1__Drain> {
        let drain = make(tributary__v1__drain__init)
        drain.pointee.reason = text(value.reason.rawValue)
        return drain
    }
}

extension Field {
    static func hello(_ item: Tributary__V1__Hello) throws(WireError) -> Hello {
        let role: Hello.Role
        switch item.role_case {
        case TRIBUTARY__V1__HELLO__ROLE_CLIENT_INDEX: role = .client(ClientIndex(item.client_index))
        case TRIBUTARY__V1__HELLO__ROLE_AGGREGATOR: role = .aggregator
        default: throw .malformed("hello.role is missing")
        }
        guard item.wire_version_min >= 1, item.wire_version_min <= item.wire_version_max else {
            throw .malformed("hello.wire_version_min must lie between 1 and wire_version_max")
        }
        try atMost(item.n_encodings, Limits.encodingCountMax, "hello.encodings")
        let numbers = UnsafeBufferPointer(start: item.encodings, count: item.n_encodings)
        return Hello(
            node: NodeName(try name(item.node, "hello.node")),
            role: role,
            wireVersions: item.wire_version_min...item.wire_version_max,
            encodings: numbers.compactMap { encodingIfKnown($0.rawValue) },
            topology: try digestIfAny(item.topology_digest, "hello.topology_digest"))
    }

    static func join(_ item: Tributary__V1__Join) throws(WireError) -> Join {
        let node = try text(item.node, "join.node", byteCountMax: Limits.nameByteCountMax)
        return Join(
            secret: try bytes(item.secret, "join.secret", byteCount: Join.secretByteCount),
            node: node.isEmpty ? nil : NodeName(node),
            signingKey: try bytes(item.signing_key, "join.signing_key", byteCount: 32),
            signature: try bytes(item.signature, "join.signature", byteCount: Update.Signature.byteCount))
    }

    static func joined(_ item: Tributary__V1__Joined) throws(WireError) -> Joined {
        let role: Hello.Role
        switch item.role_case {
        case TRIBUTARY__V1__JOINED__ROLE_CLIENT_INDEX: role = .client(ClientIndex(item.client_index))
        case TRIBUTARY__V1__JOINED__ROLE_AGGREGATOR: role = .aggregator
        default: throw .malformed("joined.role is missing")
        }
        return Joined(
            node: NodeName(try name(item.node, "joined.node")), role: role,
            parent: NodeName(try name(item.parent, "joined.parent")),
            endpoint: try text(item.endpoint, "joined.endpoint", byteCountMax: Limits.textByteCountMax))
    }

    static func welcome(_ item: Tributary__V1__Welcome) throws(WireError) -> Welcome {
        Welcome(
            wireVersion: try atLeastOne(item.wire_version, "welcome.wire_version"),
            layout: try layout(try present(item.layout, "welcome.layout")))
    }

    /// Rebuilds a layout by its checking initialiser, after its counts and products are known to be bounded.
    private static func layout(_ item: Tributary__V1__ParameterLayout) throws(WireError) -> ParameterLayout {
        var tensors: [ParameterTensor] = []
        var names: Set<String> = []
        var parametersLeft = Limits.objectByteCountMax / 4
        try atMost(item.n_groups, Limits.groupCountMax, "layout.groups")
        for position in 0..<item.n_groups {
            let group = try present(item.groups[position], "layout.groups")
            let groupName = try name(group.name, "layout group's name")
            guard names.insert(groupName).inserted, group.n_tensors > 0 else {
                throw .malformed("a layout's group has no tensors, or comes twice")
            }
            let left = Limits.tensorCountMax - tensors.count
            tensors += try list(group.n_tensors, group.tensors, "layout tensors", maximum: left) {
                (item) throws(WireError) in
                try tensor(item, group: groupName, parametersLeft: &parametersLeft)
            }
        }
        do {
            return try ParameterLayout(tensors: tensors)
        } catch {
            throw .malformed("welcome.layout: \(error)")
        }
    }

    private static func tensor(
        _ item: Tributary__V1__LayoutTensor, group: String, parametersLeft: inout UInt64
    ) throws(WireError) -> ParameterTensor {
        try atMost(item.n_shape, Limits.extentCountMax, "tensor.shape")
        var count: UInt64 = 1
        var shape: [Int] = []
        for extent in UnsafeBufferPointer(start: item.shape, count: item.n_shape) {
            count *= try atMost(try atLeastOne(extent, "tensor.shape"), parametersLeft / count, "tensor.shape")
            shape.append(Int(extent))
        }
        try atMost(count, parametersLeft, "the number of parameters")
        parametersLeft -= count
        return ParameterTensor(name: try name(item.name, "tensor.name"), group: group, shape: shape)
    }

    static func ready(_ item: Tributary__V1__Ready) throws(WireError) -> Ready {
        Ready(clientCount: try atMost(item.client_count, Limits.clientCountMax, "ready.client_count"))
    }

    static func leave(_ item: Tributary__V1__Leave) throws(WireError) -> Leave {
        Leave(reason: try reason(item.reason, "leave.reason"))
    }

    static func wait(_ item: Tributary__V1__Wait) throws(WireError) -> Wait {
        Wait(retryAfter: try duration(milliseconds: item.retry_after_ms, "wait.retry_after_ms"))
    }

    static func drain(_ item: Tributary__V1__Drain) throws(WireError) -> Drain {
        Drain(reason: try reason(item.reason, "drain.reason"))
    }
}
