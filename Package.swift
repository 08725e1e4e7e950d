// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let examples = [
    "example-chat", "example-key-value", "example-redis", "example-relay", "example-stream",
]

let package = Package(
    name: "Tron",
    products: [
        .library(name: "Tron", targets: ["Tron"]),
        .library(name: "TronMetrics", targets: ["TronMetrics"]),
        .library(name: "TronTestKit", targets: ["TronTestKit"]),
        .executable(name: "echo-demo", targets: ["echo-demo"]),
        .executable(name: "cluster-demo", targets: ["cluster-demo"]),
    ],
    targets: [
        .systemLibrary(name: "CEpollShim", path: "CEpollShim"),
        .target(
            name: "Tron",
            dependencies: ["CEpollShim"],
            swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]
        ),
        // It stands on what every user of Tron has: the public API alone.
        .target(
            name: "TronMetrics",
            dependencies: ["Tron"],
            packageAccess: false,
            swiftSettings: strict
        ),
        .target(name: "TronTestKit", dependencies: ["Tron"], swiftSettings: strict),
        .executableTarget(
            name: "echo-demo", dependencies: ["Tron", "TronMetrics"], swiftSettings: strict),
        // A foreign protocol's client, on what every user of Tron has.
        .executableTarget(
            name: "cluster-demo", dependencies: ["Tron", "TronMetrics"], exclude: ["README.md"],
            packageAccess: false, swiftSettings: strict),
        // Storage, Wire and what those name of System are symbolic links to the library's: they are
        // not public.
        .executableTarget(
            name: "micro-benchmark",
            dependencies: ["CBenchmark", "CEpollShim"],
            path: "Benchmarks/micro-benchmark",
            swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]
        ),
        .executableTarget(
            name: "steady-state",
            dependencies: ["Tron"],
            path: "Benchmarks/steady-state",
            swiftSettings: strict
        ),
        .systemLibrary(name: "CBenchmark", path: "Benchmarks/CBenchmark"),
        .executableTarget(
            name: "throughput-benchmark",
            dependencies: ["Tron", "CBenchmark"],
            path: "Benchmarks/throughput-benchmark",
            exclude: ["RESULTS.md"],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "async-main", dependencies: ["Tron"], path: "Tests/Programs/async-main"),
        .executableTarget(
            name: "chat-members", dependencies: ["Tron"], path: "Tests/Programs/chat-members"),
        .executableTarget(
            name: "cluster-load", dependencies: ["Tron"], path: "Tests/Programs/cluster-load"),
        .executableTarget(
            name: "proxy-witness", dependencies: ["Tron"], path: "Tests/Programs/proxy-witness"),
        .executableTarget(
            name: "relay-load", dependencies: ["Tron"], path: "Tests/Programs/relay-load"),
        .executableTarget(
            name: "restart-clients", dependencies: ["Tron"],
            path: "Tests/Programs/restart-clients"),
        .executableTarget(
            name: "restart-witness", dependencies: ["Tron", "TronMetrics"],
            path: "Tests/Programs/restart-witness"),
        .testTarget(
            name: "TronTests",
            dependencies: [
                "Tron", "TronMetrics", "TronTestKit", "echo-demo", "async-main", "relay-load",
            ] + examples.map { .byName(name: $0) },
            resources: [.copy("Wire/vectors.json")]
        ),
        // The fake kernels and raw peers of TronTests serve these tests as well.
        .testTarget(
            name: "TronMetricsTests", dependencies: ["Tron", "TronMetrics", "TronTests"]),
        .testTarget(
            name: "ClusterDemoTests",
            dependencies: ["Tron", "TronTestKit", "TronTests", "cluster-demo"]),
        .testTarget(name: "BenchmarkTests", dependencies: ["throughput-benchmark"]),
        .testTarget(
            name: "TronTestKitTests",
            dependencies: ["Tron", "TronTestKit", "example-key-value", "example-relay"]),
        .testTarget(name: "SimulationTests", dependencies: ["Tron", "TronTestKit"]),
    ],
    swiftLanguageModes: [.v6]
)

// What a newcomer copies from: they stand on the public API alone.
for example in examples {
    package.targets.append(
        .executableTarget(
            name: example,
            dependencies: ["Tron"],
            path: "Sources/examples/\(example)",
            packageAccess: false,
            swiftSettings: [.treatAllWarnings(as: .error)]
        ))
}

// The misuses alone, which have to end an optimised program, too, with the whole message.
if Context.environment["TRON_ONLY_MISUSE"] != nil {
    package.products.removeAll { $0.name != "Tron" }
    package.targets.removeAll { !["CEpollShim", "Tron"].contains($0.name) }
    package.targets.append(
        .testTarget(
            name: "TronTests", dependencies: ["Tron"], path: "Tests/TronTests",
            exclude: ["Support/ProcessUnderTest.swift"],
            sources: [
                "Misuse/Misuse.swift", "Misuse/MisuseOfOptions.swift",
                "Misuse/MisuseOfReactors.swift", "Misuse/MisuseOfThreads.swift",
                "Misuse/MisuseOfValues.swift", "Misuse/MisuseTests.swift", "Support",
            ]))
}

// The simulation alone: it is optimised, and need not wait for all other tests to be so too.
if Context.environment["TRON_ONLY_SIMULATION"] != nil {
    package.products.removeAll { $0.name != "Tron" }
    let kept = ["CEpollShim", "Tron", "TronTestKit", "SimulationTests"]
    package.targets.removeAll { !kept.contains($0.name) }
}

// TRON_ONLY_SANITIZED leaves the tests in which a sanitizer can find something. `address`: those of
// code that handles memory by hand, and the whole library in the matrix of faults; .ci/night has
// all of them. `thread`: those with several threads.
let sanitizer = Context.environment["TRON_ONLY_SANITIZED"]
if let sanitizer {
    precondition(["address", "thread"].contains(sanitizer), "TRON_ONLY_SANITIZED: \(sanitizer)")
    let kept =
        ["CEpollShim", "Tron", "TronTestKit", "TronTests"]
        + (sanitizer == "thread" ? ["TronMetrics", "TronMetricsTests"] : [])
    package.products.removeAll { !kept.contains($0.name) }
    package.targets.removeAll { !kept.contains($0.name) }
}
if let sanitizer, let tests = package.targets.first(where: { $0.name == "TronTests" }) {
    tests.dependencies = ["Tron", "TronTestKit"]
    tests.exclude = ["Support/ProcessUnderTest.swift"]
    if sanitizer == "thread" {
        tests.resources = nil
        tests.sources = [
            "Support", "System", "Loop", "Sessions/Threads", "Endpoints/Threads", "Service",
        ]
    } else {
        tests.exclude += [
            "Demo", "Documentation", "Endpoints", "Examples", "Misuse", "Neighbours", "Promises",
            "Service",
        ]
    }
}
