// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CTributaryWire
internal import TributaryCore
internal import TributaryRing

// RoundPlan and what it is made of, and Working, written and read.

extension MessageArena {
    func number(_ value: RoundNumber) -> UnsafeMutablePointer<Tributary__V1__RoundNumber> {
        let number = make(tributary__v1__round_number__init)
        number.pointee.round = value.round
        number.pointee.edge_round = value.edgeRound
        return number
    }

    func object(_ value: ObjectReference) -> UnsafeMutablePointer<Tributary__V1__ObjectReference> {
        let object = make(tributary__v1__object_reference__init)
        object.pointee.digest = digest(value.digest)
        object.pointee.byte_count = value.byteCount
        return object
    }

    func plan(_ value: RoundPlan) -> UnsafeMutablePointer<Tributary__V1__RoundPlan> {
        let plan = make(tributary__v1__round_plan__init)
        let groups = value.groups.map(group)
        plan.pointee.number = number(value.number)
        switch value.kind {
        case .train(let settings):
            plan.pointee.kind_case = TRIBUTARY__V1__ROUND_PLAN__KIND_TRAIN
            plan.pointee.train = train(settings)
        case .evaluate:
            plan.pointee.kind_case = TRIBUTARY__V1__ROUND_PLAN__KIND_EVALUATE
            plan.pointee.evaluate = make(tributary__v1__evaluate__init)
        }
        plan.pointee.model = model(value.model)
        plan.pointee.n_groups = groups.count
        plan.pointee.groups = list(groups)
        plan.pointee.selection = selection(value.selection)
        plan.pointee.time_left_ms = UInt64(clamping: value.timeLeft.milliseconds)
        plan.pointee.seed = value.seed
        plan.pointee.stepping = value.isStepping ? 1 : 0
        return plan
    }

    private func train(_ value: TrainSettings) -> UnsafeMutablePointer<Tributary__V1__TrainSettings> {
        let train = make(tributary__v1__train_settings__init)
        switch value.work {
        case .epochs(let count):
            train.pointee.work_case = TRIBUTARY__V1__TRAIN_SETTINGS__WORK_LOCAL_EPOCHS
            train.pointee.local_epochs = count
        case .steps(let count):
            train.pointee.work_case = TRIBUTARY__V1__TRAIN_SETTINGS__WORK_LOCAL_STEPS
            train.pointee.local_steps = count
        case .none:
            train.pointee.work_case = TRIBUTARY__V1__TRAIN_SETTINGS__WORK_NONE
            train.pointee.none = make(tributary__v1__no_training__init)
            return train
        }
        train.pointee.batch = value.batch
        train.pointee.optimizer = optimizer(value.optimizer)
        train.pointee.proximal = value.proximal
        return train
    }

    private func optimizer(_ value: ClientOptimizer) -> UnsafeMutablePointer<Tributary__V1__ClientOptimizer> {
        let optimizer = make(tributary__v1__client_optimizer__init)
        switch value {
        case .sgd(let learningRate, let momentum):
            let sgd = make(tributary__v1__sgd__init)
            sgd.pointee.learning_rate = learningRate
            sgd.pointee.momentum = momentum
            optimizer.pointee.kind_case = TRIBUTARY__V1__CLIENT_OPTIMIZER__KIND_SGD
            optimizer.pointee.sgd = sgd
        case .adam(let learningRate, let beta1, let beta2, let epsilon):
            let adam = make(tributary__v1__adam__init)
            adam.pointee.learning_rate = learningRate
            adam.pointee.beta1 = beta1
            adam.pointee.beta2 = beta2
            adam.pointee.epsilon = epsilon
            optimizer.pointee.kind_case = TRIBUTARY__V1__CLIENT_OPTIMIZER__KIND_ADAM
            optimizer.pointee.adam = adam
        }
        return optimizer
    }

    private func model(_ value: ModelReference) -> UnsafeMutablePointer<Tributary__V1__ModelReference> {
        let model = make(tributary__v1__model_reference__init)
        let sources = value.sources.map { source in
            let item = make(tributary__v1__model_source__init)
            item.pointee.object = object(source.object)
            item.pointee.encoding = Tributary__V1__Encoding(UInt32(source.encoding.rawValue))
            return item
        }
        model.pointee.digest = digest(value.digest)
        model.pointee.n_sources = sources.count
        model.pointee.sources = list(sources)
        return model
    }

