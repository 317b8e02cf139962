/// One item of `tasks`, read key by key; each fault names the item and the key.
struct CrewTaskReader {
    private let path: String
    private let number: Int
    private let members: [String: JSON]
    private let allowSimulation: Bool

    init(_ item: JSON, at index: Int, allowSimulation: Bool) throws(CrewTaskFault) {
        path = "tasks[\(index)]"
        number = index + 1
        self.allowSimulation = allowSimulation
        switch item {
        case .string(let title): members = ["name": .string(title)]
        case .object(let given): members = given
        default: throw CrewTaskFault("\(path): must be an object or a title")
        }
    }

    var statesDependencies: Bool { value("dependsOn") != nil }

    /// Every task's id: the caller's own first, then ids made from titles around them.
    static func ids(of readers: [CrewTaskReader]) throws(CrewTaskFault) -> [String] {
        var taken: Set<String> = []
        var ids: [String?] = []
        for reader in readers {
            let id = try reader.statedID()
            if let id, !taken.insert(id).inserted {
                throw CrewTaskFault("\(reader.path).id: duplicate id \(CrewTaskFault.quoted(id))")
            }
            ids.append(id)
        }
        for (index, reader) in readers.enumerated() where ids[index] == nil {
            ids[index] = try reader.madeID(avoiding: &taken)
        }
        return ids.compactMap(\.self)
    }

    private func statedID() throws(CrewTaskFault) -> String? {
        guard let value = value("id") else { return nil }
        guard let id = value.stringValue, TaskText.isID(id) else {
            throw fault("id", "must be 1 to 64 letters, digits, \"_\" or \"-\"")
        }
        return id
    }

    private func madeID(avoiding taken: inout Set<String>) throws(CrewTaskFault) -> String {
        let made = TaskText.id(fromTitle: try title())
        let base = made.isEmpty ? "task_\(number)" : made
        var id = base
        var copy = 2
        while !taken.insert(id).inserted {
            id = "\(base)_\(copy)"
            copy += 1
        }
        return id
    }

    func task(id: String, knownAgents: Set<String>) throws(CrewTaskFault) -> CrewTask {
        CrewTask(
            id: id,
            title: try title(),
            description: try text("description", limit: 20_000) ?? "",
            agent: try agent(knownAgents),
            dependsOn: try dependencies(),
            filename: try filename(),
            rubric: try rubric(),
            expectedOutput: try text("expectedOutput", limit: 5_000),
            model: try line("model", limit: 100),
            maxTokens: try whole("maxTokens", 1...128_000),
            optional: try flag("optional") ?? false,
            simulate: try simulation()
        )
    }

    // MARK: Keys

    private func title() throws(CrewTaskFault) -> String {
        let key = value("name") == nil && value("title") != nil ? "title" : "name"
        guard let title = try line(key, limit: 200) else { throw fault(key, "is required") }
        return TaskText.trimmed(title)
    }

    private func agent(_ known: Set<String>) throws(CrewTaskFault) -> String? {
        guard let slug = try text("agent", limit: 1_000) else { return nil }
        guard known.contains(slug) else { throw fault("agent", "unknown agent \(CrewTaskFault.quoted(slug))") }
        return slug
    }

    private func dependencies() throws(CrewTaskFault) -> [String] {
        guard let value = value("dependsOn") else { return [] }
        guard let items = value.arrayValue else { throw fault("dependsOn", "must be an array of task ids") }
        var edges: [String] = []
        for item in items {
            guard let edge = item.stringValue else { throw fault("dependsOn", "must be an array of task ids") }
            if !edges.contains(edge) { edges.append(edge) }
            guard edges.count <= CrewTask.limit else {
                throw fault("dependsOn", "at most \(CrewTask.limit) dependencies")
            }
        }
        return edges
    }

    private func filename() throws(CrewTaskFault) -> String? {
        guard let value = value("filename") else { return nil }
        guard let name = value.stringValue else { throw fault("filename", "must be a string") }
        if let wrong = TaskText.fault(inFilename: name) { throw fault("filename", wrong) }
        return name
    }

