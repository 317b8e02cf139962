extension Dispatch {
    /// First part of every Redis key of this installation, for the keys of other floors. Those begin with the bare
    /// namespace, the queue's with a brace, so that a rebuild does not touch them.
    package var namespace: String { keys.namespace }
}