    private func group(_ value: GroupPlan) -> UnsafeMutablePointer<Tributary__V1__GroupPlan> {
        let ring = make(tributary__v1__ring_parameters__init)
        ring.pointee.exponent = UInt32(clamping: value.ring.exponent)
        ring.pointee.delta_bound = value.ring.deltaBound
        ring.pointee.weight_max = value.ring.weightMax
        ring.pointee.weight_total_max = value.ring.weightTotalMax
        let group = make(tributary__v1__group_plan__init)
        group.pointee.name = text(value.name)
        group.pointee.parameter_count = value.parameterCount
        group.pointee.ring = ring
        group.pointee.encoding = Tributary__V1__Encoding(UInt32(value.encoding.rawValue))
        group.pointee.normaliser = Tributary__V1__Normaliser(UInt32(value.normaliser.rawValue))
        return group
    }

    private func selection(_ value: Selection) -> UnsafeMutablePointer<Tributary__V1__Selection> {
        let selection = make(tributary__v1__selection__init)
        switch value {
        case .fraction(let fraction, _):
            selection.pointee.kind_case = TRIBUTARY__V1__SELECTION__KIND_FRACTION
            selection.pointee.fraction = fraction
        case .count(let count, _):
            selection.pointee.kind_case = TRIBUTARY__V1__SELECTION__KIND_CLIENT_COUNT
            selection.pointee.client_count = count
        }
        selection.pointee.over_select = value.overSelect
        return selection
    }

    func working(_ value: Working) -> UnsafeMutablePointer<Tributary__V1__Working> {
        let working = make(tributary__v1__working__init)
        working.pointee.number = number(value.number)
        working.pointee.chosen_count = value.chosenCount
        working.pointee.reported_count = value.reportedCount
        working.pointee.permille = value.permille
        return working
    }
}

extension Field {
    static func number(
        _ pointer: UnsafeMutablePointer<Tributary__V1__RoundNumber>?, _ field: String
    ) throws(WireError) -> RoundNumber {
        let item = try present(pointer, field)
        return RoundNumber(
            round: try atMost(item.round, Limits.roundCountMax, "\(field).round"),
            edgeRound: try atMost(
                try atLeastOne(item.edge_round, "\(field).edge_round"), Limits.roundCountMax, "\(field).edge_round"))
    }

    static func object(
        _ pointer: UnsafeMutablePointer<Tributary__V1__ObjectReference>?, _ field: String
    ) throws(WireError) -> ObjectReference {
        let item = try present(pointer, field)
        return ObjectReference(
            digest: try digest(item.digest, "\(field).digest"),
            byteCount: try atMost(item.byte_count, Limits.objectByteCountMax, "\(field).byte_count"))
    }

    static func objectIfAny(
        _ pointer: UnsafeMutablePointer<Tributary__V1__ObjectReference>?, _ field: String
    ) throws(WireError) -> ObjectReference? {
        guard pointer != nil else { return nil }
        return try object(pointer, field)
    }

    static func plan(_ item: Tributary__V1__RoundPlan) throws(WireError) -> RoundPlan {
        let kind: RoundPlan.Kind
        switch item.kind_case {
        case TRIBUTARY__V1__ROUND_PLAN__KIND_TRAIN: kind = .train(try train(try present(item.train, "plan.train")))
        case TRIBUTARY__V1__ROUND_PLAN__KIND_EVALUATE: kind = .evaluate
        default: throw .malformed("plan.kind is missing")
        }
        return RoundPlan(
            number: try number(item.number, "plan.number"),
            kind: kind,
            model: try model(try present(item.model, "plan.model")),
            groups: try list(item.n_groups, item.groups, "plan.groups", maximum: Limits.groupCountMax, group),
            selection: try selection(try present(item.selection, "plan.selection")),
            timeLeft: try duration(milliseconds: item.time_left_ms, "plan.time_left_ms"),
            seed: item.seed,
            isStepping: item.stepping != 0)
    }

    private static func train(_ item: Tributary__V1__TrainSettings) throws(WireError) -> TrainSettings {
        let work: TrainSettings.Work
        switch item.work_case {
        case TRIBUTARY__V1__TRAIN_SETTINGS__WORK_LOCAL_EPOCHS:
            work = .epochs(try atLeastOne(item.local_epochs, "train.local_epochs"))
        case TRIBUTARY__V1__TRAIN_SETTINGS__WORK_LOCAL_STEPS:
            work = .steps(try atLeastOne(item.local_steps, "train.local_steps"))
        case TRIBUTARY__V1__TRAIN_SETTINGS__WORK_NONE: return .noTraining
        default: throw .malformed("train.work is missing")
        }
        return TrainSettings(
            work: work,
            batch: try atLeastOne(item.batch, "train.batch"),
            optimizer: try optimizer(try present(item.optimizer, "train.optimizer")),
            proximal: try finite(item.proximal, "train.proximal"))
    }

