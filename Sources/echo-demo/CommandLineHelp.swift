// What the program says of itself: the usage, made from the table of options.

enum CommandLineHelp {
    /// One line, for whoever got it wrong.
    static let hint =
        "usage: echo-demo [serve|connect (--port N [--host H] | --unix PATH) [OPTION [VALUE]]...]"
        + " | --help | --version"

    /// Everything, for whoever asked.
    static var text: String {
        """
        Echoes packets: shows what the Tron library does, and how a program uses it.

        usage: echo-demo
                   demonstrates it all in one process, and checks it
               echo-demo serve (--port N [--host H] | --unix PATH) [OPTION [VALUE]]...
                   answers every packet with its own data, until SIGINT or SIGTERM
               echo-demo connect (--port N [--host H] | --unix PATH) [OPTION [VALUE]]...
                   asks with each line of standard input, prints the answers' data in this order;
                       connects again when the connection is lost, and asks again what it carried
               echo-demo --help | --version

        options of both:
        \(lines { $0.verbs.count == 2 })

        options of serve:
        \(lines { $0.verbs == [.serve] })

        options of connect:
        \(lines { $0.verbs == [.connect] })

        exit status: 0 done, 1 failed, 64 misused
        """
    }

    private static func lines(of options: (Option) -> Bool) -> String {
        Option.all.filter(options).map { option in
            let head = "  \(option.name) \(option.value ?? "")"
            return head + String(repeating: " ", count: max(2, 28 - head.count)) + option.help
        }.joined(separator: "\n")
    }
}
