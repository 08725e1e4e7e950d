// What each reactor has for itself, where code that runs on several of them needs it.

/// A value for each reactor. It can be captured by closures that run on any thread, and the value
/// is reached on its reactor's thread alone, so that it need not be Sendable.
///
///     let rooms = ReactorLocal<SessionGroup>()
///     let group = ReactorGroup { reactor, _ in rooms[reactor] = reactor.makeGroup() }
///     try group.listen(on: "127.0.0.1:9000") { session in rooms[session]?.add(session) }
///
/// A reactor keeps its value until it ends. To get one costs two look-ups: handlers capture what
/// they need.
public final class ReactorLocal<Value>: Sendable {
    /// Without a value for any reactor.
    public init() {}

    /// The reactor's value; nil until it is set, and after the reactor has ended. On the loop's
    /// thread, or before it runs.
    public subscript(reactor: Reactor) -> Value? {
        get { value(in: reactor.registry) }
        set {
            reactor.registry.requireLoop("ReactorLocal")
            let isKept = newValue != nil && !reactor.isFinished
            reactor.registry.locals.values[ObjectIdentifier(self)] =
                isKept ? newValue.map { (self, $0) } : nil
        }
    }

    /// The value in this registry, on its thread.
    func value(in registry: Registry) -> Value? {
        registry.requireLoop("ReactorLocal")
        return registry.locals.values[ObjectIdentifier(self)]?.value as? Value
    }
}

/// The values of one reactor, with what names each, so that its address is not used again.
private final class ReactorLocals: ReactorCompanion {
    var values: [ObjectIdentifier: (owner: AnyObject, value: Any)] = [:]

    func end() { values = [:] }
}

extension Registry {
    fileprivate var locals: ReactorLocals { companion { ReactorLocals() } }
}