    /// `rubric` in the contract, `rubricType` in the engine's task object: both are read.
    private func rubric() throws(CrewTaskFault) -> Rubric? {
        let key = value("rubric") == nil ? "rubricType" : "rubric"
        guard let word = try text(key, limit: 1_000) else { return nil }
        guard let rubric = Rubric(rawValue: word) else {
            let known = Rubric.allCases.map(\.rawValue).joined(separator: ", ")
            throw fault(key, "unknown rubric \(CrewTaskFault.quoted(word)); known are \(known)")
        }
        return rubric
    }

    private func simulation() throws(CrewTaskFault) -> Simulation? {
        guard allowSimulation, let value = value("simulate") else { return nil }
        guard case .object(let members) = value else { throw fault("simulate", "must be an object") }
        let inner = CrewTaskReader(path: "\(path).simulate", number: number, members: members)
        return Simulation(
            milliseconds: try inner.whole("ms", 0...600_000) ?? 0,
            cost: try inner.dollars("costUsd"),
            fail: try inner.flag("fail") ?? false,
            steps: try inner.whole("steps", 1...10_000) ?? 1,
            failTimes: try inner.whole("failTimes", 0...100) ?? 0,
            delegate: try inner.questions("delegate")
        )
    }

    /// Not held to the rules for a model's own questions: tests break them on purpose.
    private func questions(_ key: String) throws(CrewTaskFault) -> [DelegatedQuestion] {
        guard let value = value(key) else { return [] }
        guard let items = value.arrayValue, items.count <= 20 else {
            throw fault(key, "must be an array of at most 20 questions")
        }
        var questions: [DelegatedQuestion] = []
        for item in items {
            guard let to = item["to"]?.stringValue, let question = item["question"]?.stringValue,
                !(to + question).utf8.contains(0)
            else { throw fault(key, "each item needs \"to\" and \"question\", both texts") }
            questions.append(DelegatedQuestion(to: to, question: question))
        }
        return questions
    }

    private init(path: String, number: Int, members: [String: JSON]) {
        self.path = path
        self.number = number
        self.members = members
        allowSimulation = false
    }

    // MARK: Values

    /// `null` says as much as nothing.
    private func value(_ key: String) -> JSON? {
        // Spelled out: a bare `nil` here would be JSON's null, not absence.
        guard let value = members[key], value != .null else { return JSON?.none }
        return value
    }

    private func text(_ key: String, limit: Int) throws(CrewTaskFault) -> String? {
        guard let value = value(key) else { return nil }
        guard let text = value.stringValue else { throw fault(key, "must be a string") }
        guard text.unicodeScalars.count <= limit else { throw fault(key, "must be at most \(limit) characters") }
        // Postgres has no place for it.
        guard !text.utf8.contains(0) else { throw fault(key, "must not contain the character U+0000") }
        return text
    }

    private func line(_ key: String, limit: Int) throws(CrewTaskFault) -> String? {
        guard let text = try text(key, limit: limit) else { return nil }
        guard !TaskText.isBlank(text) else { throw fault(key, "must not be empty") }
        guard !text.unicodeScalars.contains(where: TaskText.isControl) else {
            throw fault(key, "must not contain line breaks or control characters")
        }
        return text
    }

    private func whole(_ key: String, _ range: ClosedRange<Int>) throws(CrewTaskFault) -> Int? {
        guard let value = value(key) else { return nil }
        guard let number = value.intValue, range.contains(number) else {
            throw fault(key, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private func flag(_ key: String) throws(CrewTaskFault) -> Bool? {
        guard let value = value(key) else { return nil }
        guard let flag = value.boolValue else { throw fault(key, "must be true or false") }
        return flag
    }

    private func dollars(_ key: String) throws(CrewTaskFault) -> NanoUSD {
        guard let value = value(key) else { return .zero }
        guard let dollars = value.doubleValue, (0...100_000).contains(dollars), let money = NanoUSD(dollars: dollars)
        else { throw fault(key, "must be a number from 0 to 100000") }
        return money
    }

    private func fault(_ key: String, _ what: String) -> CrewTaskFault {
        CrewTaskFault("\(path).\(key): \(what)")
    }
}
