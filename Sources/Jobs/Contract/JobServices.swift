package import Stores

/// What all jobs of a process share.
package struct JobServices: Sendable {
    package let stores: Stores
    package let hooks: TestHooks

    package init(stores: Stores, hooks: TestHooks = TestHooks()) {
        self.stores = stores
        self.hooks = hooks
    }
}