    private static func optimizer(_ item: Tributary__V1__ClientOptimizer) throws(WireError) -> ClientOptimizer {
        switch item.kind_case {
        case TRIBUTARY__V1__CLIENT_OPTIMIZER__KIND_SGD:
            let sgd = try present(item.sgd, "optimizer.sgd")
            return .sgd(
                learningRate: try finite(sgd.learning_rate, "sgd.learning_rate"),
                momentum: try finite(sgd.momentum, "sgd.momentum"))
        case TRIBUTARY__V1__CLIENT_OPTIMIZER__KIND_ADAM:
            let adam = try present(item.adam, "optimizer.adam")
            return .adam(
                learningRate: try finite(adam.learning_rate, "adam.learning_rate"),
                beta1: try finite(adam.beta1, "adam.beta1"),
                beta2: try finite(adam.beta2, "adam.beta2"),
                epsilon: try finite(adam.epsilon, "adam.epsilon"))
        default: throw .malformed("optimizer.kind is missing")
        }
    }

    /// A hyperparameter: a finite number that is not negative.
    private static func finite(_ value: Float, _ field: String) throws(WireError) -> Float {
        try within(value, 0...Float.greatestFiniteMagnitude, field)
    }

    private static func model(_ item: Tributary__V1__ModelReference) throws(WireError) -> ModelReference {
        let sources = try list(item.n_sources, item.sources, "model.sources", maximum: Limits.sourceCountMax, source)
        guard !sources.isEmpty else { throw .malformed("model.sources is empty") }
        return ModelReference(digest: try digest(item.digest, "model.digest"), sources: sources)
    }

    private static func source(_ item: Tributary__V1__ModelSource) throws(WireError) -> ModelReference.Source {
        ModelReference.Source(
            object: try object(item.object, "source.object"), encoding: try encoding(item.encoding.rawValue))
    }

    private static func group(_ item: Tributary__V1__GroupPlan) throws(WireError) -> GroupPlan {
        guard let normaliser = UInt8(exactly: item.normaliser.rawValue).flatMap(GroupPlan.Normaliser.init) else {
            throw .malformed("group.normaliser is \(item.normaliser.rawValue), which is not known")
        }
        let count = try atLeastOne(item.parameter_count, "group.parameter_count")
        return GroupPlan(
            name: try name(item.name, "group.name"),
            parameterCount: try atMost(count, Limits.objectByteCountMax / 4, "group.parameter_count"),
            ring: try ring(try present(item.ring, "group.ring")),
            encoding: try encoding(item.encoding.rawValue),
            normaliser: normaliser)
    }

    private static func ring(_ item: Tributary__V1__RingParameters) throws(WireError) -> RingParameters {
        do {
            return try RingParameters(
                exponent: Int(item.exponent), deltaBound: item.delta_bound, weightMax: item.weight_max,
                weightTotalMax: item.weight_total_max)
        } catch {
            throw .malformed("group.ring: \(error)")
        }
    }

    private static func selection(_ item: Tributary__V1__Selection) throws(WireError) -> Selection {
        let overSelect = try within(item.over_select, 1...Limits.overSelectMax, "selection.over_select")
        switch item.kind_case {
        case TRIBUTARY__V1__SELECTION__KIND_FRACTION:
            let smallest = Double.leastNonzeroMagnitude
            return .fraction(try within(item.fraction, smallest...1, "selection.fraction"), overSelect: overSelect)
        case TRIBUTARY__V1__SELECTION__KIND_CLIENT_COUNT:
            let count = try atMost(item.client_count, Limits.clientCountMax, "selection.client_count")
            return .count(count, overSelect: overSelect)
        default: throw .malformed("selection.kind is missing")
        }
    }

    static func working(_ item: Tributary__V1__Working) throws(WireError) -> Working {
        Working(
            number: try number(item.number, "working.number"),
            chosenCount: try atMost(item.chosen_count, Limits.clientCountMax, "working.chosen_count"),
            reportedCount: try atMost(item.reported_count, Limits.clientCountMax, "working.reported_count"),
            permille: try atMost(item.permille, 1000, "working.permille"))
    }
}
