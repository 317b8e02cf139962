extension CrewTask {
    /// Checks and reads a caller's `tasks`.
    ///
    /// A bare string is a title. No `dependsOn` anywhere makes a chain in the given order; one anywhere, even an empty
    /// one, makes the graph as given. Unknown keys are passed over: the raw value is stored elsewhere.
    ///
    /// - Parameters:
    ///   - json: the value of `tasks`; at most ``limit`` items.
    ///   - knownAgents: the slugs a task may name, ``AgentRoster/assignable`` unless a tenant has its own.
    ///   - allowSimulation: whether `simulate` is honoured; else it is an unknown key.
    /// - Returns: the tasks in the caller's order.
    /// - Throws: the text for the caller, naming the item.
    package static func parse(
        _ json: JSON,
        knownAgents: Set<String>,
        allowSimulation: Bool = false
    ) throws(CrewTaskFault) -> [CrewTask] {
        guard let items = json.arrayValue else { throw CrewTaskFault("tasks: must be an array") }
        guard items.count <= limit else {
            throw CrewTaskFault("tasks: at most \(limit) tasks, got \(items.count)")
        }
        var readers: [CrewTaskReader] = []
        for (index, item) in items.enumerated() {
            readers.append(try CrewTaskReader(item, at: index, allowSimulation: allowSimulation))
        }
        let ids = try CrewTaskReader.ids(of: readers)
        var tasks: [CrewTask] = []
        for (reader, id) in zip(readers, ids) {
            tasks.append(try reader.task(id: id, knownAgents: knownAgents))
        }
        try refuseSharedFilenames(tasks)
        if readers.contains(where: \.statesDependencies) {
            try CrewTaskGraph.check(tasks)
        } else {
            for index in tasks.indices.dropFirst() { tasks[index].dependsOn = [tasks[index - 1].id] }
        }
        return tasks
    }

    private static func refuseSharedFilenames(_ tasks: [CrewTask]) throws(CrewTaskFault) {
        var owners: [String: String] = [:]
        for (index, task) in tasks.enumerated() {
            guard let filename = task.filename else { continue }
            if let owner = owners.updateValue(task.id, forKey: filename) {
                let name = CrewTaskFault.quoted(filename)
                throw CrewTaskFault("tasks[\(index)].filename: \(name) is already written by task \"\(owner)\"")
            }
        }
    }
}

/// The edges between tasks: they must lead to tasks that exist, and never round in a circle.
package enum CrewTaskGraph {
    /// - Throws: the first edge that leads nowhere or to its own task, else the first cycle, spelled out.
    package static func check(_ tasks: [CrewTask]) throws(CrewTaskFault) {
        let known = Set(tasks.map(\.id))
        for (index, task) in tasks.enumerated() {
            for edge in task.dependsOn {
                let place = "tasks[\(index)].dependsOn"
                guard known.contains(edge) else {
                    throw CrewTaskFault("\(place): unknown task \(CrewTaskFault.quoted(edge))")
                }
                guard edge != task.id else { throw CrewTaskFault("\(place): a task cannot depend on itself") }
            }
        }
        try refuseCycle(tasks)
    }

    /// Kahn's algorithm: what cannot be taken off is on a cycle or behind one.
    private static func refuseCycle(_ tasks: [CrewTask]) throws(CrewTaskFault) {
        var open = Dictionary(uniqueKeysWithValues: tasks.map { ($0.id, $0.dependsOn) })
        var isShrinking = true
        while isShrinking {
            isShrinking = false
            for task in tasks {
                guard let edges = open[task.id], edges.allSatisfy({ open[$0] == nil }) else { continue }
                open[task.id] = nil
                isShrinking = true
            }
        }
        guard let index = tasks.firstIndex(where: { open[$0.id] != nil }) else { return }
        let cycle = walk(from: tasks[index].id, in: open)
        let first = cycle.first.flatMap { id in tasks.firstIndex { $0.id == id } } ?? index
        throw CrewTaskFault("tasks[\(first)].dependsOn: cycle \(cycle.joined(separator: " → "))")
    }

    /// From any node that is left, each step to a node that is left; the first repeated one closes the circle.
    private static func walk(from start: String, in open: [String: [String]]) -> [String] {
        var path: [String] = []
        var next: String? = start
        while let id = next {
            if let seen = path.firstIndex(of: id) { return Array(path[seen...]) + [id] }
            path.append(id)
            next = open[id]?.first { open[$0] != nil }
        }
        return path
    }
}
