// The value that a session's reactor has.

extension ReactorLocal {
    /// The value of the session's reactor. On the loop's thread.
    public subscript(session: Session) -> Value? { value(in: session.registry) }
}
