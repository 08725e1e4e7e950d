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
            let value = reactor.isFinished ? nil : newValue
            reactor.registry.locals.set(value.map { (self, $0) }, of: ObjectIdentifier(self))
        }
    }

    /// The value in this registry, on its thread.
    func value(in registry: Registry) -> Value? {
        registry.requireLoop("ReactorLocal")
        return registry.locals.value(of: ObjectIdentifier(self)) as? Value
    }
}

/// The values of one reactor, with what names each, so that its address is not used again.
private final class ReactorLocals: ReactorCompanion {
    typealias Local = (owner: AnyObject, value: Any)

    private var values: [ObjectIdentifier: Local] = [:]

    func value(of name: ObjectIdentifier) -> Any? { values[name]?.value }

    // What a value holds may call back when it goes: so a former one goes once the access that
    // replaced it is over.

    func set(_ local: Local?, of name: ObjectIdentifier) {
        let former = values[name]
        values[name] = local
        withExtendedLifetime(former) {}
    }

    func end() {
        let former = values
        values = [:]
        withExtendedLifetime(former) {}
    }
}

extension Registry {
    fileprivate var locals: ReactorLocals { companion { ReactorLocals() } }
}
