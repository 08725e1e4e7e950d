// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "Tron",
    products: [
        .library(name: "Tron", targets: ["Tron"]),
        .executable(name: "echo-demo", targets: ["echo-demo"]),
    ],
    targets: [
        .systemLibrary(name: "CEpollShim", path: "CEpollShim"),
        .target(
            name: "Tron",
            dependencies: ["CEpollShim"],
            swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]
        ),
        .executableTarget(name: "echo-demo", dependencies: ["Tron"], swiftSettings: strict),
        // Storage and Wire are symbolic links to the library's: they are not public.
        .executableTarget(
            name: "micro-benchmark",
            dependencies: ["CBenchmark"],
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
        .testTarget(
            name: "TronTests",
            dependencies: ["Tron", "echo-demo"],
            resources: [.copy("vectors.json")]
        ),
        .testTarget(name: "BenchmarkTests", dependencies: ["throughput-benchmark"]),
        .testTarget(name: "SimulationTests", dependencies: ["Tron"]),
    ],
    swiftLanguageModes: [.v6]
)

// The simulation alone: it is optimised, and need not wait for all other tests to be so too.
if Context.environment["TRON_ONLY_SIMULATION"] != nil {
    package.products.removeAll { $0.name != "Tron" }
    package.targets.removeAll { !["CEpollShim", "Tron", "SimulationTests"].contains($0.name) }
}
